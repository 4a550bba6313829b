/** Comparing what came with what was expected: element by element, with the place of the first and the worst difference. */
import { type Value } from './values.ts';
/** |got − expected| may be `absolute + relative · |expected|`; the reason says why not less and not more. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  readonly reason: string;
}
/** For whole numbers, text and labels. */
export declare const EXACT: Tolerance;
/** For a few float32 operations on values near 1. */
export declare const FLOAT32: Tolerance;
/** One wrong element. `index` is its place in the tensor, one number an axis. */
export interface WrongElement {
  readonly index: readonly number[];
  readonly expected: number;
  readonly got: number;
}
/** How two values differ, at the first place where they do. */
export type Difference =
  | {
      readonly kind: 'type' | 'shape' | 'dtype' | 'length' | 'keys';
      readonly path: string;
      readonly expected: string;
      readonly got: string;
    }
  | {
      readonly kind: 'scalar';
      readonly path: string;
      readonly expected: string;
      readonly got: string;
    }
  | {
      readonly kind: 'elements';
      readonly path: string;
      readonly shape: readonly number[];
      readonly wrong: number;
      readonly total: number;
      readonly first: WrongElement;
      readonly worst: WrongElement;
    };
/** Whether one number is as expected. NaN equals only NaN, an infinity only itself. */
export declare function close(expected: number, got: number, tolerance: Tolerance): boolean;
/** The first difference in reading order, or undefined where there is none. */
export declare function compare(
  expected: Value,
  got: Value,
  tolerance: Tolerance,
  path?: string,
): Difference | undefined;
/** Whether two values agree everywhere, within the tolerance. */
export declare const agree: (expected: Value, got: Value, tolerance: Tolerance) => boolean;
/** The place of a flat offset in a row-major tensor of the shape. */
export declare function unravel(offset: number, shape: readonly number[]): number[];
/** A number as people read it: whole numbers whole, others with seven digits. */
export declare function numberText(value: number): string;
