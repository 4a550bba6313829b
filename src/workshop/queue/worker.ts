/** A worker: takes jobs, grades, keeps results. Any number of them, on any machines, started and killed at any time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import type { SubmissionReport } from '../../../grader/grade.ts';
import { messageOf } from '../../errors.ts';
import type { Store } from '../store/open.ts';
import { gradingResults, gradingRuns, gradingTasks } from '../store/schema.ts';
import type { GradingQueue, Job } from './boss.ts';
import { patiently } from './patience.ts';
import { type RunSettings, runSettings, type Task } from './runs.ts';

const TOUCH_MS = 5000;
const IDLE_MS = 500;

export interface WorkerOptions {
  readonly store: Store;
  readonly queue: GradingQueue;
  /** For the results, and for people who look at them. */
  readonly name: string;
  /** How many submissions at a time. */
  readonly jobs: number;
  /** Grades a submission of a run. What it throws, and a report with the verdict `error`, is tried again. */
  readonly grade: (task: Task, settings: RunSettings, seed: string) => Promise<SubmissionReport>;
  /** Ends the worker when the jobs in hand are done. */
  readonly signal: AbortSignal;
  readonly onGraded?: (report: SubmissionReport) => void;
  readonly onTrouble?: (sentence: string) => void;
}

/** Works until the signal. @returns how many results it kept */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { queue, jobs, signal, onTrouble } = options;
  const onWait = () => onTrouble?.('the database cannot be reached; waiting for it');
  let kept = 0;
  const slot = async (): Promise<void> => {
    while (!signal.aborted) {
      const job = await patiently(() => queue.take(), { signal, onWait }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (job !== undefined) kept += await work(job, options);
      // An abort ends the pause, and the loop sees it.
      else await sleep(IDLE_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: jobs }, slot));
  return kept;
}

/** One job. Whatever happens to the database meanwhile, a result that was reached is kept. @returns 1 if it is a new one */
async function work(job: Job, options: WorkerOptions): Promise<0 | 1> {
  const { queue, onTrouble } = options;
  const onWait = () => onTrouble?.('the database cannot be reached; waiting for it');
  // A touch that fails is made up for by the next one.
  const touching = setInterval(() => void queue.touch(job).catch(() => undefined), TOUCH_MS);
  try {
    let kept: 0 | 1 = 0;
    try {
      kept = await gradeOnce(job, options, onWait);
    } catch (error) {
      const why = messageOf(error);
      onTrouble?.(`task ${job.task} failed: ${why}`);
      await patiently(() => queue.fail(job, why), { onWait });
      return 0;
    }
    await patiently(() => queue.complete(job), { onWait });
    return kept;
  } finally {
    clearInterval(touching);
  }
}

async function gradeOnce(job: Job, options: WorkerOptions, onWait: () => void): Promise<0 | 1> {
  const { store, name, grade, onGraded } = options;
  const found = await patiently(() => load(store, job.task), { onWait });
  // Of a run that was removed, or graded already by somebody who died before saying so.
  if (found === undefined || found.graded || found.cancelled) return 0;
  const { task, settings, seed } = found;
  const report = await grade(task, settings, seed);
  if (report.verdict === 'error') {
    await patiently(
      () => store.db.update(gradingTasks).set({ errorReport: report }).where(eq(gradingTasks.id, task.id)),
      { onWait },
    );
    const problem = report.exercises.find(({ verdict }) => verdict === 'error')?.problem;
    throw new Error(problem ?? report.notices[0] ?? 'the machine could not grade it');
  }
  const rows = await patiently(
    () =>
      store.db
        .insert(gradingResults)
        .values({ key: task.key, report, worker: name })
        .onConflictDoNothing()
        .returning({ key: gradingResults.key }),
    { onWait },
  );
  onGraded?.(report);
  return rows.length === 1 ? 1 : 0;
}

async function load({ db }: Store, taskId: number) {
  const [found] = await db
    .select({ task: gradingTasks, run: gradingRuns, result: gradingResults.key })
    .from(gradingTasks)
    .innerJoin(gradingRuns, eq(gradingRuns.id, gradingTasks.runId))
    .leftJoin(gradingResults, eq(gradingResults.key, gradingTasks.key))
    .where(eq(gradingTasks.id, taskId));
  if (found === undefined) return undefined;
  return {
    task: found.task,
    settings: runSettings.parse(found.run.settings),
    seed: found.run.seed,
    graded: found.result !== null,
    cancelled: found.run.cancelledAt !== null,
  };
}
