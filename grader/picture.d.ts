/** A small picture of where a tensor is wrong: one cell an element, last axis across, all others down. */
import { type Difference, type Tolerance } from './compare.ts';
import type { Value } from './values.ts';
export interface Picture {
  readonly path: string;
  readonly shape: readonly number[];
  /** One string a row; a digit a cell: 0 right, 1…4 wrong by more and more (of the largest error), 5 not a number. */
  readonly rows: readonly string[];
  /** Whether the tensor had more rows or columns than are drawn. */
  readonly cropped: boolean;
}
/** The picture of a difference between tensors at the top of the result or one level down; undefined for anything else. */
export declare function pictureOf(
  expected: Value,
  got: Value,
  difference: Difference,
  tolerance: Tolerance,
): Picture | undefined;
