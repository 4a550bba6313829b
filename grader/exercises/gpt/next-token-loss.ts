import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy, tokenLosses } from '../../../src/core/index.ts';
import { nextTokenLoss } from '../../../src/models/causal.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor3D, tf.Tensor2D];

const IGNORED = -100;

/** Rows of different lengths, padded on the right with −100; the last label of the first row counts. */
function inputs(draw: Draw, batch: number, length: number, vocabulary: number, scale = 1.5): Args {
  const labels = Array.from({ length: batch }, (_, row) => {
    const tokens = length - ((row * 2) % Math.max(1, length - 3));
    return Array.from({ length }, (_, i) => (i < tokens ? draw.rng.integer(vocabulary) : IGNORED));
  });
  return [
    draw.normal([batch, length, vocabulary], { std: scale }).as3D(batch, length, vocabulary),
    tf.tensor2d(labels, [batch, length], 'int32'),
  ];
}

/** `count` positions of the second axis from `start`. */
const part = <T extends tf.Tensor>(x: T, start: number, count: number): T =>
  tf.slice(x, [0, start], [x.shape[0] ?? 0, count]);

/** The logits from `from` on against the labels from `to` on, as many as both have. */
function shifted(logits: tf.Tensor3D, labels: tf.Tensor2D, from: number, to: number): tf.Scalar {
  return tf.tidy(() => {
    const count = labels.shape[1] - Math.max(from, to);
    const predicted = tf.slice(logits, [0, from, 0], [labels.shape[0], count, logits.shape[2]]);
    return crossEntropy(predicted, part(labels, to, count));
  });
}

export default defineExercise<Args>({
  id: 'gpt/next-token-loss',
  title: 'The loss of the next token',
  points: 3,
  entry: 'nextTokenLoss',
  difficulty: 2,
  minutes: 20,
  signature:
    'nextTokenLoss(logits: tf.Tensor3D /* [B, T, V] */, labels: tf.Tensor2D /* int32 [B, T], the tokens themselves; -100 = not scored */): tf.Scalar',
  parameters: ['logits', 'labels'],
  tolerance: { ...FLOAT32, reason: 'a log-softmax over V and a mean, in float32' },
  reference: (logits, labels) => nextTokenLoss(logits, labels),
  variants: [
    {
      name: 'both cut by one position',
      implementation: (logits, labels) => shifted(logits, labels, 0, 1),
    },
    {
      name: 'a sum of losses divided by their number',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const [batch, length] = labels.shape;
          const next = tf.concat([part(labels, 1, length - 1), tf.fill([batch, 1], IGNORED, 'int32')], 1);
          const counted = tf.sum(tf.cast(tf.notEqual(next, IGNORED), 'float32'));
          return tf.div(tf.sum(tokenLosses(logits, next)), counted);
        }),
    },
  ],
  mutants: [
    {
      id: 'not-shifted',
      diagnosis:
        'Nothing is shifted: the logits at position t are scored with token t, which the model has just read. They must be scored with token t + 1.',
      implementation: (logits, labels) => crossEntropy(logits, labels),
    },
    {
      id: 'shifted-twice',
      diagnosis:
        'The labels are shifted twice: the logits at t are scored with token t + 2. The labels come unshifted; shift them by one position, here and nowhere else.',
      implementation: (logits, labels) => shifted(logits, labels, 0, 2),
    },
    {
      id: 'shifted-backwards',
      diagnosis:
        'The shift goes the wrong way: the logits at t are scored with token t − 1. Drop the first label and the last logits, not the other way round.',
      implementation: (logits, labels) => shifted(logits, labels, 1, 0),
    },
    {
      id: 'wraps-around',
      diagnosis:
        'The last position is scored with the first token of the row, as if the text were a ring. There is nothing to predict after the last token: leave it out.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const { shape } = labels;
          return crossEntropy(logits, tf.concat([part(labels, 1, shape[1] - 1), part(labels, 0, 1)], 1));
        }),
    },
    {
      id: 'ignored-labels-counted',
      diagnosis:
        'Positions labelled −100 are counted as if their label were token 0. They must leave both the sum and the number it is divided by.',
      implementation: (logits, labels) =>
        tf.tidy(() => shifted(logits, tf.cast(tf.maximum(labels, 0), 'int32'), 0, 1)),
    },
    {
      id: 'mean-over-all-positions',
      diagnosis:
        'The sum is divided by the number of all positions. Divide by the number of positions that have a label after the shift.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const count = labels.shape[1] - 1;
          return tf.mean(tokenLosses(part(logits, 0, count), part(labels, 1, count)));
        }),
    },
    {
      id: 'divided-by-unshifted-count',
      diagnosis:
        'The sum is divided by the number of labels before the shift. The first token of each row is predicted by nobody: it does not count.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const count = labels.shape[1] - 1;
          const sum = tf.sum(tokenLosses(part(logits, 0, count), part(labels, 1, count)));
          return tf.div(sum, tf.sum(tf.cast(tf.notEqual(labels, IGNORED), 'float32')));
        }),
    },
    {
      id: 'sum-not-mean',
      diagnosis:
        'The loss is the sum over the positions. Divide it by the number of those that have a label.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const count = labels.shape[1] - 1;
          return tf.sum(tokenLosses(part(logits, 0, count), part(labels, 1, count)));
        }),
    },
    {
      id: 'mean-of-row-means',
      diagnosis:
        'Every row is averaged by itself and then the rows are averaged, so a token counts more in a short row. Divide one sum by one count.',
      implementation: (logits, labels) =>
        tf.tidy(() => {
          const count = labels.shape[1] - 1;
          const next = part(labels, 1, count);
          const sums = tf.sum(tokenLosses(part(logits, 0, count), next), 1);
          return tf.mean(tf.div(sums, tf.sum(tf.cast(tf.notEqual(next, IGNORED), 'float32'), 1)));
        }),
    },
  ],
  cases: [
    {
      name: 'three rows, two padded',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 3, 7, 11),
    },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 4, 9, 17) },
    { name: 'sharper logits', visibility: 'hidden', inputs: (draw) => inputs(draw, 2, 6, 13, 4) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'The model has read tokens 0 … t when it writes the logits at position t. Which token do they speak of?',
    'logits [B, T, V] → without the last position [B, T − 1, V]; labels [B, T] → without the first [B, T − 1]; crossEntropy of the two leaves −100 out.',
    'L = −Σₜ log p(uₜ₊₁ | u₀ … uₜ) / N, with N the number of labels that count. Radford et al., 2018, equation 1 (there a sum, and a limited window).',
  ],
});
