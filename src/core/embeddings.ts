import * as tf from '@tensorflow/tfjs-core';

export interface EmbedOptions {
  /** looking this row up teaches it nothing, as `padding_idx` of PyTorch's Embedding */
  paddingId?: number | undefined;
}

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
export function embed(table: tf.Tensor, ids: tf.Tensor, { paddingId }: EmbedOptions = {}): tf.Tensor {
  if (ids.dtype !== 'int32') throw new TypeError(`embed: ids must be int32, got ${ids.dtype}`);
  const [rows = 0, width = 0] = table.shape;
  const lookUp = tf.customGrad<tf.Tensor>((...inputs) => {
    const save = inputs.at(-1);
    const flat: tf.Tensor1D = tf.reshape(ids, [-1]);
    if (typeof save === 'function') save([flat]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
      const used: tf.Tensor1D = tf.reshape(saved[0] ?? flat, [-1]);
      const perUse: tf.Tensor2D = tf.reshape(dy, [-1, width]);
      if (paddingId === undefined) return tf.unsortedSegmentSum(perUse, used, rows);
      const counted = tf.cast(tf.notEqual(used, tf.scalar(paddingId, 'int32')), 'float32');
      return tf.unsortedSegmentSum(tf.mul<tf.Tensor2D>(perUse, tf.expandDims(counted, 1)), used, rows);
    };
    return { value: tf.gather(table, ids), gradFunc };
  });
  return tf.tidy(() => lookUp(table));
}
