import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, EXACT, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor3D, tf.Tensor3D, number];

function inputs(draw: Draw, batch: number, positions: number, vocabulary: number, temperature: number): Args {
  const shape: [number, number, number] = [batch, positions, vocabulary];
  return [
    draw.normal(shape, { std: 1.5 }).as3D(...shape),
    // Away from 0 and 1, where rounding alone would decide the logarithms.
    draw.uniform(shape, 0.001, 0.999).as3D(...shape),
    temperature,
  ];
}

const gumbel = (uniforms: tf.Tensor): tf.Tensor => tf.neg(tf.log(tf.neg(tf.log(uniforms))));
const largest = (scores: tf.Tensor): tf.Tensor => tf.argMax(scores, -1);

export default defineExercise<Args>({
  id: 'electra/gumbel-sample',
  title: 'Sampling with Gumbel noise',
  points: 2,
  entry: 'sampleTokens',
  difficulty: 2,
  minutes: 20,
  signature:
    'sampleTokens(logits: tf.Tensor3D /* [B, P, V] */, uniforms: tf.Tensor3D /* [B, P, V], in (0, 1) */, temperature: number): tf.Tensor2D  // int32 [B, P]',
  parameters: ['logits', 'uniforms', 'temperature'],
  tolerance: EXACT,
  reference: (logits, uniforms, temperature) =>
    tf.tidy(() => largest(tf.add(tf.div(logits, temperature), gumbel(uniforms)))),
  variants: [
    {
      name: 'log-probabilities instead of logits',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() =>
          largest(tf.sub(tf.logSoftmax(tf.div(logits, temperature)), tf.log(tf.neg(tf.log(uniforms))))),
        ),
    },
    {
      name: 'the smallest of exponential waiting times',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() =>
          tf.argMin(tf.div(tf.neg(tf.log(uniforms)), tf.softmax(tf.div(logits, temperature))), -1),
        ),
    },
  ],
  mutants: [
    {
      id: 'no-noise',
      diagnosis:
        'The most likely token is always taken: that is argmax, not sampling. Its mistakes are too few and too alike to teach the discriminator. Add Gumbel noise to the scores first.',
      implementation: (logits) => largest(logits),
    },
    {
      id: 'noise-sign',
      diagnosis: 'The noise has the wrong sign. Gumbel noise is −ln(−ln u), with a minus in front.',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() => largest(tf.sub(tf.div(logits, temperature), gumbel(uniforms)))),
    },
    {
      id: 'uniform-noise',
      diagnosis:
        'The uniform numbers are added as they are. Only −ln(−ln u) makes the largest score a draw from the softmax.',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() => largest(tf.add(tf.div(logits, temperature), uniforms))),
    },
    {
      id: 'one-logarithm',
      diagnosis: 'The noise is −ln u. It takes two logarithms: −ln(−ln u).',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() => largest(tf.sub(tf.div(logits, temperature), tf.log(uniforms)))),
    },
    {
      id: 'temperature-ignored',
      diagnosis: 'The temperature is not used. Divide the logits by it before the noise is added.',
      implementation: (logits, uniforms) => tf.tidy(() => largest(tf.add(logits, gumbel(uniforms)))),
    },
    {
      id: 'temperature-multiplied',
      diagnosis:
        'The logits are multiplied by the temperature. Divide: a high temperature flattens the distribution.',
      implementation: (logits, uniforms, temperature) =>
        tf.tidy(() => largest(tf.add(tf.mul(logits, temperature), gumbel(uniforms)))),
    },
  ],
  cases: [
    { name: 'a high temperature', visibility: 'public', inputs: (draw) => inputs(draw, 4, 9, 11, 2.5) },
    {
      name: 'a low temperature, other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 5, 12, 17, 0.4),
    },
    { name: 'temperature 1', visibility: 'hidden', inputs: (draw) => inputs(draw, 3, 14, 13, 1) },
  ],
  properties: [noLeak(), inputsUnchanged()],
  hints: [
    'Add the right kind of noise to the scores, and the place of the largest sum is a draw from their softmax. Which axis holds the candidates?',
    'logits [B, P, V] / temperature + (−ln(−ln uniforms)) [B, P, V] → tf.argMax over the last axis → int32 [B, P].',
    'argmaxᵢ(zᵢ/τ + gᵢ) with gᵢ = −ln(−ln uᵢ) is distributed as softmax(z/τ): the Gumbel-max trick (Gumbel, 1954; Maddison, Tarlow and Minka, 2014, "A* sampling"). ELECTRA samples so: Clark et al., 2020, section 3.1 and the released code.',
  ],
});
