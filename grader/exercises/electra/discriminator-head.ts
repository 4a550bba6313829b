import * as tf from '@tensorflow/tfjs-core';
import { gelu, geluTanh, type LinearParams, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  dense: LinearParams;
  prediction: LinearParams;
}

type Args = [Params, tf.Tensor];

function inputs(draw: Draw, batch: number, length: number, width: number): Args {
  const dense = (rows: number): LinearParams => ({
    weight: draw.normal([rows, width], { std: 1 / Math.sqrt(width) }).as2D(rows, width),
    bias: draw.shift(rows),
  });
  return [{ dense: dense(width), prediction: dense(1) }, draw.normal([batch, length, width], { std: 1.5 })];
}

const score = (params: Params, inner: tf.Tensor): tf.Tensor =>
  tf.squeeze(linear(params.prediction, inner), [2]);

export default defineExercise<Args>({
  id: 'electra/discriminator-head',
  title: 'The discriminator head',
  points: 1,
  entry: 'discriminatorHead',
  difficulty: 1,
  minutes: 10,
  signature:
    'discriminatorHead(params: {dense: LinearParams; prediction: LinearParams /* D → 1 */}, hidden: tf.Tensor /* [B, T, D] */): tf.Tensor  // [B, T]',
  parameters: ['params', 'hidden'],
  tolerance: {
    absolute: 1e-5,
    relative: 1e-5,
    reason: 'two products over D in float32; the two GELUs are 4.7e-4 apart',
  },
  reference: (params, hidden) => tf.tidy(() => score(params, gelu(linear(params.dense, hidden)))),
  variants: [
    {
      name: 'the last product as a weighted sum',
      implementation: (params, hidden) =>
        tf.tidy(() => {
          const inner = gelu(linear(params.dense, hidden));
          const weight = tf.reshape(params.prediction.weight, [-1]);
          return tf.add(tf.sum(tf.mul(inner, weight), -1), params.prediction.bias ?? 0);
        }),
    },
  ],
  mutants: [
    {
      id: 'probabilities',
      diagnosis: 'A sigmoid is applied. The head returns logits; the loss takes the sigmoid.',
      implementation: (params, hidden) =>
        tf.tidy(() => tf.sigmoid(score(params, gelu(linear(params.dense, hidden))))),
    },
    {
      id: 'no-activation',
      diagnosis: 'The GELU between the two layers is missing.',
      implementation: (params, hidden) => tf.tidy(() => score(params, linear(params.dense, hidden))),
    },
    {
      id: 'tanh',
      diagnosis: 'The activation is tanh. ELECTRA has a GELU there.',
      implementation: (params, hidden) => tf.tidy(() => score(params, tf.tanh(linear(params.dense, hidden)))),
    },
    {
      id: 'gelu-tanh',
      diagnosis: 'The GELU is the approximation with tanh. ELECTRA uses the exact one.',
      implementation: (params, hidden) =>
        tf.tidy(() => score(params, geluTanh(linear(params.dense, hidden)))),
    },
    {
      id: 'dense-skipped',
      diagnosis: 'The dense layer is skipped: dense, GELU, prediction.',
      implementation: (params, hidden) => tf.tidy(() => score(params, gelu(hidden))),
    },
    {
      id: 'axis-kept',
      diagnosis:
        'The result has the shape [B, T, 1]. There is one number for each token: squeeze the last axis.',
      implementation: (params, hidden) =>
        tf.tidy(() => linear(params.prediction, gelu(linear(params.dense, hidden)))),
    },
    {
      id: 'first-token-only',
      diagnosis:
        'Only the first token is judged. Every token gets a number: that is where ELECTRA learns more from a text than BERT.',
      implementation: (params, hidden) =>
        tf.tidy(() => {
          const all = score(params, gelu(linear(params.dense, hidden)));
          return tf.add(tf.slice(all, [0, 0], [-1, 1]), tf.zerosLike(all));
        }),
    },
  ],
  cases: [
    { name: 'two rows', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 6) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 7, 10) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'One number for each token. Which layer makes one number of D?',
    'hidden [B, T, D] → dense [B, T, D] → gelu → prediction [B, T, 1] → squeeze the last axis → [B, T].',
    'z = wᵀ·GELU(W·h + b) + c for each token; D(x, t) = sigmoid(z). Clark et al., 2020, "ELECTRA", section 2; the dense layer is in the released code.',
  ],
});
