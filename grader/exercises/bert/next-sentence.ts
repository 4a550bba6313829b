import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy, type LinearParams, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

/** Both classes among the labels, in different numbers. */
function inputs(draw: Draw, batch: number, width: number): [LinearParams, tf.Tensor, tf.Tensor] {
  const labels = Array.from({ length: batch }, (_, row) =>
    row === 0 ? 0 : row < 3 ? 1 : draw.rng.integer(2),
  );
  return [
    { weight: draw.normal([2, width], { std: 0.5 }), bias: draw.shift(2) },
    draw.uniform([batch, width], -1, 1),
    tf.tensor1d(labels, 'int32'),
  ];
}

const column = (logits: tf.Tensor, index: number): tf.Tensor =>
  tf.squeeze(tf.slice(tf.softmax(logits), [0, index], [-1, 1]), [1]);

/** The result, with what the mutants change as arguments. */
const result = (
  logits: tf.Tensor,
  labels: tf.Tensor,
  { isNext = 0, loss = crossEntropy(logits, labels) }: { isNext?: number; loss?: tf.Tensor } = {},
): { logits: tf.Tensor; isNext: tf.Tensor; loss: tf.Tensor } => ({
  logits,
  isNext: column(logits, isNext),
  loss,
});

export default defineExercise({
  id: 'bert/next-sentence',
  title: 'The next-sentence head',
  points: 2,
  entry: 'nextSentence',
  difficulty: 2,
  minutes: 15,
  signature:
    'nextSentence(params: LinearParams, pooled: tf.Tensor /* [B, D] */, labels: tf.Tensor /* int32 [B], 0 = is next */): {logits: tf.Tensor /* [B, 2] */; isNext: tf.Tensor /* [B] */; loss: tf.Scalar}',
  parameters: ['params', 'pooled', 'labels'],
  tolerance: { ...FLOAT32, reason: 'one product over D, a softmax over two, a mean' },
  reference: (params: LinearParams, pooled: tf.Tensor, labels: tf.Tensor) =>
    tf.tidy(() => result(linear(params, pooled), labels)),
  variants: [
    {
      name: 'a sigmoid of the difference of the two logits',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => {
          const logits = linear(params, pooled);
          const [next, random] = tf.unstack(logits, 1);
          if (next === undefined || random === undefined) throw new Error('expected two logits');
          const isNext = tf.sigmoid(tf.sub(next, random));
          const target = tf.cast(tf.equal(labels, 0), 'float32');
          const chosen = tf.add(tf.mul(target, isNext), tf.mul(tf.sub(1, target), tf.sub(1, isNext)));
          return { logits, isNext, loss: tf.neg(tf.mean(tf.log(chosen))) };
        }),
    },
  ],
  mutants: [
    {
      id: 'label-reversed',
      diagnosis:
        'The classes are reversed: isNext is the probability of class 1. In BERT 0 means "is the next sentence", so isNext is column 0 of the softmax.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => result(linear(params, pooled), labels, { isNext: 1 })),
    },
    {
      id: 'loss-with-reversed-labels',
      diagnosis:
        'The loss takes 1 for "is next". Use the labels as they are: they name the column of the logits.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => {
          const logits = linear(params, pooled);
          return result(logits, labels, { loss: crossEntropy(logits, tf.sub(tf.onesLike(labels), labels)) });
        }),
    },
    {
      id: 'independent-sigmoids',
      diagnosis:
        'The two logits go through a sigmoid each. They are two classes of one choice: a softmax over the last axis makes them sum to 1.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => {
          const logits = linear(params, pooled);
          return {
            logits,
            isNext: tf.squeeze(tf.slice(tf.sigmoid(logits), [0, 0], [-1, 1]), [1]),
            loss: crossEntropy(logits, labels),
          };
        }),
    },
    {
      id: 'softmax-over-the-batch',
      diagnosis: 'The softmax runs over the batch. It must run over the two classes, the last axis.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => {
          const logits = linear(params, pooled);
          const overBatch = tf.transpose(tf.softmax(tf.transpose(logits)));
          return {
            logits,
            isNext: tf.squeeze(tf.slice(overBatch, [0, 0], [-1, 1]), [1]),
            loss: crossEntropy(logits, labels),
          };
        }),
    },
    {
      id: 'loss-summed',
      diagnosis:
        'The losses of the pairs are summed. Take their mean, so that the loss does not grow with the batch.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => {
          const logits = linear(params, pooled);
          return result(logits, labels, { loss: tf.mul(crossEntropy(logits, labels), labels.size) });
        }),
    },
    {
      id: 'no-bias',
      diagnosis: 'The bias of the head is left out.',
      implementation: (params, pooled, labels) =>
        tf.tidy(() => result(linear({ weight: params.weight }, pooled), labels)),
    },
  ],
  cases: [
    { name: 'five pairs', visibility: 'public', inputs: (draw) => inputs(draw, 5, 6) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 7, 10) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'It is a classifier with two classes. Which of the two columns belongs to label 0?',
    'pooled [B, D] → linear → logits [B, 2] → softmax over the last axis → column 0 [B]; the loss is one number: the mean of −log softmax(logits)[label].',
    'p = softmax(W·pooled + b); isNext = p₀; L = −mean log p[label]. Devlin et al., 2019, "BERT", section 3.1, task 2; that 0 stands for IsNext is a convention of the released code.',
  ],
});
