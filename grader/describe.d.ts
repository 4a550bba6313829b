/**
 * What a wrong output looks like beside the right one, when no known mistake explains it: transposed, scaled, one position
 * off, right but for padding. Each finding is a sentence to the learner; only those that hold exactly are made.
 */
import { type Difference, type Tolerance } from './compare.ts';
import { type TensorValue, type Value } from './values.ts';
/** Plain words for a difference: where, what was expected, what came. */
export declare function differenceText(difference: Difference): string;
/** The same without any number of the inputs or outputs: what may be said about a hidden case. */
export declare function discreetText(difference: Difference): string;
/** What else is known of the case: which positions [B, T] are tokens (1) and which padding (0). */
export interface DescribeContext {
  readonly padding?: TensorValue;
}
/**
 * Sentences on how the output differs, most telling first; empty where nothing fits.
 * @param expected, got whole results; the tensors at the place of the difference are looked at.
 */
export declare function describe(
  expected: Value,
  got: Value,
  tolerance: Tolerance,
  context?: DescribeContext,
): string[];
