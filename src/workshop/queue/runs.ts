/** Runs of the queue: what is to be graded goes in, reports come out. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { and, eq, inArray, isNotNull, isNull, or } from 'drizzle-orm';
import { z } from 'zod';
import { loadChapters } from '../../../grader/chapter.ts';
import { type SubmissionReport, type SubmittedFile, seedOf } from '../../../grader/grade.ts';
import { chapterOfSubmission, parseSubmission, UnreadableSubmission } from '../../../grader/submission.ts';
import { InputError, messageOf } from '../../errors.ts';
import type { Store } from '../store/open.ts';
import { gradingResults, gradingRuns, gradingTasks } from '../store/schema.ts';
import type { GradingQueue } from './boss.ts';
import { patiently } from './patience.ts';
import { resultKey } from './result-key.ts';

/** What a worker must know. */
export const runSettings = z.object({
  exercises: z.string(),
  timeoutMs: z.number(),
  memoryMb: z.number(),
  only: z.array(z.string()).exactOptional(),
  /** Of every submission. */
  chapter: z.string().exactOptional(),
  /** Of a submission that cannot be read. */
  fallback: z.string().exactOptional(),
});
export type RunSettings = z.infer<typeof runSettings>;

export type Task = typeof gradingTasks.$inferSelect;

/** Keeps a run with all of its submissions; nothing is in line before `sendRun`. @returns its number */
export async function createRun(
  { db }: Store,
  given: {
    readonly submissions: readonly SubmittedFile[];
    readonly settings: Omit<RunSettings, 'fallback'>;
    /** Drawn anew unless given. */
    readonly seed?: string;
    /** Higher goes first; 0 unless given. */
    readonly priority?: number;
  },
): Promise<number> {
  const { submissions, priority = 0, seed = randomBytes(8).toString('hex') } = given;
  const read = await readAll(submissions);
  const fallback = given.settings.chapter ?? (await commonChapter(read));
  const settings = { ...given.settings, ...(fallback === undefined ? {} : { fallback }) };
  return db.transaction(async (tx) => {
    const [run] = await tx.insert(gradingRuns).values({ seed, settings }).returning();
    if (run === undefined) throw new Error('the run was not kept');
    for (const { learner, file, notebook, unreadable } of read) {
      const identity = notebook ?? Buffer.from(`unreadable: ${unreadable}`);
      const key = resultKey({
        notebook: identity,
        exercises: settings.exercises,
        seed: seedOf(seed, learner),
        settings,
      });
      const task = { runId: run.id, learner, file, key, priority };
      await tx
        .insert(gradingTasks)
        .values({ ...task, notebook: notebook ?? null, unreadable: unreadable ?? null });
    }
    return run.id;
  });
}

interface ReadSubmission {
  readonly learner: string;
  readonly file: string;
  readonly notebook?: Uint8Array;
  /** Why it could not be read: the learner's fault. */
  readonly unreadable?: string;
}

async function readAll(submissions: readonly SubmittedFile[]): Promise<ReadSubmission[]> {
  const found: ReadSubmission[] = [];
  for (const { learner, file, read } of submissions) {
    try {
      found.push({ learner, file, notebook: await read() });
    } catch (error) {
      if (!(error instanceof UnreadableSubmission))
        throw new InputError(`${file}: cannot be read: ${messageOf(error)}`);
      found.push({ learner, file, unreadable: error.message });
    }
  }
  return found;
}

/** What an unreadable submission was meant to answer: the chapter of all readable ones, if it is one. Undefined where nobody has to ask. */
async function commonChapter(read: readonly ReadSubmission[]): Promise<string | undefined> {
  const parsed = read.flatMap(({ notebook }) => {
    try {
      return notebook === undefined ? [] : [parseSubmission(notebook)];
    } catch {
      // Told when it is graded.
      return [];
    }
  });
  if (parsed.length === 0 || parsed.length === read.length) return undefined;
  const chapters = await loadChapters();
  const names = new Set(parsed.flatMap((one) => chapterOfSubmission(one, chapters)?.name ?? []));
  const [only] = names;
  return names.size === 1 ? only : undefined;
}

