/** Grading many submissions: several at a time, journaled, in any order with the same reports. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../src/errors.js';
import { startJudgeBackend } from './backend.js';
import { loadChapters } from './chapter.js';
import { allExercises } from './discover.js';
import { gradeSubmission } from './grade.js';
import { findSubmissions } from './intake.js';
import { digestOf, Journal } from './journal.js';
import { writeLearner, writeSummary } from './report/write.js';
import { bestConfinement, cacheFor } from './sandbox/confine.js';
import { SandboxPool } from './sandbox/pool.js';
import { chapterOfSubmission, parseSubmission } from './submission.js';
export const JOURNAL = 'journal.jsonl';
/** Grades everything at the source. @throws InputError for options that cannot be met, before anything is written */
export async function gradeAll(options) {
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
  const context = {
    chapters,
    exercises,
    pool,
    timeoutMs: options.timeoutMs,
    ...(options.only === undefined ? {} : { only: new Set(options.only) }),
    ...(chosen === undefined ? {} : { chapter: chosen }),
    ...(fallback === undefined ? {} : { fallback }),
  };
  const waiting = [...submissions];
  let finished = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const report = await gradeOne(next, journal, context);
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
async function gradeOne(submitted, journal, context) {
  let bytes;
  let failure;
  try {
    bytes = await submitted.read();
  } catch (error) {
    failure = error;
  }
  const digest = digestOf(bytes ?? Buffer.from(String(failure)));
  const earlier = journal.done(submitted.learner, digest);
  if (earlier !== undefined) return earlier;
  const read = () => (bytes === undefined ? Promise.reject(failure) : Promise.resolve(bytes));
  const report = await gradeSubmission({ ...submitted, read }, journal.header.seed, context);
  journal.add(digest, report);
  return report;
}
/** The course: chapters by name and exercises by id. */
export async function loadCourse(masters) {
  const [chapters, exercises] = await Promise.all([loadChapters(masters), allExercises()]);
  return [chapters, new Map(exercises.map((exercise) => [exercise.id, exercise]))];
}
function chooseChapter(chapters, name) {
  if (name === undefined) return undefined;
  const found = chapters.get(name);
  if (found === undefined)
    throw new InputError(`there is no chapter '${name}'; expected one of ${[...chapters.keys()].join(', ')}`);
  return found;
}
/** The chapter of all readable submissions, if it is one: what an unreadable one was meant to answer. */
async function commonChapter(submissions, chapters) {
  const found = new Set();
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
function checkOnly(only, exercises) {
  const unknown = only?.find((id) => !exercises.has(id));
  if (unknown !== undefined)
    throw new InputError(`--only names '${unknown}', which is no exercise; lab exercises lists them`);
}
function openJournal({ out, resume, seed, only, chapter, timeoutMs, memoryMb }) {
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
