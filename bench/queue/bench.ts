/**
 * Submissions a minute over the queue, with 1, 2 and 4 workers on this machine:
 *
 *     DATABASE_URL=postgres://… node_modules/.bin/node bench/queue/bench.ts NOTEBOOK [submissions] [workers,workers,…]
 *
 * The notebook is handed in by many learners. With `-` in its place nothing is graded: then it is the queue alone that is measured.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GradingQueue } from '../../src/workshop/queue/boss.ts';
import { exerciseSet } from '../../src/workshop/queue/result-key.ts';
import { createRun, followRun, sendRun } from '../../src/workshop/queue/runs.ts';
import { openStore } from '../../src/workshop/store/open.ts';

const [notebook = '-', count = '20', counts = '1,2,4'] = process.argv.slice(2);
const url = process.env.DATABASE_URL;
if (url === undefined) throw new Error('set DATABASE_URL');
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const bytes = notebook === '-' ? Buffer.from('-') : readFileSync(notebook);

const store = await openStore({ url });
for (const workers of counts.split(',').map(Number)) {
  const exercises = notebook === '-' ? randomBytes(4).toString('hex') : exerciseSet();
  const queue = await GradingQueue.open(url, exercises);
  const script =
    notebook === '-'
      ? [at('../../tests/workshop/queue-worker-process.ts'), url, exercises, '1', '/dev/null', '0']
      : [at('../../src/cli/main.ts'), 'worker', '--jobs', '1'];
  const running: ChildProcess[] = Array.from({ length: workers }, () =>
    spawn(process.execPath, script, { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  try {
    const settings = { exercises, timeoutMs: 60_000, memoryMb: 1024 };
    const grade = async (total: number): Promise<number> => {
      const submissions = Array.from({ length: total }, (_, i) => ({
        learner: `learner-${i}`,
        file: `learner-${i}.ipynb`,
        read: async () => bytes,
      }));
      const run = await createRun(store, { submissions, settings });
      const began = performance.now();
      await sendRun(store, queue, run);
      await followRun(store, queue, run, { onReport: () => undefined });
      return (performance.now() - began) / 1000;
    };
    // So that every worker has started and compiled what it needs.
    await grade(2 * workers);
    const seconds = await grade(Number(count));
    const rate = ((60 * Number(count)) / seconds).toFixed(1);
    console.log(`${workers} workers: ${count} submissions in ${seconds.toFixed(1)} s, ${rate} a minute`);
  } finally {
    for (const worker of running) worker.kill('SIGTERM');
    await Promise.all(running.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    await queue.close();
  }
}
await store.close();
