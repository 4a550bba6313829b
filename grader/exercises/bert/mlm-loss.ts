import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

const IGNORED = -100;

/** −log p(label) of every position, with 0 in place of labels that are ignored. [B, T] */
function losses(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const vocabulary = logits.shape.at(-1) ?? 0;
  const chosen = tf.cast(tf.oneHot(tf.cast(tf.maximum(labels, 0), 'int32'), vocabulary), 'float32');
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), chosen), -1));
}

const weightsOf = (labels: tf.Tensor): tf.Tensor => tf.cast(tf.notEqual(labels, IGNORED), 'float32');

/** Few labels, in different numbers a row, so that a mean over rows or over all positions gives something else. */
function inputs(
  draw: Draw,
  {
    batch,
    length,
    vocabulary,
    scale = 1,
  }: { batch: number; length: number; vocabulary: number; scale?: number },
): [tf.Tensor, tf.Tensor] {
  const labels = Array.from({ length: batch }, (_, row) => {
    const places = 1 + ((row * 2) % Math.max(1, length - 2));
    return Array.from({ length }, (_, i) => (i < places ? draw.rng.integer(vocabulary) : IGNORED)).map(
      (label, i, all) =>
        // Labels not only at the beginning of a row.
        i % 2 === 0 ? label : (all[length - 1 - i] ?? label),
    );
  });
  return [
    draw.normal([batch, length, vocabulary], { std: scale }),
    tf.tensor2d(labels, [batch, length], 'int32'),
  ];
}

export default defineExercise({
  id: 'bert/mlm-loss',
  title: 'The masked-LM loss',
  points: 2,
  entry: 'maskedLmLoss',
  difficulty: 2,
  minutes: 20,
  signature:
    'maskedLmLoss(logits: tf.Tensor /* [B, T, V] */, labels: tf.Tensor /* int32 [B, T], -100 = not predicted */): tf.Scalar',
  parameters: ['logits', 'labels'],
  tolerance: { ...FLOAT32, reason: 'a log-softmax over V and a mean, in float32' },
  reference: (logits: tf.Tensor, labels: tf.Tensor) => crossEntropy(logits, labels),
  variants: [
    {
      name: 'log-sum-exp minus the chosen logit',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const vocabulary = logits.shape.at(-1) ?? 0;
          const oneHot = tf.cast(tf.oneHot(tf.cast(tf.relu(labels), 'int32'), vocabulary), 'float32');
          const each = tf.sub(tf.logSumExp(logits, -1), tf.sum(tf.mul(logits, oneHot), -1));
          const weights = weightsOf(labels);
          return tf.div(tf.sum(tf.mul(each, weights)), tf.sum(weights));
        }),
    },
  ],
  mutants: [
    {
      id: 'mask-after-the-mean',
      diagnosis:
        "The mask is multiplied into a loss that is already averaged over all positions: too late to leave anything out. Multiply each position's loss by its weight, then sum, then divide.",
      implementation: (logits, labels) =>
        tf.tidy(() => tf.mean(tf.mul(tf.mean(losses(logits, labels)), weightsOf(labels)))),
    },
    {
      id: 'ignored-labels-counted',
      diagnosis:
        "Positions labelled −100 are counted as if their label were token 0. Give each position's loss a weight, 0 there and 1 elsewhere, before you sum, and divide by the sum of the weights.",
      implementation: (logits, labels) => tf.tidy(() => tf.mean(losses(logits, labels))),
    },
    {
      id: 'mean-over-all-positions',
      diagnosis:
        'The sum is divided by the number of all positions. Divide by the number of positions that have a label, or the loss shrinks with every token that is not masked.',
      implementation: (logits, labels) =>
        tf.tidy(() => tf.mean(tf.mul(losses(logits, labels), weightsOf(labels)))),
    },
    {
      id: 'sum-not-mean',
      diagnosis: 'The loss is the sum over the labelled positions. Divide it by their number.',
      implementation: (logits, labels) =>
        tf.tidy(() => tf.sum(tf.mul(losses(logits, labels), weightsOf(labels)))),
    },
    {
      id: 'mean-of-row-means',
      diagnosis:
        'Every row is averaged by itself and then the rows are averaged, so a label counts more in a row with few. Divide the sum over the whole batch by the labels of the whole batch.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const weights = weightsOf(labels);
          return tf.mean(tf.div(tf.sum(tf.mul(losses(logits, labels), weights), 1), tf.sum(weights, 1)));
        }),
    },
    {
      id: 'sign',
      diagnosis:
        'The sign is wrong: the loss is minus the log-probability, a number above 0 that training makes smaller.',
      implementation: (logits, labels) => tf.tidy(() => tf.neg(crossEntropy(logits, labels))),
    },
    {
      id: 'probabilities-taken-for-logits',
      diagnosis: 'A softmax is applied before the log-softmax. The logits go into it as they are.',
      implementation: (logits, labels) => tf.tidy(() => crossEntropy(tf.softmax(logits), labels)),
    },
    {
      id: 'log-base-two',
      diagnosis: 'The logarithm has base 2. Cross entropy here is in nats: the natural logarithm.',
      implementation: (logits, labels) => tf.tidy(() => tf.div(crossEntropy(logits, labels), Math.LN2)),
    },
  ],
  cases: [
    {
      name: 'three rows',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 3, length: 7, vocabulary: 11 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 4, length: 9, vocabulary: 23 }),
    },
    {
      name: 'large logits',
      visibility: 'hidden',
      tolerance: {
        absolute: 1e-4,
        relative: 1e-5,
        reason: 'losses near 100, of which float32 keeps 7 digits',
      },
      inputs: (draw) => inputs(draw, { batch: 2, length: 6, vocabulary: 13, scale: 60 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Most positions have nothing to predict. How do they stay out of the sum, and out of the number it is divided by?',
    'logits [B, T, V] → logSoftmax [B, T, V] → at the label [B, T] (one-hot of max(label, 0), multiplied and summed over V) → times weights [B, T] (1 where label ≠ −100) → one sum → divided by the sum of the weights.',
    'L = −Σ w·log softmax(z)[y] / Σ w, with w = 1 where y ≠ −100 and 0 elsewhere. Devlin et al., 2019, section 3.1, task 1: only the chosen tokens are predicted. The log-softmax, not log of a softmax, keeps large logits finite.',
  ],
});
