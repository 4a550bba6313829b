/** Comparing tensors with what they should be. */
import type { TensorData } from '../checkpoints/safetensors.ts';

/** How far a number may be off: ABSOLUTE + RELATIVE·|expected|. */
export const ABSOLUTE = 1e-4;
export const RELATIVE = 1e-4;

export interface Comparison {
  /** as in the parity file: `logits`, `grad.bert.pooler.dense.bias` */
  name: string;
  ok: boolean;
  shape: readonly number[];
  /** the largest |got − expected|; NaN if a number is NaN, null if there was nothing to compare */
  maxError: number | null;
  /** one sentence, if it is not ok */
  reason?: string;
}

/** Compares element by element. Whole numbers must be equal. */
export function compare(name: string, expected: TensorData, got: TensorData): Comparison {
  const { shape } = expected;
  if (shape.join() !== got.shape.join()) {
    return {
      name,
      ok: false,
      shape,
      maxError: null,
      reason: `expected shape [${shape}], got [${got.shape}]`,
    };
  }
  const exact = expected.values instanceof Int32Array;
  let maxError = 0;
  let worst: number | undefined; // the element that is furthest beyond what it may be off
  let worstExcess = 0;
  for (const [i, want] of expected.values.entries()) {
    const error = Math.abs((got.values[i] ?? Number.NaN) - want);
    const excess = error - (exact ? 0 : ABSOLUTE + RELATIVE * Math.abs(want));
    if (Number.isNaN(error) || Number.isNaN(maxError)) maxError = Number.NaN;
    else if (error > maxError) maxError = error;
    // Not (excess ≤ 0), so that NaN fails.
    if (!(excess <= 0) && (worst === undefined || !(excess <= worstExcess))) {
      worst = i;
      worstExcess = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
    }
  }
  if (worst === undefined) return { name, ok: true, shape, maxError };
  const place = coordinates(worst, shape);
  const reason = `at [${place}] expected ${expected.values[worst]}, got ${got.values[worst]}`;
  return { name, ok: false, shape, maxError, reason };
}

/** The coordinates of the n-th element. */
function coordinates(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((side) => {
      const coordinate = rest % side;
      rest = Math.floor(rest / side);
      return coordinate;
    })
    .toReversed();
}
