import type { Chapter } from './chapter.ts';
import type { Exercise } from './define.ts';
import type { Candidate } from './evaluate.ts';
import type { Judgement } from './judgement.ts';
import type { SandboxPool } from './sandbox/pool.ts';
/** An exercise in a report. `error` is the grader's or the machine's fault: no mark is given, and it is graded again. */
export interface ExerciseReport extends Omit<Judgement, 'verdict'> {
  readonly verdict: 'pass' | 'fail' | 'error';
  /** Why no check could be run. */
  readonly problem?: string;
}
export interface SubmissionReport {
  readonly learner: string;
  readonly file: string;
  /** Null where it could not be told. */
  readonly chapter: string | null;
  /** Inputs can be drawn again from it. */
  readonly seed: string;
  readonly verdict: 'pass' | 'fail' | 'error';
  /** Null while an exercise could not be judged. */
  readonly score: number | null;
  readonly points: number;
  /** What was odd about the submission or about how it was graded. */
  readonly notices: readonly string[];
  readonly exercises: readonly ExerciseReport[];
}
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
  readonly record?: (learner: string, exercise: string, candidate: Candidate) => Candidate;
}
export interface SubmittedFile {
  readonly learner: string;
  /** As shown in reports. */
  readonly file: string;
  readonly read: () => Promise<Uint8Array>;
}
/** The seed of one learner's inputs: fixed by the run's seed and the name, whatever the order of grading. */
export declare function seedOf(runSeed: string, learner: string): string;
/** Grades a submission. Never throws for what a learner handed in or for a broken machine: both are in the report. */
export declare function gradeSubmission(
  submitted: SubmittedFile,
  runSeed: string,
  context: GradeContext,
): Promise<SubmissionReport>;
