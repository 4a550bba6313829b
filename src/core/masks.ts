import * as tf from '@tensorflow/tfjs-core';

/**
 * The bias of a score that must not count. Far below any score (|score| + MASKED = MASKED in float32, so exp gives 0 and
 * no "soft" leak is left, as −1e4 would leave), yet several of them still add up without reaching −Infinity.
 */
export const MASKED = -1e30;

/**
 * Turns a padding mask into an additive bias for every query of every head.
 *
 * @param attentionMask [B, S], 1 = token, 0 = padding
 * @returns [B, 1, 1, S], 0 for tokens and MASKED for padding
 */
export function paddingBias(attentionMask: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch = 0, length = 0] = attentionMask.shape;
    const hidden = tf.sub(tf.cast(attentionMask, 'float32'), 1); // −1 for padding
    return tf.reshape(tf.mul(hidden, -MASKED), [batch, 1, 1, length]);
  });
}

/**
 * The bias that hides the future. The last query stands at the last key, so with more keys than queries (a cache holds
 * the earlier ones) query i sees the keys up to i + S − T.
 *
 * @returns [1, 1, T, S], 0 where a query may look and MASKED where it may not
 */
export function causalBias(queryLength: number, keyLength: number): tf.Tensor4D {
  const bias = new Float32Array(queryLength * keyLength);
  for (let i = 0; i < queryLength; i++) {
    for (let j = Math.max(0, i + keyLength - queryLength + 1); j < keyLength; j++)
      bias[i * keyLength + j] = MASKED;
  }
  return tf.tensor4d(bias, [1, 1, queryLength, keyLength]);
}
