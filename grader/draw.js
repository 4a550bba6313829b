/** What a case draws its inputs with: tensors filled from a seed, the same numbers on every backend. */
import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../src/core/random.js';
/** A `Draw` on the stream of the seed. */
export function createDraw(seed) {
  const rng = createRng(seed);
  const fill = (shape, next) => Float32Array.from({ length: shape.reduce((size, n) => size * n, 1) }, next);
  const integer = (low, high) => low + rng.integer(high - low);
  return {
    rng,
    normal: (shape, { mean = 0, std = 1 } = {}) =>
      tf.tensor(
        fill(shape, () => mean + std * rng.normal()),
        [...shape],
      ),
    uniform: (shape, low, high) =>
      tf.tensor(
        fill(shape, () => low + (high - low) * rng.next()),
        [...shape],
      ),
    integers: (shape, low, high) =>
      tf.tensor(Int32Array.from(fill(shape, () => integer(low, high))), [...shape], 'int32'),
    gain: (size) =>
      tf.tensor1d(fill([size], () => (rng.next() < 0.5 ? -1 : 1) * (0.1 + 0.4 * rng.next()) + 1)),
    shift: (size) => tf.tensor1d(fill([size], () => (rng.next() < 0.5 ? -1 : 1) * (0.1 + 0.4 * rng.next()))),
    mask: (batch, length) => {
      const lengths = Array.from({ length: batch }, (_, row) => (row === 0 ? length : integer(1, length)));
      const values = lengths.flatMap((n) => Array.from({ length }, (_, i) => (i < n ? 1 : 0)));
      return tf.tensor2d(values, [batch, length], 'int32');
    },
    pick: (items) => items[rng.integer(items.length)] ?? items[0],
  };
}
