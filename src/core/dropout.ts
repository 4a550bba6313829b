import * as tf from '@tensorflow/tfjs-core';
import type { Rng } from './random.ts';

/**
 * Sets a share `rate` of the elements to 0 and scales the rest by 1/(1 − rate), so that the expectation stays
 * (Srivastava et al., 2014, "Dropout", section 10: inverted dropout). Without `rng` it is the identity: evaluation.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, rng: Rng | undefined): T {
  if (rng === undefined || rate === 0) return x;
  if (!(rate > 0 && rate < 1)) throw new RangeError(`dropout: rate must lie in [0, 1), got ${rate}`);
  const keep = new Float32Array(x.size);
  const scale = 1 / (1 - rate);
  for (let i = 0; i < keep.length; i++) keep[i] = rng.next() < rate ? 0 : scale;
  return tf.tidy(() => tf.mul<T>(x, tf.tensor(keep, x.shape)));
}
