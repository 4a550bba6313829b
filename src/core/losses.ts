/** The losses of the objectives: cross entropy with whole-number labels for nearly all of them. */

import * as tf from '@tensorflow/tfjs-core';
import { InputError } from '../errors.ts';
import { fusedCrossEntropy } from './fused.ts';

/** The label that takes no part in a loss: a token that was not masked, a prompt, padding. */
export const IGNORED = -100;

/**
 * The mean of −log softmax(logits)[label] over the labels that are not `IGNORED`, as PyTorch's
 * `CrossEntropyLoss(ignore_index=-100)`. Without a label to learn from it is 0.
 *
 * @param logits [..., V]
 * @param labels int32 [...], each in [0, V) or `IGNORED`
 * @returns a scalar
 */
export function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const counted = tf.cast(tf.notEqual(labels, IGNORED), 'float32');
    const total = tf.sum(tokenLosses(logits, labels));
    return tf.div<tf.Scalar>(total, tf.maximum(tf.sum(counted), 1));
  });
}

/**
 * −log softmax(logits)[label] of each token, and 0 where the label is `IGNORED`.
 *
 * @param logits [..., V]
 * @param labels int32 [...]
 * @returns [...]
 */
export function tokenLosses(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const classes = logits.shape.at(-1) ?? 0;
  if (logits.shape.slice(0, -1).join() !== labels.shape.join()) {
    throw new InputError(
      `cross entropy: logits [${logits.shape}] need labels [${logits.shape.slice(0, -1)}], got [${labels.shape}]`,
    );
  }
  // With its own gradient, softmax − one-hot, the backward pass is one expression instead of one for each step.
  const losses = tf.customGrad((...inputs) => {
    const save = inputs.at(-1);
    const counted = tf.cast(tf.notEqual(labels, IGNORED), 'float32');
    const chosen = tf.cast(tf.oneHot(tf.cast(tf.maximum(labels, 0), 'int32'), classes), 'float32');
    // The logits are saved, not what is made of them: so the gradient can be differentiated once more.
    if (typeof save === 'function') save([logits, chosen, counted]);
    const value = tf.mul(tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), chosen), -1)), counted);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
      const [scores, oneHot, weights] = saved;
      if (scores === undefined || oneHot === undefined || weights === undefined)
        throw new Error('nothing was saved');
      return tf.mul(tf.sub(tf.softmax(scores), oneHot), tf.expandDims(tf.mul(dy, weights), -1));
    };
    return { value, gradFunc };
  });
  return fusedCrossEntropy(logits, labels, IGNORED) ?? losses(logits);
}

/**
 * Mean binary cross entropy of logits z: log(1 + eᶻ) − z·y, which is −log σ(z) for y = 1 and −log(1 − σ(z)) for y = 0.
 *
 * @param logits [...]
 * @param targets float32 [...], in [0, 1]
 * @param weights [...], which elements count and how much; all alike unless given
 * @returns scalar
 */
export function binaryCrossEntropy(logits: tf.Tensor, targets: tf.Tensor, weights?: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const y = tf.cast(targets, 'float32');
    const each = tf.sub(tf.softplus(logits), tf.mul(logits, y));
    if (weights === undefined) return tf.mean<tf.Scalar>(each);
    const w = tf.cast(weights, 'float32');
    return tf.div<tf.Scalar>(tf.sum(tf.mul(each, w)), tf.maximum(tf.sum(w), 1e-12));
  });
}

/** Mean of (prediction − target)² over all elements. */
export function meanSquaredError(predictions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.mean<tf.Scalar>(tf.square(tf.sub(predictions, tf.cast(targets, 'float32')))));
}
