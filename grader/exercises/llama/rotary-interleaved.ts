import * as tf from '@tensorflow/tfjs-core';
import { rotateInterleaved } from '../../../src/core/index.ts';
import { defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';
import { ROTARY_TOLERANCE, type RotaryArgs, rotaryCases, rotaryMutants, rotate, tables } from './rotary.ts';

export default defineExercise<RotaryArgs>({
  id: 'llama/rotary-interleaved',
  title: 'Rotary positions, neighbours',
  points: 3,
  entry: 'rotateInterleaved',
  difficulty: 3,
  minutes: 25,
  signature:
    'rotateInterleaved(x: tf.Tensor4D /* [B, H, T, d] */, theta: number, start: number /* position of the first token */): tf.Tensor4D',
  parameters: ['x', 'theta', 'start'],
  tolerance: ROTARY_TOLERANCE,
  reference: (x, theta, start) => tf.tidy(() => rotateInterleaved(x, tables(x, theta, start))),
  variants: [{ name: 'partners gathered', implementation: (...args) => rotate(args, 'interleaved') }],
  mutants: rotaryMutants('interleaved'),
  cases: rotaryCases,
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'The same rotation as with halves. Only the two features of a pair are found elsewhere, and go back there.',
    'x [B, H, T, d] → [B, H, T, d/2, 2]: the last axis holds a pair; rotate with angles [T, d/2]; stack the two results on a new last axis and reshape to [B, H, T, d].',
    "(a, b) → (a·cos φ − b·sin φ, b·cos φ + a·sin φ) with φ = position·θ^(−2i/d). Su et al., 2021, section 3.2.2, equation 34. LLaMA's own checkpoints pair 2i with 2i + 1.",
  ],
});
