import * as tf from '@tensorflow/tfjs-core';

/**
 * Looks rows up in a table. The gradient adds up what comes back for every use of a row (the kernel behind it,
 * UnsortedSegmentSum, is registered by src/backends where a backend lacks it).
 *
 * Ids must lie in [0, V): not every backend checks, so callers check ids that come from outside.
 *
 * @param table [V, E]
 * @param ids int32 [...]
 * @returns [..., E]
 */
export function embed(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  if (ids.dtype !== 'int32') throw new TypeError(`embed: ids must be int32, got ${ids.dtype}`);
  return tf.gather(table, ids);
}
