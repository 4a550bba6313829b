import * as tf from '@tensorflow/tfjs-core';
import { type LinearParams, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  dense: LinearParams;
  output: LinearParams;
}

type Args = [Params, tf.Tensor];

function inputs(draw: Draw, batch: number, length: number, width: number, labels: number): Args {
  const dense = (rows: number): LinearParams => ({
    weight: draw.normal([rows, width], { std: 0.5 }).as2D(rows, width),
    bias: draw.shift(rows),
  });
  return [{ dense: dense(width), output: dense(labels) }, draw.normal([batch, length, width])];
}

const first = (states: tf.Tensor): tf.Tensor => tf.squeeze(tf.slice(states, [0, 0, 0], [-1, 1, -1]), [1]);

const classify = (params: Params, state: tf.Tensor): tf.Tensor =>
  linear(params.output, tf.tanh(linear(params.dense, state)));

export default defineExercise<Args>({
  id: 'roberta/classification-head',
  title: 'A classifier on the first token',
  points: 1,
  entry: 'classificationHead',
  difficulty: 1,
  minutes: 10,
  signature:
    'classificationHead(params: {dense: LinearParams; output: LinearParams}, hidden: tf.Tensor /* [B, T, D] */): tf.Tensor  // [B, labels]',
  parameters: ['params', 'hidden'],
  tolerance: { ...FLOAT32, reason: 'two products over D and a tanh in float32' },
  reference: (params, hidden) => tf.tidy(() => classify(params, first(hidden))),
  variants: [
    {
      name: 'all positions classified, the first taken',
      implementation: (params, hidden) => tf.tidy(() => first(classify(params, hidden))),
    },
  ],
  mutants: [
    {
      id: 'leftover-pooler',
      diagnosis:
        "There is a pooler before the head, as in BERT: the state passes a dense layer and tanh twice. RoBERTa's head has its own; it takes the first token's state as it is.",
      implementation: (params, hidden) =>
        tf.tidy(() => classify(params, tf.tanh(linear(params.dense, first(hidden))))),
    },
    {
      id: 'mean-of-the-tokens',
      diagnosis: 'The states of all tokens are averaged. Only the first one, <s>, is used.',
      implementation: (params, hidden) => tf.tidy(() => classify(params, tf.mean(hidden, 1))),
    },
    {
      id: 'last-token',
      diagnosis: 'The last token is classified. RoBERTa uses the first, <s>.',
      implementation: (params, hidden) => tf.tidy(() => classify(params, first(tf.reverse(hidden, 1)))),
    },
    {
      id: 'no-tanh',
      diagnosis: 'The tanh between the two layers is missing; without it they amount to one.',
      implementation: (params, hidden) =>
        tf.tidy(() => linear(params.output, linear(params.dense, first(hidden)))),
    },
    {
      id: 'dense-skipped',
      diagnosis: 'The dense layer is skipped. The head is dense, tanh, output.',
      implementation: (params, hidden) => tf.tidy(() => linear(params.output, tf.tanh(first(hidden)))),
    },
    {
      id: 'probabilities',
      diagnosis: 'A softmax is applied. The head returns logits; the loss takes the softmax.',
      implementation: (params, hidden) => tf.tidy(() => tf.softmax(classify(params, first(hidden)))),
    },
  ],
  cases: [
    { name: 'three labels', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 6, 3) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 4, 3, 10, 5) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'BERT has a pooler before its classifier. What does RoBERTa have instead, now that there is no next-sentence task to train one?',
    'hidden [B, T, D] → first position [B, D] → dense [B, D] → tanh → output [B, labels].',
    'z = W₂·tanh(W₁·h₀ + b₁) + b₂. The head is in the released code of RoBERTa (Liu et al., 2019, section 5.1 on fine-tuning).',
  ],
});
