/** A worker in a process of its own, with a grader that takes its time and needs no sandbox. Arguments: URL, exercise set, jobs, log file. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { GradingQueue } from '../../src/workshop/queue/boss.ts';
import { runWorker } from '../../src/workshop/queue/worker.ts';
import { openStore } from '../../src/workshop/store/open.ts';
import { reportOn } from './queue-reports.ts';

const [url = '', exercises = '', jobs = '1', log = '', milliseconds = '200'] = process.argv.slice(2);
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
const store = await openStore({ url });
const queue = await GradingQueue.open(url, exercises);
await runWorker({
  store,
  queue,
  name: `${process.pid}`,
  jobs: Number(jobs),
  signal: stopping.signal,
  grade: async (task, _, seed) => {
    appendFileSync(log, `begin ${process.pid} ${task.learner}\n`);
    await sleep(Number(milliseconds));
    appendFileSync(log, `end ${process.pid} ${task.learner}\n`);
    return reportOn(task, seed);
  },
});
await queue.close();
await store.close();
