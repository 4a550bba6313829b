/** `lab grade --queue`: puts a run in line, waits for the workers, writes the reports. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { BatchOptions } from '../../../grader/batch.ts';
import { loadCourse } from '../../../grader/batch.ts';
import type { SubmissionReport } from '../../../grader/grade.ts';
import { findSubmissions } from '../../../grader/intake.ts';
import { writeLearner, writeSummary } from '../../../grader/report/write.ts';
import { InputError } from '../../errors.ts';
import { openStore, type Store } from '../store/open.ts';
import { databaseUrl, GradingQueue } from './boss.ts';
import { exerciseSet } from './result-key.ts';
import { createRun, followRun, sendRun } from './runs.ts';

/** Says in the folder of reports which run they are of. */
const RUN_FILE = 'queue.json';
const runFile = z.object({ format: z.literal(1), run: z.int(), exercises: z.string() });

export type QueuedOptions = Pick<
  BatchOptions,
  | 'source'
  | 'out'
  | 'timeoutMs'
  | 'memoryMb'
  | 'resume'
  | 'format'
  | 'only'
  | 'seed'
  | 'chapter'
  | 'signal'
  | 'onReport'
> & {
  /** `DATABASE_URL`. */
  readonly url: string | undefined;
  readonly priority?: number;
};

/** Grades everything at the source by workers elsewhere. @throws InputError for options that cannot be met, before anything is in line */
export async function gradeQueued(options: QueuedOptions): Promise<readonly SubmissionReport[]> {
  const { out, format, signal, onReport } = options;
  const url = databaseUrl(options.url);
  const exercises = exerciseSet();
  const [, known] = await loadCourse();
  const store = await openStore({ url });
  try {
    const queue = await GradingQueue.open(url, exercises);
    try {
      const run = options.resume ? resumed(out, exercises) : await begun(store, exercises, options);
      await sendRun(store, queue, run);
      console.error(`lab: in line (${queue.name}); every lab worker that shows the same name takes part`);
      const reports = await followRun(store, queue, run, {
        onReport: (report, done, total) => {
          writeLearner(out, report, known, format);
          onReport?.(report, done, total);
        },
        onWait: () => console.error('lab: the database cannot be reached; waiting for it'),
        ...(signal === undefined ? {} : { signal }),
      });
      writeSummary(out, reports, format);
      return reports;
    } finally {
      await queue.close();
    }
  } finally {
    await store.close();
  }
}

async function begun(store: Store, exercises: string, options: QueuedOptions): Promise<number> {
  const { source, out, timeoutMs, memoryMb, only, seed, chapter, priority } = options;
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new InputError(
      `${out} is not empty; give another folder for --out, or --resume to go on with the run in it`,
    );
  }
  const run = await createRun(store, {
    submissions: await findSubmissions(source),
    settings: {
      exercises,
      timeoutMs,
      memoryMb,
      ...(only === undefined ? {} : { only: [...only] }),
      ...(chapter === undefined ? {} : { chapter }),
    },
    ...(seed === undefined ? {} : { seed }),
    ...(priority === undefined ? {} : { priority }),
  });
  mkdirSync(out, { recursive: true });
  // On disk before anything is in line: who is killed from here on goes on with --resume.
  writeFileSync(path.join(out, RUN_FILE), `${JSON.stringify({ format: 1, run, exercises })}\n`);
  return run;
}

function resumed(out: string, exercises: string): number {
  const file = path.join(out, RUN_FILE);
  if (!existsSync(file)) throw new InputError(`${file}: there is no queued run to go on with`);
  const read = runFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!read.success) throw new InputError(`${file}: is damaged`);
  if (read.data.exercises !== exercises) {
    throw new InputError(
      `the run in ${out} was begun with other exercises; go on with it from the version of the lab that began it`,
    );
  }
  return read.data.run;
}
