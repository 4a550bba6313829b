import * as tf from '@tensorflow/tfjs-core';
import { type LayerNormParams, layerNorm } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [LayerNormParams, tf.Tensor, number];

const inputs = (draw: Draw, shape: readonly number[], eps: number, std = 1.5): Args => {
  const width = shape.at(-1) ?? 1;
  return [{ weight: draw.gain(width), bias: draw.shift(width) }, draw.normal(shape, { mean: 0.7, std }), eps];
};

interface Rules {
  axis?: number;
  sample?: boolean;
  epsOutside?: boolean;
  centred?: boolean;
  gain?: boolean;
  shift?: boolean;
}

function norm([params, x, eps]: Args, rules: Rules = {}): tf.Tensor {
  const { axis = -1, sample = false, epsOutside = false, centred = true, gain = true, shift = true } = rules;
  return tf.tidy(() => {
    const size = x.shape.at(axis) ?? 1;
    const difference = tf.sub(x, tf.mean(x, axis, true));
    const squares = tf.sum(tf.square(difference), axis, true);
    const variance = tf.div(squares, sample ? size - 1 : size);
    const deviation = epsOutside ? tf.add(tf.sqrt(variance), eps) : tf.sqrt(tf.add(variance, eps));
    const normed = tf.div(centred ? difference : x, deviation);
    const scaled = gain ? tf.mul(normed, params.weight) : normed;
    return shift ? tf.add(scaled, params.bias) : scaled;
  });
}

export default defineExercise<Args>({
  id: 'architectures/layer-norm',
  title: 'Layer normalisation',
  points: 2,
  entry: 'layerNorm',
  difficulty: 2,
  minutes: 15,
  signature:
    'layerNorm(params: {weight: tf.Tensor1D; bias: tf.Tensor1D} /* [D] each */, x: tf.Tensor /* [..., D] */, eps: number): tf.Tensor  // [..., D]',
  parameters: ['params', 'x', 'eps'],
  tolerance: { ...FLOAT32, reason: 'two means and a root in float32, values near 1' },
  reference: (params, x, eps) => layerNorm(params, x, eps),
  variants: [
    { name: 'sums, a root and a division', implementation: (...args) => norm(args) },
    {
      name: 'the library function for moments',
      implementation: (params, x, eps) =>
        tf.tidy(() => {
          const { mean, variance } = tf.moments(x, -1, true);
          const factor = tf.mul(tf.rsqrt(tf.add(variance, eps)), params.weight);
          return tf.add(tf.mul(tf.sub(x, mean), factor), params.bias);
        }),
    },
  ],
  mutants: [
    {
      id: 'sample-variance',
      diagnosis: 'The variance is divided by D − 1. Layer norm takes the population variance: divide by D.',
      implementation: (...args) => norm(args, { sample: true }),
    },
    {
      id: 'eps-outside-the-root',
      diagnosis: 'eps is added after the root. It belongs inside: √(variance + eps).',
      implementation: (...args) => norm(args, { epsOutside: true }),
    },
    {
      id: 'wrong-axis',
      diagnosis:
        'Mean and variance are taken over the positions. Each vector is normalised by itself: over the last axis.',
      implementation: (...args) => norm(args, { axis: -2 }),
    },
    {
      id: 'mean-kept',
      diagnosis:
        'The mean is not subtracted. (That, with the mean of squares, is RMS norm: it comes later, with T5.)',
      implementation: (...args) => norm(args, { centred: false }),
    },
    {
      id: 'no-gain',
      diagnosis: 'The gain params.weight is not used.',
      implementation: (...args) => norm(args, { gain: false }),
    },
    {
      id: 'no-shift',
      diagnosis: 'The shift params.bias is not added.',
      implementation: (...args) => norm(args, { shift: false }),
    },
    {
      id: 'eps-fixed',
      diagnosis: 'eps is always 1e-5. Use the one that is given: BERT has 1e-12, GPT-2 1e-5.',
      implementation: (params: LayerNormParams, x: tf.Tensor, _eps: number) => norm([params, x, 1e-5]),
    },
  ],
  cases: [
    { name: 'a batch of sequences', visibility: 'public', inputs: (draw) => inputs(draw, [2, 5, 6], 1e-12) },
    { name: 'a large eps', visibility: 'public', inputs: (draw) => inputs(draw, [3, 4, 7], 0.5) },
    { name: 'a matrix', visibility: 'hidden', inputs: (draw) => inputs(draw, [9, 4], 1e-6) },
    {
      name: 'small numbers',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [2, 3, 8], 1e-3, 0.05),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Which numbers are averaged: those of one token, or those of one feature over all tokens?',
    'x [..., D] → mean [..., 1] → x − mean [..., D] → mean of its squares [..., 1] → + eps → root → quotient [..., D] → · weight [D] + bias [D].',
    'y = γ · (x − μ)/√(σ² + ε) + β, with μ and σ² the mean and population variance over the last axis. Ba, Kiros and Hinton, 2016, "Layer normalization", equation 4.',
  ],
});
