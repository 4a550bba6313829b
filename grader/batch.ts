/** Grading many submissions: several at a time, journaled, in any order with the same reports. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../src/errors.ts';
import { startJudgeBackend } from './backend.ts';
import { type Chapter, loadChapters } from './chapter.ts';
import type { Exercise } from './define.ts';
import { allExercises } from './discover.ts';
import { gradeSubmission, type SubmissionReport, type SubmittedFile } from './grade.ts';
import type { GradeContext } from './grading.ts';
import { findSubmissions } from './intake.ts';
import { digestOf, JOURNAL, Journal } from './journal.ts';
import { Tape } from './recording.ts';
import { type ReportFormat, writeLearner, writeSummary } from './report/write.ts';
import { bestConfinement, type Confinement, cacheFor } from './sandbox/confine.ts';
import { SandboxPool } from './sandbox/pool.ts';
import { chapterOfSubmission, parseSubmission } from './submission.ts';

export interface BatchOptions {
  /** A folder, zip or notebook. */
  readonly source: string;
  readonly out: string;
  /** How many submissions at a time. */
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly resume: boolean;
  readonly format: ReportFormat;
  /** Exercises to grade, all of a chapter unless given. */
  readonly only?: readonly string[];
  /** Fixes all inputs; drawn anew unless given. */
  readonly seed?: string;
  /** The chapter of every submission, found out unless given. */
  readonly chapter?: string;
  /** The folder of the chapters' masters, for a course of one's own. */
  readonly masters?: string;
  /** The strongest that works here unless given. */
  readonly confinement?: Confinement;
  /** Ends the run: every sandbox is killed, nothing half graded is kept, and the promise rejects. The journal can be resumed. */
  readonly signal?: AbortSignal;
  /** Told of every finished submission. */
  readonly onReport?: (report: SubmissionReport, done: number, total: number) => void;
}

/** Grades everything at the source. @throws InputError for options that cannot be met, before anything is written */
export async function gradeAll(options: BatchOptions): Promise<readonly SubmissionReport[]> {
  const submissions = await findSubmissions(options.source);
  const [chapters, exercises] = await loadCourse(options.masters);
  const chosen = chooseChapter(chapters, options.chapter);
  checkOnly(options.only, exercises);
  const fallback = chosen ?? (await commonChapter(submissions, chapters));
  await startJudgeBackend();
  const journal = openJournal(options);
  const confinement = options.confinement ?? (await bestConfinement());
  const cache = await cacheFor(confinement);
  const pool = new SandboxPool(
    { confinement, memoryMb: options.memoryMb, ...(cache === undefined ? {} : { cache }) },
    options.jobs,
  );
  const context: GradeContext = {
    chapters,
    exercises,
    pool,
    timeoutMs: options.timeoutMs,
    ...(options.only === undefined ? {} : { only: new Set(options.only) }),
    ...(chosen === undefined ? {} : { chapter: chosen }),
    ...(fallback === undefined ? {} : { fallback }),
  };
  options.signal?.addEventListener('abort', () => void pool.close(), { once: true });
  const waiting = [...submissions];
  let finished = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const report = await gradeOne(next, options, journal, context);
      writeLearner(options.out, report, exercises, options.format);
      options.onReport?.(report, ++finished, submissions.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.jobs, submissions.length) }, worker));
    const names = new Set(submissions.map(({ learner }) => learner));
    const reports = journal.reports().filter(({ learner }) => names.has(learner));
    writeSummary(options.out, reports, options.format);
    return reports;
  } finally {
    await pool.close();
    journal.close();
  }
}

async function gradeOne(
  submitted: SubmittedFile,
  { out, signal }: BatchOptions,
  journal: Journal,
  context: GradeContext,
): Promise<SubmissionReport> {
  let bytes: Uint8Array | undefined;
  let failure: unknown;
  try {
    bytes = await submitted.read();
  } catch (error) {
    failure = error;
  }
  const digest = digestOf(bytes ?? Buffer.from(String(failure)));
  const earlier = journal.done(submitted.learner, digest);
  if (earlier !== undefined) return earlier;
  const read = (): Promise<Uint8Array> =>
    bytes === undefined ? Promise.reject(failure) : Promise.resolve(bytes);
  const tape = new Tape();
  const record: GradeContext['record'] = (exercise, candidate) => tape.recording(exercise, candidate);
  const report = await gradeSubmission({ ...submitted, read }, journal.header.seed, { ...context, record });
  // What died with the run is not the learner's fault.
  signal?.throwIfAborted();
  // Before the journal says that it is done.
  tape.save(out, submitted.learner);
  journal.add(digest, report);
  return report;
}

/** The course: chapters by name and exercises by id. */
export async function loadCourse(
  masters?: string,
): Promise<[ReadonlyMap<string, Chapter>, ReadonlyMap<string, Exercise>]> {
  const [chapters, exercises] = await Promise.all([loadChapters(masters), allExercises()]);
  return [chapters, new Map(exercises.map((exercise) => [exercise.id, exercise]))];
}

function chooseChapter(chapters: ReadonlyMap<string, Chapter>, name?: string): Chapter | undefined {
  if (name === undefined) return undefined;
  const found = chapters.get(name);
  if (found === undefined)
    throw new InputError(`there is no chapter '${name}'; expected one of ${[...chapters.keys()].join(', ')}`);
  return found;
}

/** The chapter of all readable submissions, if it is one: what an unreadable one was meant to answer. */
async function commonChapter(
  submissions: readonly SubmittedFile[],
  chapters: ReadonlyMap<string, Chapter>,
): Promise<Chapter | undefined> {
  const found = new Set<Chapter>();
  for (const { read } of submissions) {
    try {
      const chapter = chapterOfSubmission(parseSubmission(await read()), chapters);
      if (chapter !== undefined) found.add(chapter);
    } catch {
      // Unreadable: told when it is graded.
    }
  }
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

function checkOnly(only: readonly string[] | undefined, exercises: ReadonlyMap<string, Exercise>): void {
  const unknown = only?.find((id) => !exercises.has(id));
  if (unknown !== undefined)
    throw new InputError(`--only names '${unknown}', which is no exercise; lab exercises lists them`);
}

function openJournal({ out, resume, seed, only, chapter, timeoutMs, memoryMb }: BatchOptions): Journal {
  const file = path.join(out, JOURNAL);
  if (resume) {
    const journal = Journal.open(file);
    if (seed !== undefined && seed !== journal.header.seed) {
      throw new InputError(
        `--seed ${seed} is not the seed of the run in ${out}, which is ${journal.header.seed}; leave it out to resume`,
      );
    }
    return journal;
  }
  if (existsSync(out) && readdirSync(out).length > 0) {
    throw new InputError(
      `${out} is not empty; give another folder for --out, or --resume to go on with the run in it`,
    );
  }
  mkdirSync(out, { recursive: true });
  const settings = {
    timeoutMs,
    memoryMb,
    ...(only === undefined ? {} : { only }),
    ...(chapter === undefined ? {} : { chapter }),
  };
  return Journal.create(file, { format: 1, seed: seed ?? randomBytes(8).toString('hex'), settings });
}
