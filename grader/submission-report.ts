/** What is reported of one submission, and its sums. */
import type { Exercise } from './define.ts';
import type { Judgement } from './judgement.ts';

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

/** An exercise of which no check was run. */
export function unjudged(
  exercise: Exercise,
  seed: string,
  verdict: 'fail' | 'error',
  problem: string,
): ExerciseReport {
  const { id, title, points } = exercise;
  const hiddenRemaining = exercise.cases.filter(({ visibility }) => visibility === 'hidden').length;
  return { id, title, points, score: 0, verdict, seed, checks: [], hiddenRemaining, problem };
}

/** A report with its sums: an `error` anywhere leaves the whole without a mark. */
export function summarise(
  report: Omit<SubmissionReport, 'verdict' | 'score' | 'points' | 'exercises'>,
  exercises: readonly ExerciseReport[],
): SubmissionReport {
  const { learner, file, chapter, seed, notices } = report;
  const failed = exercises.length === 0 || exercises.some(({ verdict }) => verdict === 'fail');
  const broken = exercises.some(({ verdict }) => verdict === 'error');
  const sum = (pick: (report: ExerciseReport) => number): number =>
    Math.round(exercises.reduce((total, report) => total + pick(report), 0) * 100) / 100;
  return {
    learner,
    file,
    chapter,
    seed,
    verdict: broken ? 'error' : failed ? 'fail' : 'pass',
    score: broken ? null : sum(({ score }) => score),
    points: sum(({ points }) => points),
    notices,
    exercises,
  };
}
