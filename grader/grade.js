/** Grading one submission: every exercise of its chapter, each judged with reference versions of the earlier ones. */
import { createHash } from 'node:crypto';
import { messageOf } from '../src/errors.js';
import { EnvironmentFault } from './fault.js';
import { Judging } from './judge.js';
import { confinementWarning } from './sandbox/confine.js';
import {
  chapterOfSubmission,
  declaredElsewhere,
  findAnswer,
  parseSubmission,
  sameText,
  UnreadableSubmission,
} from './submission.js';
/** The seed of one learner's inputs: fixed by the run's seed and the name, whatever the order of grading. */
export function seedOf(runSeed, learner) {
  return createHash('sha256').update(`${runSeed}\n${learner}`).digest('hex').slice(0, 16);
}
/** Grades a submission. Never throws for what a learner handed in or for a broken machine: both are in the report. */
export async function gradeSubmission(submitted, runSeed, context) {
  const { learner, file } = submitted;
  const seed = seedOf(runSeed, learner);
  let submission;
  try {
    submission = parseSubmission(await submitted.read());
  } catch (error) {
    const chapter = context.chapter ?? context.fallback;
    const readable = error instanceof UnreadableSubmission;
    const why = `${file} could not be graded: ${messageOf(error)}.`;
    return summarise(
      submitted,
      seed,
      chapter,
      [why],
      unreadable(chapter, context, seed, readable ? 'fail' : 'error'),
    );
  }
  const chapter = context.chapter ?? chapterOfSubmission(submission, context.chapters);
  if (chapter === undefined) {
    return summarise(
      submitted,
      seed,
      undefined,
      [`${file} holds no answer cell of any chapter of this course.`],
      [],
    );
  }
  const warning = confinementWarning(context.pool.confinement);
  const notices = warning === undefined ? [] : [warning];
  const grading = new SubmissionGrading(submission, chapter, seed, learner, context);
  try {
    const exercises = await grading.grade(exercisesOf(chapter, context));
    return summarise(submitted, seed, chapter, [...notices, ...grading.notices], exercises);
  } finally {
    await grading.end();
  }
}
function exercisesOf(chapter, context) {
  return chapter.answers
    .filter(({ exercise }) => context.only === undefined || context.only.has(exercise))
    .map(({ exercise: id }) => {
      const exercise = context.exercises.get(id);
      if (exercise === undefined)
        throw new EnvironmentFault(`the chapter ${chapter.name} asks for ${id}, which no file defines`);
      return exercise;
    });
}
function unreadable(chapter, context, seed, verdict) {
  if (chapter === undefined) return [];
  return exercisesOf(chapter, context).map((exercise) =>
    unjudged(exercise, seed, verdict, 'The notebook could not be read.'),
  );
}
function unjudged(exercise, seed, verdict, problem) {
  const { id, title, points } = exercise;
  const hiddenRemaining = exercise.cases.filter(({ visibility }) => visibility === 'hidden').length;
  return { id, title, points, score: 0, verdict, seed, checks: [], hiddenRemaining, problem };
}
function summarise({ learner, file }, seed, chapter, notices, exercises) {
  const failed = exercises.length === 0 || exercises.some(({ verdict }) => verdict === 'fail');
  const broken = exercises.some(({ verdict }) => verdict === 'error');
  const sum = (pick) => Math.round(exercises.reduce((total, report) => total + pick(report), 0) * 100) / 100;
  return {
    learner,
    file,
    chapter: chapter?.name ?? null,
    seed,
    verdict: broken ? 'error' : failed ? 'fail' : 'pass',
    score: broken ? null : sum(({ score }) => score),
    points: sum(({ points }) => points),
    notices,
    exercises,
  };
}
const ANSWER = 'answer';
/** Stands in where no process is left to ask; properties are not checked then. */
const NOBODY = {
  call: async () => ({ kind: 'stopped', cause: 'exit', message: 'The process had ended.' }),
  gradients: async () => ({ kind: 'stopped', cause: 'exit', message: 'The process had ended.' }),
};
/** The work on one submission: the sandbox in use, replaced when it dies. */
class SubmissionGrading {
  notices = [];
  #submission;
  #chapter;
  #seed;
  #learner;
  #context;
  #sandbox;
  /** Whether the learner's code has run in the sandbox. */
  #touched = false;
  constructor(submission, chapter, seed, learner, context) {
    this.#submission = submission;
    this.#chapter = chapter;
    this.#seed = seed;
    this.#learner = learner;
    this.#context = context;
  }
  async end() {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    if (sandbox !== undefined) await this.#context.pool.discard(sandbox);
  }
  /**
   * Grades the exercises in two rounds: all public cases, then, in newly loaded code, all hidden ones. So code that has seen a hidden
   * input has no more say in what its author is told.
   */
  async grade(exercises) {
    const begun = [];
    for (const exercise of exercises)
      begun.push(await this.#guarded(exercise, () => this.#publicRound(exercise)));
    const reports = [];
    for (const one of begun) {
      reports.push('judging' in one ? await this.#guarded(one.exercise, () => this.#hiddenRound(one)) : one);
    }
    return reports;
  }
  /** What is not the learner's fault is an error, not a zero. */
  async #guarded(exercise, work) {
    try {
      return await work();
    } catch (error) {
      await this.end();
      const problem = `This could not be graded, and it is not your fault: ${messageOf(error)}. It will be graded again.`;
      return unjudged(exercise, this.#seed, 'error', problem);
    }
  }
  async #publicRound(exercise) {
    const answer = this.#chapter.answers.find((one) => one.exercise === exercise.id);
    if (answer === undefined) throw new EnvironmentFault('the chapter has no such answer cell');
    const { source, notices } = findAnswer(this.#submission, answer, exercise.entry);
    this.notices.push(...notices);
    const fail = (problem) => unjudged(exercise, this.#seed, 'fail', problem);
    if (source === undefined) return fail('There is no answer cell to grade.');
    if (sameText(source, answer.stub)) return fail('Not attempted yet: the cell is as it was released.');
    const loaded = await this.#load(exercise, source);
    if (loaded.kind === 'refused') return fail(this.#refusal(loaded, exercise));
    if (loaded.kind === 'stopped') return fail(loaded.message);
    const judging = new Judging(exercise, { seed: this.#seed, include: this.#context.include ?? 'all' });
    const candidate = this.#candidate(exercise, loaded.sandbox);
    await judging.run('public', candidate);
    // An answer that does odd things to its process is wrong more often than right; the next one shall not suffer.
    if (!judging.rightSoFar) await this.end();
    return { exercise, source, judging };
  }
  async #hiddenRound({ exercise, source, judging }) {
    if (judging.gone) {
      judging.skipHidden();
      return judging.finish(NOBODY);
    }
    const loaded = await this.#load(exercise, source);
    if (loaded.kind !== 'loaded') {
      judging.skipHidden();
      return judging.finish(NOBODY);
    }
    const candidate = this.#candidate(exercise, loaded.sandbox);
    await judging.run('hidden', candidate);
    const judgement = await judging.finish(candidate);
    if (judgement.verdict === 'fail') await this.end();
    return judgement;
  }
  #candidate(exercise, sandbox) {
    const candidate = sandbox.candidate();
    return this.#context.record?.(this.#learner, exercise.id, candidate) ?? candidate;
  }
  /** Loads the answer. What ends the process or fails in a released cell is tried once more in a fresh process: an earlier answer may have spoilt this one. */
  async #load(exercise, source) {
    const before = this.#chapter.before(exercise.id, source);
    for (;;) {
      const sandbox = await this.#fresh();
      const spoilt = this.#touched;
      sandbox.allow(this.#context.timeoutMs);
      this.#touched = true;
      const result = await sandbox.load(
        [...before, { name: ANSWER, source }],
        exercise.entry,
        exercise.parameters,
      );
      if (result.kind === 'loaded') return { kind: 'loaded', sandbox };
      const released = result.kind === 'refused' && result.cell !== ANSWER;
      if (!spoilt && released)
        throw new EnvironmentFault(`the released cell ${result.cell} failed: ${result.message}`);
      if (!spoilt || (result.kind === 'refused' && !released)) return result;
      await this.end();
    }
  }
  async #fresh() {
    if (this.#sandbox !== undefined && !this.#sandbox.alive) await this.end();
    if (this.#sandbox === undefined) {
      this.#sandbox = await this.#context.pool.take();
      this.#touched = false;
    }
    return this.#sandbox;
  }
  #refusal({ message }, exercise) {
    const [, missing] = /ReferenceError: ([\w$]+) is not defined/.exec(message) ?? [];
    if (missing !== undefined && declaredElsewhere(this.#submission, missing)) {
      return `The answer cell uses ${missing}, which another cell defines. Only answer cells are graded: put helpers into the answer cell itself.`;
    }
    return message.startsWith('the answer cell')
      ? `${message[0]?.toUpperCase()}${message.slice(1)}. It must declare a function of exactly that name: ${exercise.signature}`
      : `The answer cell does not run: ${message.slice(0, 600)}`;
  }
}
