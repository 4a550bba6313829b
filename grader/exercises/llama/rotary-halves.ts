import * as tf from '@tensorflow/tfjs-core';
import { rotateHalves } from '../../../src/core/index.ts';
import { defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';
import { ROTARY_TOLERANCE, type RotaryArgs, rotaryCases, rotaryMutants, rotate, tables } from './rotary.ts';

export default defineExercise<RotaryArgs>({
  id: 'llama/rotary-halves',
  title: 'Rotary positions, halves',
  points: 3,
  entry: 'rotateHalves',
  difficulty: 3,
  minutes: 25,
  signature:
    'rotateHalves(x: tf.Tensor4D /* [B, H, T, d] */, theta: number, start: number /* position of the first token */): tf.Tensor4D',
  parameters: ['x', 'theta', 'start'],
  tolerance: ROTARY_TOLERANCE,
  reference: (x, theta, start) => tf.tidy(() => rotateHalves(x, tables(x, theta, start))),
  variants: [{ name: 'partners gathered', implementation: (...args) => rotate(args, 'halves') }],
  mutants: rotaryMutants('halves'),
  cases: rotaryCases,
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Each pair of features is a point in the plane. Position by position it turns about the origin. Which two features make a pair?',
    'first = x[…, 0 … d/2 − 1], second = x[…, d/2 … d − 1], each [B, H, T, d/2]; angles [T, d/2] = (start + t)·θ^(−2i/d); cos and sin of them broadcast; two rotated halves, put one after the other [B, H, T, d].',
    '(a, b) → (a·cos φ − b·sin φ, b·cos φ + a·sin φ) with φ = position·θ^(−2i/d). Su et al., 2021, section 3.2.2, equation 34. Hugging Face checkpoints pair i with i + d/2.',
  ],
});
