import type { Case, Exercise } from './define.ts';
import type { Candidate } from './evaluate.ts';
import type { Judgement } from './judgement.ts';
export interface JudgeOptions {
  readonly seed: string;
  /** `public` for a check in a notebook, `all` for a grade. */
  readonly include: 'public' | 'all';
}
/**
 * The judging of one exercise in steps, so that a grader can take all public cases of a notebook before the first hidden one:
 * nothing the learner's code says after it has seen a hidden input may reach the learner.
 */
export declare class Judging {
  #private;
  constructor(exercise: Exercise, { seed, include }: JudgeOptions);
  /** Whether the candidate's process ended during a case: no further case is worth its time. */
  get gone(): boolean;
  /** Whether every case until now was passed. */
  get rightSoFar(): boolean;
  /** Runs the cases of one visibility. @throws EnvironmentFault if the reference itself fails. */
  run(visibility: Case['visibility'], candidate: Candidate): Promise<void>;
  /** Skips the hidden cases: there is nobody to ask. */
  skipHidden(): void;
  /** Checks the properties, names the mistakes, adds up. */
  finish(candidate: Candidate): Promise<Judgement>;
}
/** Judges a candidate on the exercise in one go. @throws EnvironmentFault if the reference itself or the candidate's machinery fails. */
export declare function judge(
  exercise: Exercise,
  candidate: Candidate,
  options: JudgeOptions,
): Promise<Judgement>;
