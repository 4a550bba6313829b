/** `lab worker`: grades what `lab grade --queue` puts in line. */
import { hostname } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { databaseUrl, GradingQueue } from '../../workshop/queue/boss.ts';
import { openGrader } from '../../workshop/queue/grading.ts';
import { exerciseSet } from '../../workshop/queue/result-key.ts';
import { runWorker } from '../../workshop/queue/worker.ts';
import { openStore } from '../../workshop/store/open.ts';
import { onStopSignal } from '../jupyter/signals.ts';

interface Options {
  jobs: number;
  name: string;
}

export function workerCommand(): Command {
  return new Command('worker')
    .summary('grade what lab grade --queue puts in line, on this machine')
    .description(
      'Takes submissions from the queue in the PostgreSQL server of DATABASE_URL and grades them in sandboxes of this machine, until ' +
        'it is stopped: after SIGTERM or Ctrl-C it finishes what it has in hand. A worker that is killed loses nothing, for its ' +
        'submissions are given to another one. Workers need the same version of the exercises as who put them in line.',
    )
    .option('--jobs <number>', 'submissions at a time', jobs, 1)
    .option('--name <text>', 'what it is called in the results', `${hostname()}-${process.pid}`)
    .addHelpText(
      'after',
      '\nExample:\n  DATABASE_URL=postgres://lab@db.example.org/lab npx lab worker --jobs 2',
    )
    .action(work);
}

async function work({ jobs: count, name }: Options): Promise<void> {
  const url = databaseUrl(process.env.DATABASE_URL);
  const stopping = new AbortController();
  const release = onStopSignal(() => {
    console.error('lab: finishing what is in hand; ask again to stop at once');
    stopping.abort();
  });
  const store = await openStore({ url });
  try {
    const queue = await GradingQueue.open(url, exerciseSet());
    const grader = await openGrader(count);
    try {
      console.log(`${name}: waiting for submissions (${queue.name}), ${count} at a time`);
      const graded = await runWorker({
        store,
        queue,
        name,
        jobs: count,
        grade: grader.grade,
        signal: stopping.signal,
        onGraded: ({ learner, verdict, score, points }) =>
          console.log(`${learner.replace(/\p{Cc}/gu, '?')}: ${verdict}, ${score ?? '–'} of ${points}`),
        onTrouble: (sentence) => console.error(`lab: ${sentence}`),
      });
      console.log(`${name}: ${graded} graded`);
    } finally {
      await grader.close();
      await queue.close();
    }
  } finally {
    await store.close();
    release();
  }
}

function jobs(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 256) return value;
  throw new InvalidArgumentError('expected a whole number from 1 to 256');
}