/** Puts the tasks of a run in line that have no result yet. Doing it again sends nothing twice. */
export async function sendRun({ db }: Store, queue: GradingQueue, runId: number): Promise<void> {
  const open = await db
    .select({ id: gradingTasks.id, priority: gradingTasks.priority })
    .from(gradingTasks)
    .leftJoin(gradingResults, eq(gradingResults.key, gradingTasks.key))
    .where(and(eq(gradingTasks.runId, runId), isNull(gradingResults.key), isNull(gradingTasks.deadBecause)))
    .orderBy(gradingTasks.id);
  await queue.send(open);
}

/**
 * Waits until all of a run is graded and tells of each report as it comes; outlives a database that is restarted.
 * @throws the signal's reason when it is aborted; the run goes on without us
 */
export async function followRun(
  store: Store,
  queue: GradingQueue,
  runId: number,
  options: {
    readonly onReport: (report: SubmissionReport, done: number, total: number) => void;
    readonly signal?: AbortSignal;
    readonly onWait?: () => void;
  },
): Promise<SubmissionReport[]> {
  const { onReport, signal, onWait } = options;
  const patience = { signal, onWait };
  const total = await patiently(() => store.db.$count(gradingTasks, eq(gradingTasks.runId, runId)), patience);
  const reports = new Map<number, SubmissionReport>();
  for (;;) {
    signal?.throwIfAborted();
    await patiently(() => queue.buryDead((task, why) => bury(store, task, why)), patience);
    const fresh = await patiently(() => finished(store, runId, reports), patience);
    for (const [task, report] of fresh) {
      reports.set(task, report);
      onReport(report, reports.size, total);
    }
    if (reports.size >= total) break;
    await sleep(500, undefined, signal === undefined ? {} : { signal });
  }
  return [...reports.values()].sort((a, b) => (a.learner < b.learner ? -1 : 1));
}

async function bury({ db }: Store, task: number, why: string): Promise<void> {
  await db.update(gradingTasks).set({ deadBecause: why }).where(eq(gradingTasks.id, task));
}

/** Reports of tasks that were not known to be finished. */
async function finished(
  { db }: Store,
  runId: number,
  known: ReadonlyMap<number, unknown>,
): Promise<[number, SubmissionReport][]> {
  const ids = await db
    .select({ id: gradingTasks.id })
    .from(gradingTasks)
    .leftJoin(gradingResults, eq(gradingResults.key, gradingTasks.key))
    .where(
      and(
        eq(gradingTasks.runId, runId),
        or(isNotNull(gradingResults.key), isNotNull(gradingTasks.deadBecause)),
      ),
    );
  const fresh = ids.map(({ id }) => id).filter((id) => !known.has(id));
  const found: [number, SubmissionReport][] = [];
  for (let start = 0; start < fresh.length; start += 50) {
    const rows = await db
      .select({
        id: gradingTasks.id,
        learner: gradingTasks.learner,
        file: gradingTasks.file,
        report: gradingResults.report,
        errorReport: gradingTasks.errorReport,
        why: gradingTasks.deadBecause,
        seed: gradingRuns.seed,
      })
      .from(gradingTasks)
      .innerJoin(gradingRuns, eq(gradingRuns.id, gradingTasks.runId))
      .leftJoin(gradingResults, eq(gradingResults.key, gradingTasks.key))
      .where(inArray(gradingTasks.id, fresh.slice(start, start + 50)));
    for (const { id, learner, file, report, errorReport, why, seed } of rows) {
      const whole = report ?? errorReport ?? ungraded(learner, file, seedOf(seed, learner), why ?? '');
      found.push([id, { ...whole, learner, file }]);
    }
  }
  return found;
}

function ungraded(learner: string, file: string, seed: string, why: string): SubmissionReport {
  const notice = `${file} could not be graded, and it is not the learner's fault: ${why}.`;
  const empty = { chapter: null, verdict: 'error' as const, score: null, points: 0, exercises: [] };
  return { learner, file, seed, ...empty, notices: [notice] };
}
