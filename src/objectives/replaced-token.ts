/** Replaced token detection: a generator fills in masked tokens, a discriminator finds them (Clark et al., 2020, §2). */

import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy, IGNORED } from '../core/losses.ts';
import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';

/** The weight of the discriminator's loss (Clark et al., 2020, eq. 5 and Appendix A: λ = 50). */
export const DISCRIMINATOR_WEIGHT = 50;

/** Standard Gumbel noise, −ln(−ln u) with u uniform on (0, 1). The caller disposes it. */
export function gumbelNoise(shape: readonly number[], rng: Rng): tf.Tensor {
  const size = shape.reduce((product, axis) => product * axis, 1);
  // (0, 1): neither logarithm is infinite.
  const values = Float32Array.from(
    { length: size },
    () => -Math.log(-Math.log(1e-9 + (1 - 2e-9) * rng.next())),
  );
  return tf.tensor(values, [...shape], 'float32');
}

/**
 * A draw from softmax(logits / temperature) for each position: the largest of logits / temperature + Gumbel noise
 * (Gumbel, 1954; Clark et al., 2020, §2). What comes out are ids: no gradient reaches the generator through them.
 *
 * @param logits [..., V]
 * @param noise [..., V] from `gumbelNoise`
 * @param temperature positive; towards 0 it becomes the likeliest token
 * @returns int32 [...]
 */
export function sampleWithGumbel(logits: tf.Tensor, noise: tf.Tensor, temperature = 1): tf.Tensor {
  if (!(temperature > 0))
    throw new InputError(`sampleWithGumbel: temperature must be positive, got ${temperature}`);
  if (logits.shape.join() !== noise.shape.join()) {
    throw new InputError(
      `sampleWithGumbel: logits [${logits.shape}] need noise as large, got [${noise.shape}]`,
    );
  }
  return tf.tidy(() => tf.argMax(tf.add(tf.div(logits, temperature), noise), -1));
}

/**
 * The discriminator's input and labels. A token counts as replaced only if it differs from the original: a generator
 * that guesses right has replaced nothing. No [MASK] is left.
 *
 * @param maskedIds int32 [B, T], the generator's input
 * @param labels int32 [B, T], the original token where one was masked, −100 elsewhere
 * @param sampled int32 [B, T], the generator's guesses; those at unmasked places are not looked at
 * @returns `inputIds` and `replaced` (1 = replaced), both int32 [B, T]
 */
export function corruptWithSamples(
  maskedIds: tf.Tensor,
  labels: tf.Tensor,
  sampled: tf.Tensor,
): { inputIds: tf.Tensor; replaced: tf.Tensor } {
  return tf.tidy(() => {
    const chosen = tf.notEqual(labels, IGNORED);
    const inputIds = tf.where(chosen, sampled, maskedIds);
    const replaced = tf.cast(tf.logicalAnd(chosen, tf.notEqual(sampled, labels)), 'int32');
    return { inputIds: tf.cast(inputIds, 'int32'), replaced };
  });
}

/**
 * The mean binary cross entropy over all tokens that are not padding, masked or not (Clark et al., 2020, eq. 4).
 *
 * @param logits [B, T], positive for "replaced"
 * @param replaced [B, T] of 0 and 1
 * @param attentionMask [B, T]
 */
export function discriminatorLoss(
  logits: tf.Tensor,
  replaced: tf.Tensor,
  attentionMask: tf.Tensor,
): tf.Scalar {
  return tf.tidy(() => {
    const weights = tf.cast(attentionMask, 'float32');
    // max(x, 0) − x·y + ln(1 + e^−|x|), which no x overflows.
    const losses = tf.add(
      tf.sub(tf.relu(logits), tf.mul(logits, tf.cast(replaced, 'float32'))),
      tf.log1p(tf.exp(tf.neg(tf.abs(logits)))),
    );
    return tf.div<tf.Scalar>(tf.sum(tf.mul(losses, weights)), tf.maximum(tf.sum(weights), 1));
  });
}

/**
 * ELECTRA's joint loss: the generator's masked-LM loss + λ · the discriminator's (Clark et al., 2020, eq. 5).
 *
 * @param generatorLogits [B, T, V]
 * @param labels int32 [B, T], −100 where nothing was masked
 * @param discriminatorLogits [B, T]
 */
export function replacedTokenLoss(
  outputs: { generatorLogits: tf.Tensor; discriminatorLogits: tf.Tensor },
  targets: { labels: tf.Tensor; replaced: tf.Tensor; attentionMask: tf.Tensor },
  weight = DISCRIMINATOR_WEIGHT,
): { loss: tf.Scalar; generator: tf.Scalar; discriminator: tf.Scalar } {
  const generator = crossEntropy(outputs.generatorLogits, targets.labels);
  const discriminator = discriminatorLoss(
    outputs.discriminatorLogits,
    targets.replaced,
    targets.attentionMask,
  );
  return { loss: tf.add<tf.Scalar>(generator, tf.mul(discriminator, weight)), generator, discriminator };
}
