import * as tf from '@tensorflow/tfjs-core';
import { rmsNorm } from '../../../src/core/norm.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [{ weight: tf.Tensor1D }, tf.Tensor, number];

/** A mean other than 0; `eps` is of the size of the squares, so that its place shows. */
function inputs(draw: Draw, batch: number, length: number, width: number, eps: number): Args {
  return [{ weight: draw.gain(width) }, draw.normal([batch, length, width], { mean: 0.7 }), eps];
}

const meanSquare = (x: tf.Tensor): tf.Tensor => tf.mean(tf.square(x), -1, true);

export default defineExercise<Args>({
  id: 't5/rms-norm',
  title: 'A norm without mean and shift',
  points: 1,
  entry: 't5Norm',
  difficulty: 1,
  minutes: 10,
  signature:
    't5Norm(params: {weight: tf.Tensor1D /* [D] */}, x: tf.Tensor /* [B, T, D] */, eps: number): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'x', 'eps'],
  tolerance: { absolute: 1e-5, relative: 1e-5, reason: 'a mean over D and a root in float32' },
  reference: rmsNorm,
  variants: [
    {
      name: 'with the norm of the vector',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => {
          const width = x.shape.at(-1) ?? 1;
          const root = tf.sqrt(tf.add(tf.div(tf.sum(tf.mul(x, x), -1, true), width), eps));
          return tf.mul(weight, tf.div(x, root));
        }),
    },
  ],
  mutants: [
    {
      id: 'mean-subtracted',
      diagnosis:
        'The mean is subtracted. That is layer norm; RMS norm divides by the root of the mean square, no more.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => {
          const centred = tf.sub(x, tf.mean(x, -1, true));
          return tf.mul(weight, tf.div(centred, tf.sqrt(tf.add(meanSquare(centred), eps))));
        }),
    },
    {
      id: 'variance',
      diagnosis:
        'x is divided by the standard deviation, from which the mean is subtracted. Take the mean of the squares of x itself.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => {
          const centred = tf.sub(x, tf.mean(x, -1, true));
          return tf.mul(weight, tf.div(x, tf.sqrt(tf.add(meanSquare(centred), eps))));
        }),
    },
    {
      id: 'eps-outside',
      diagnosis: 'eps is added after the root. It belongs under the root.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(weight, tf.div(x, tf.add(tf.sqrt(meanSquare(x)), eps)))),
    },
    {
      id: 'eps-missing',
      diagnosis: 'eps is not used: a vector of zeros would be divided by 0. Add it under the root.',
      implementation: ({ weight }, x) => tf.tidy(() => tf.mul(weight, tf.div(x, tf.sqrt(meanSquare(x))))),
    },
    {
      id: 'sum-of-squares',
      diagnosis: 'The squares are summed, so the result shrinks with D. Take their mean.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(weight, tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), -1, true), eps))))),
    },
    {
      id: 'weight-forgotten',
      diagnosis: 'The weight is not used. Multiply the normed vector by it.',
      implementation: (_, x, eps) => tf.tidy(() => tf.div(x, tf.sqrt(tf.add(meanSquare(x), eps)))),
    },
    {
      id: 'no-root',
      diagnosis: 'x is divided by the mean square itself. Take its root.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(weight, tf.div(x, tf.add(meanSquare(x), eps)))),
    },
    {
      id: 'over-tokens',
      diagnosis: 'The mean runs over the tokens. Every token is normed by itself: over the last axis.',
      implementation: ({ weight }, x, eps) =>
        tf.tidy(() => tf.mul(weight, tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), 1, true), eps))))),
    },
  ],
  cases: [
    { name: 'two texts', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 6, 0.05) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 4, 10, 0.02) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Layer norm does four things: it subtracts, divides, multiplies and shifts. RMS norm keeps two.',
    'x [B, T, D] → mean of the squares over the last axis, kept, [B, T, 1] → plus eps → root → x divided by it [B, T, D] → times weight [D].',
    'y = w · x / √(mean(x²) + eps). Zhang and Sennrich, 2019, "Root mean square layer normalization", equation 4; Raffel et al., 2020, section 2.1: the activations are only rescaled, with no additive bias.',
  ],
});
