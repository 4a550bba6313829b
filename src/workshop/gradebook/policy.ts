/**
 * The rules of an assignment: what being late costs and which attempt counts. Everything is an instant of UTC and a day is 24 hours,
 * so that neither a zone nor the change to summer time enters.
 */
import { z } from 'zod';
import type { MarkedReport } from './report.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** Each rule is off unless given. */
export const latePolicy = z
  .strictObject({
    /** Late by no more than this is not late. */
    graceMinutes: z.number().min(0).max(525_600),
    /** Part of the points earned, 0 to 1, that each day that has begun after the due date takes away. */
    penaltyPerDay: z.number().min(0).max(1),
    /** Nothing is accepted after it. ISO 8601 with zone. */
    cutOffAt: z.iso.datetime({ offset: true }),
    maxAttempts: z.int().min(1),
    /** Which attempt counts; `best` unless given. */
    counts: z.enum(['best', 'latest']),
  })
  .partial();
export type LatePolicy = {
  readonly [Key in keyof z.infer<typeof latePolicy>]?: Exclude<z.infer<typeof latePolicy>[Key], undefined>;
};

/** When work is due for one learner. */
export interface Deadline {
  readonly dueAt: Date | null;
  /** The latest extension of the learner or their group; null for none. */
  readonly extendedTo: Date | null;
  readonly policy: LatePolicy;
}

export interface Lateness {
  /** False after the cut-off: it earns nothing. */
  readonly accepted: boolean;
  /** Days of 24 hours that have begun since the due date; 0 when in time or within grace. */
  readonly daysLate: number;
  /** What is left of the points earned, 0 to 1. */
  readonly factor: number;
}

/**
 * What handing in at a time means. Without a due date nothing is late. An extension never shortens, and one beyond the cut-off moves the
 * cut-off with it.
 */
export function lateness(handedInAt: Date, { dueAt, extendedTo, policy }: Deadline): Lateness {
  const at = handedInAt.getTime();
  const grace = (policy.graceMinutes ?? 0) * MINUTE;
  const extended = extendedTo?.getTime() ?? Number.NEGATIVE_INFINITY;
  const due = dueAt === null ? Number.POSITIVE_INFINITY : Math.max(dueAt.getTime(), extended);
  const late = at > due + grace;
  const daysLate = late ? Math.ceil((at - due) / DAY) : 0;
  if (policy.cutOffAt !== undefined && at > Math.max(Date.parse(policy.cutOffAt), extended + grace)) {
    return { accepted: false, daysLate, factor: 0 };
  }
  return { accepted: true, daysLate, factor: Math.max(0, 1 - (policy.penaltyPerDay ?? 0) * daysLate) };
}

/** An attempt with its latest grading; `report` is undefined while there is none. */
export interface Attempt {
  readonly attempt: number;
  readonly handedInAt: Date;
  readonly report?: MarkedReport;
}

/** What a person decided, in order of time. */
export interface ManualMark {
  /** Null for the assignment as a whole. */
  readonly exercise: string | null;
  /** Null takes an earlier manual mark back, unless there is a comment: then it is that alone. */
  readonly points: number | null;
  readonly comment: string | null;
}

export interface Mark {
  /** `missing`: nothing was handed in in time. `pending`: what counts is not graded, or not all of it could be. */
  readonly status: 'graded' | 'pending' | 'missing';
  /** What counts, with penalty and manual marks; null unless graded. */
  readonly points: number | null;
  /** What the grader alone gives for the same attempt, before any penalty. */
  readonly automatic: number | null;
  readonly outOf: number | null;
  /** The attempt that counts. */
  readonly attempt: number | null;
  readonly daysLate: number;
  readonly factor: number;
  /** Whether a person's mark is in the points. */
  readonly manual: boolean;
  readonly comments: readonly { readonly exercise: string | null; readonly comment: string }[];
}

/**
 * A learner's mark for an assignment. A manual mark for an exercise takes the place of the automatic one, in every attempt, and is subject
 * to the penalty like it; a manual mark for the whole is final.
 */
export function markOf(
  attempts: readonly Attempt[],
  manual: readonly ManualMark[],
  deadline: Deadline,
  outOf: number | null,
): Mark {
  const { whole, exercises } = standing(manual);
  const comments = manual.flatMap(({ exercise, comment }) =>
    comment === null ? [] : [{ exercise, comment }],
  );
  const rated = attempts
    .map((attempt) => rate(attempt, exercises, lateness(attempt.handedInAt, deadline)))
    .filter(({ late }) => late.accepted);
  const best = choose(rated, deadline.policy.counts ?? 'best');
  const common = {
    automatic: best?.automatic ?? null,
    outOf: best?.outOf ?? outOf,
    attempt: best?.attempt ?? null,
    daysLate: best?.late.daysLate ?? 0,
    factor: best?.late.factor ?? 1,
    manual: whole !== undefined || exercises.size > 0,
    comments,
  };
  if (whole !== undefined) return { ...common, status: 'graded', points: whole };
  if (best === undefined) {
    return exercises.size === 0
      ? { ...common, status: 'missing', points: null }
      : { ...common, status: 'graded', points: rounded(sum([...exercises.values()])) };
  }
  return best.points === null
    ? { ...common, status: 'pending', points: null }
    : { ...common, status: 'graded', points: best.points };
}

/** The manual marks that stand: the latest for each exercise and for the whole. */
export function standing(manual: readonly ManualMark[]): {
  whole?: number;
  exercises: ReadonlyMap<string, number>;
} {
  const exercises = new Map<string, number>();
  let whole: number | undefined;
  for (const { exercise, points, comment } of manual) {
    if (points === null && comment !== null) continue;
    if (exercise === null) whole = points ?? undefined;
    else if (points === null) exercises.delete(exercise);
    else exercises.set(exercise, points);
  }
  return { ...(whole === undefined ? {} : { whole }), exercises };
}

interface Rated {
  readonly attempt: number;
  readonly late: Lateness;
  readonly automatic: number | null;
  readonly outOf: number | null;
  readonly points: number | null;
}

function rate({ attempt, report }: Attempt, manual: ReadonlyMap<string, number>, late: Lateness): Rated {
  if (report === undefined) return { attempt, late, automatic: null, outOf: null, points: null };
  const known = new Set(report.exercises.map(({ id }) => id));
  const beside = [...manual].filter(([id]) => !known.has(id)).map(([, points]) => points);
  const scores = report.exercises.map(
    ({ id, score, verdict }) => manual.get(id) ?? (verdict === 'error' ? null : score),
  );
  const judged = scores.filter((score) => score !== null);
  const points = judged.length < scores.length ? null : rounded(late.factor * sum([...judged, ...beside]));
  return { attempt, late, automatic: report.score, outOf: report.points, points };
}

/** The best: most points, the earlier of equal ones; what is not graded is passed over as long as anything is. */
function choose(rated: readonly Rated[], counts: 'best' | 'latest'): Rated | undefined {
  if (counts === 'latest') return rated.toSorted((a, b) => a.attempt - b.attempt).at(-1);
  return rated.toSorted((a, b) => (b.points ?? -1) - (a.points ?? -1) || a.attempt - b.attempt)[0];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** To hundredths; what floating point adds in the 12th place does not turn a half down. */
const rounded = (points: number): number => Math.round(Number((points * 100).toPrecision(12))) / 100;
