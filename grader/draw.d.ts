/** What a case draws its inputs with: tensors filled from a seed, the same numbers on every backend. */
import * as tf from '@tensorflow/tfjs-core';
import { type Rng } from '../src/core/random.ts';
export interface Draw {
  /** The stream itself, for anything not covered below. */
  readonly rng: Rng;
  /** float32 from the normal distribution; `mean` 0 and `std` 1 unless given. */
  normal(
    shape: readonly number[],
    options?: {
      mean?: number;
      std?: number;
    },
  ): tf.Tensor;
  /** float32, uniform on [low, high). */
  uniform(shape: readonly number[], low: number, high: number): tf.Tensor;
  /** int32, uniform on [low, high). */
  integers(shape: readonly number[], low: number, high: number): tf.Tensor;
  /** A norm's gain: near 1 but never 1, so that a forgotten gain shows. */
  gain(size: number): tf.Tensor1D;
  /** A shift or bias: never all 0, so that a forgotten bias shows. */
  shift(size: number): tf.Tensor1D;
  /**
   * An int32 attention mask [batch, length], 1 = token, 0 = padding on the right. Row 0 is full; the others have between 1 and
   * length − 1 tokens, so that padding differs from row to row.
   */
  mask(batch: number, length: number): tf.Tensor2D;
  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T;
}
/** A `Draw` on the stream of the seed. */
export declare function createDraw(seed: number | string): Draw;
