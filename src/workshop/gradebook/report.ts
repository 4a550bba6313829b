/** What the gradebook needs of the grader's report on a submission; the rest of it is kept as it is. */
import { z } from 'zod';

export const storedReport = z.looseObject({
  learner: z.string(),
  file: z.string(),
  /** Null where it could not be told. */
  chapter: z.string().nullable(),
  seed: z.string(),
  verdict: z.enum(['pass', 'fail', 'error']),
  /** Null while an exercise could not be judged. */
  score: z.number().nullable(),
  points: z.number(),
  exercises: z.array(
    z.looseObject({
      id: z.string(),
      title: z.string(),
      points: z.number(),
      score: z.number(),
      verdict: z.enum(['pass', 'fail', 'error']),
    }),
  ),
});

/** What a mark needs of a report. */
export type MarkedReport = Pick<StoredReport, 'score' | 'points' | 'exercises'>;

/** Every report of the grader is one. */
export interface StoredReport {
  readonly learner: string;
  readonly file: string;
  readonly chapter: string | null;
  readonly seed: string;
  readonly verdict: 'pass' | 'fail' | 'error';
  readonly score: number | null;
  readonly points: number;
  readonly exercises: readonly {
    readonly id: string;
    readonly title: string;
    readonly points: number;
    readonly score: number;
    readonly verdict: 'pass' | 'fail' | 'error';
  }[];
}
