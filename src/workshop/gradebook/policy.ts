/** The rules of an assignment: what being late costs and which attempt counts. */

/** Each rule is off unless given. */
export interface LatePolicy {
  /** Late by no more than this is not late. */
  readonly graceMinutes?: number;
  /** Part of the points, 0 to 1, that each day that has begun after the due date takes away. */
  readonly penaltyPerDay?: number;
  /** ISO 8601 with zone. Nothing is accepted after it. */
  readonly cutOffAt?: string;
  readonly maxAttempts?: number;
  /** Which attempt counts; `best` unless given. */
  readonly counts?: 'best' | 'latest';
}
