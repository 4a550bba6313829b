import * as tf from '@tensorflow/tfjs-core';
import { type RmsNormParams, rmsNorm } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [RmsNormParams, tf.Tensor, number];

const inputs = (draw: Draw, shape: [number, number, number], eps: number, std: number): Args => [
  { weight: draw.gain(shape[2]) },
  draw.normal(shape, { mean: 0.6 * std, std }),
  eps,
];
const meanSquare = (x: tf.Tensor): tf.Tensor => tf.mean(tf.square(x), -1, true);

export default defineExercise<Args>({
  id: 'llama/rms-norm',
  title: 'RMS norm',
  points: 2,
  entry: 'rmsNorm',
  difficulty: 1,
  minutes: 10,
  signature: 'rmsNorm(params: {weight /* [D] */}, x: tf.Tensor /* [B, T, D] */, eps: number): tf.Tensor',
  parameters: ['params', 'x', 'eps'],
  reference: (params, x, eps) => rmsNorm(params, x, eps),
  variants: [
    {
      name: 'a quotient by the root',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.div(tf.mul(weight, x), tf.sqrt(tf.add(meanSquare(x), eps)))),
    },
  ],
  mutants: [
    {
      id: 'eps-outside-the-root',
      diagnosis: 'eps is added to the root. It belongs under the root, beside the mean square.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(tf.div(x, tf.add(tf.sqrt(meanSquare(x)), eps)), weight)),
    },
    {
      id: 'eps-forgotten',
      diagnosis: 'eps is left out. It is added to the mean square, under the root.',
      implementation: ({ weight }, x) => tf.tidy(() => tf.mul(tf.div(x, tf.sqrt(meanSquare(x))), weight)),
    },
    {
      id: 'mean-subtracted',
      diagnosis: 'The mean is subtracted first, as in a layer norm. RMS norm only divides, it moves nothing.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => rmsNorm({ weight }, tf.sub(x, tf.mean(x, -1, true)), eps)),
    },
    {
      id: 'sum-of-squares',
      diagnosis: 'The squares are summed, not averaged. Divide their sum by D before the root.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), -1, true), eps))), weight)),
    },
    {
      id: 'root-forgotten',
      diagnosis: 'x is divided by the mean square itself. Divide by its root.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(tf.div(x, tf.add(meanSquare(x), eps)), weight)),
    },
    {
      id: 'gain-forgotten',
      diagnosis: 'The gains are left out. Multiply by params.weight, one gain for each of the D features.',
      implementation: (_, x, eps) => tf.tidy(() => tf.div(x, tf.sqrt(tf.add(meanSquare(x), eps)))),
    },
    {
      id: 'over-the-tokens',
      diagnosis:
        'The mean runs over the tokens. Each token is normalised for itself, over its D features: axis −1.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), 1, true), eps))), weight)),
    },
  ],
  cases: [
    { name: 'two rows', visibility: 'public', inputs: (draw) => inputs(draw, [2, 5, 6], 1e-2, 1) },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [3, 4, 10], 1e-3, 2),
    },
    { name: 'small values', visibility: 'hidden', inputs: (draw) => inputs(draw, [2, 3, 7], 0.3, 0.5) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'A layer norm with two things taken away: nothing is subtracted, and there is no shift.',
    'x [B, T, D] → square → mean over the last axis [B, T, 1] → + eps → root; x divided by it [B, T, D]; times weight [D].',
    'y = x / √(mean(x²) + eps) ⊙ weight. Zhang and Sennrich, 2019, equation 4; used in LLaMA, Touvron et al., 2023, section 2.2.',
  ],
});
