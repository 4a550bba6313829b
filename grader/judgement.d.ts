/** What judging an exercise gives: plain data, shown in a notebook, kept in a journal, made into reports. */
import type { Picture } from './picture.ts';
/** A named mistake. */
export interface Mistake {
  readonly id: string;
  readonly diagnosis: string;
}
/** How a check ended: `wrong` gave a wrong result, `threw`, `timeout` and `died` gave none, `skipped` was not run. */
export type Status = 'passed' | 'wrong' | 'threw' | 'timeout' | 'died' | 'skipped';
/** One case or property. */
export interface CheckReport {
  readonly name: string;
  readonly kind: 'case' | 'property';
  readonly visibility: 'public' | 'hidden';
  readonly weight: number;
  readonly status: Status;
  /** What happened, in a sentence; says no number of a hidden case. */
  readonly message?: string;
  /** What else is known of the difference, a sentence each. */
  readonly findings?: readonly string[];
  /** Of public cases only. */
  readonly details?: {
    readonly inputs: readonly string[];
    readonly expected: string;
    readonly got: string;
    readonly first?: string;
    readonly worst?: string;
    readonly tolerance: string;
    readonly picture?: Picture;
  };
  /** The known mistake whose output this is. */
  readonly mistake?: Mistake;
}
export interface Judgement {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly score: number;
  readonly verdict: 'pass' | 'fail';
  readonly seed: string;
  readonly checks: readonly CheckReport[];
  /** The known mistake that explains all of the answers, or failing that the first wrong one. */
  readonly mistake?: Mistake;
  /** How many hidden checks there are that were not run (in `check`). */
  readonly hiddenRemaining: number;
}
