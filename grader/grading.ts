/** The work on one submission: which code runs when, in which process, and what becomes of a process that dies. */
import { messageOf } from '../src/errors.ts';
import type { Chapter } from './chapter.ts';
import type { Exercise } from './define.ts';
import type { Candidate } from './evaluate.ts';
import { EnvironmentFault } from './fault.ts';
import { Judging } from './judge.ts';
import type { SandboxPool } from './sandbox/pool.ts';
import type { LoadResult, Sandbox } from './sandbox/sandbox.ts';
import { declaredElsewhere, findAnswer, type Submission, sameText } from './submission.ts';
import { type ExerciseReport, unjudged } from './submission-report.ts';

export interface GradeContext {
  readonly chapters: ReadonlyMap<string, Chapter>;
  readonly exercises: ReadonlyMap<string, Exercise>;
  readonly pool: SandboxPool;
  /** For loading and all calls of one exercise. */
  readonly timeoutMs: number;
  /** `public` runs no hidden case: for a check before handing in. Default `all`. */
  readonly include?: 'public' | 'all';
  /** Grade these exercises only. */
  readonly only?: ReadonlySet<string>;
  /** The chapter that all submissions answer, whatever they say. */
  readonly chapter?: Chapter;
  /** The chapter of a submission that cannot be read. */
  readonly fallback?: Chapter;
  /** Sees every answer of a sandbox, to keep it for regrading. */
  readonly record?: (exercise: string, candidate: Candidate) => Candidate;
}

const ANSWER = 'answer';

/** An exercise whose public cases have run. */
interface Begun {
  readonly exercise: Exercise;
  readonly source: string;
  readonly judging: Judging;
}

type Loaded =
  | Exclude<LoadResult, { kind: 'loaded' }>
  | { readonly kind: 'loaded'; readonly sandbox: Sandbox };

/** Stands in where no process is left to ask; properties are not checked then. */
const NOBODY: Candidate = {
  call: async () => ({ kind: 'stopped', cause: 'exit', message: 'The process had ended.' }),
  gradients: async () => ({ kind: 'stopped', cause: 'exit', message: 'The process had ended.' }),
};

/** One submission: the sandbox in use is replaced when it dies. */
export class SubmissionGrading {
  readonly notices: string[] = [];
  readonly #submission: Submission;
  readonly #chapter: Chapter;
  readonly #seed: string;
  readonly #context: GradeContext;
  #sandbox: Sandbox | undefined;
  /** Whether the learner's code has run in the sandbox. */
  #touched = false;

  constructor(submission: Submission, chapter: Chapter, seed: string, context: GradeContext) {
    this.#submission = submission;
    this.#chapter = chapter;
    this.#seed = seed;
    this.#context = context;
  }

  async end(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    if (sandbox !== undefined) await this.#context.pool.discard(sandbox);
  }

  /**
   * Grades the exercises in two rounds: all public cases, then, in newly loaded code, all hidden ones. So code that has seen a hidden
   * input has no more say in what its author is told.
   */
  async grade(exercises: readonly Exercise[]): Promise<ExerciseReport[]> {
    const begun: (ExerciseReport | Begun)[] = [];
    for (const exercise of exercises)
      begun.push(await this.#guarded(exercise, () => this.#publicRound(exercise)));
    const reports: ExerciseReport[] = [];
    for (const one of begun) {
      reports.push('judging' in one ? await this.#guarded(one.exercise, () => this.#hiddenRound(one)) : one);
    }
    return reports;
  }

  /** What is not the learner's fault is an error, not a zero. */
  async #guarded<T>(exercise: Exercise, work: () => Promise<T>): Promise<T | ExerciseReport> {
    try {
      return await work();
    } catch (error) {
      await this.end();
      const problem = `This could not be graded, and it is not your fault: ${messageOf(error)}. It will be graded again.`;
      return unjudged(exercise, this.#seed, 'error', problem);
    }
  }

  async #publicRound(exercise: Exercise): Promise<ExerciseReport | Begun> {
    const answer = this.#chapter.answers.find((one) => one.exercise === exercise.id);
    if (answer === undefined) throw new EnvironmentFault('the chapter has no such answer cell');
    const { source, notices } = findAnswer(this.#submission, answer, exercise.entry);
    this.notices.push(...notices);
    const fail = (problem: string): ExerciseReport => unjudged(exercise, this.#seed, 'fail', problem);
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

  async #hiddenRound({ exercise, source, judging }: Begun): Promise<ExerciseReport> {
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

  #candidate(exercise: Exercise, sandbox: Sandbox): Candidate {
    const candidate = sandbox.candidate();
    return this.#context.record?.(exercise.id, candidate) ?? candidate;
  }

  /** Loads the answer. What ends the process or fails in a released cell is tried once more in a fresh process: an earlier answer may have spoilt this one. */
  async #load(exercise: Exercise, source: string): Promise<Loaded> {
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

  async #fresh(): Promise<Sandbox> {
    if (this.#sandbox !== undefined && !this.#sandbox.alive) await this.end();
    if (this.#sandbox === undefined) {
      this.#sandbox = await this.#context.pool.take();
      this.#touched = false;
    }
    return this.#sandbox;
  }

  #refusal({ message }: { message: string }, exercise: Exercise): string {
    const [, missing] = /ReferenceError: ([\w$]+) is not defined/.exec(message) ?? [];
    if (missing !== undefined && declaredElsewhere(this.#submission, missing)) {
      return `The answer cell uses ${missing}, which another cell defines. Only answer cells are graded: put helpers into the answer cell itself.`;
    }
    return message.startsWith('the answer cell')
      ? `${message[0]?.toUpperCase()}${message.slice(1)}. It must declare a function of exactly that name: ${exercise.signature}`
      : `The answer cell does not run: ${message.slice(0, 600)}`;
  }
}
