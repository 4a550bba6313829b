import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor, number, tf.Tensor, boolean];

/** `uniforms` has x's shape: the numbers that decide, drawn outside so that the result is determined. */
const inputs = (draw: Draw, shape: readonly number[], rate: number, training: boolean): Args => [
  // Away from 0, so that what is dropped shows.
  tf.tidy(() => tf.add(draw.uniform(shape, 0.5, 2), 0)),
  rate,
  draw.uniform(shape, 0, 1),
  training,
];

const kept = (uniforms: tf.Tensor, rate: number): tf.Tensor =>
  tf.cast(tf.greaterEqual(uniforms, rate), 'float32');

export default defineExercise<Args>({
  id: 'architectures/dropout',
  title: 'Dropout, on only while training',
  points: 1,
  entry: 'dropout',
  difficulty: 1,
  minutes: 10,
  signature:
    'dropout(x: tf.Tensor, rate: number, uniforms: tf.Tensor /* like x, in [0, 1) */, training: boolean): tf.Tensor  // like x',
  parameters: ['x', 'rate', 'uniforms', 'training'],
  tolerance: { ...FLOAT32, reason: 'one product in float32' },
  // clone: the result of an exercise must be the function's own tensor.
  reference: (x, rate, uniforms, training) =>
    tf.tidy(() => (training ? tf.div(tf.mul(x, kept(uniforms, rate)), 1 - rate) : tf.clone(x))),
  variants: [
    {
      name: 'by choice; the input itself at evaluation',
      implementation: (x, rate, uniforms, training) => {
        if (!training) return x;
        return tf.tidy(() => tf.where(tf.less(uniforms, rate), tf.zerosLike(x), tf.mul(x, 1 / (1 - rate))));
      },
    },
  ],
  mutants: [
    {
      id: 'live-at-evaluation',
      diagnosis:
        'Dropout is on even though training is false. At evaluation x passes unchanged, or the model gives another answer each time.',
      implementation: (x, rate, uniforms) => tf.tidy(() => tf.div(tf.mul(x, kept(uniforms, rate)), 1 - rate)),
    },
    {
      id: 'not-scaled',
      diagnosis:
        'What is kept is not scaled up. Divide it by 1 − rate, so that the expected value stays that of x.',
      implementation: (x, rate, uniforms, training) =>
        tf.tidy(() => (training ? tf.mul(x, kept(uniforms, rate)) : tf.clone(x))),
    },
    {
      id: 'keeps-what-it-should-drop',
      diagnosis:
        'The share `rate` is kept and the rest dropped. An element is dropped where its uniform number is below rate.',
      implementation: (x, rate, uniforms, training) =>
        tf.tidy(() =>
          training ? tf.div(tf.mul(x, tf.sub(1, kept(uniforms, rate))), 1 - rate) : tf.clone(x),
        ),
    },
    {
      id: 'scaled-by-rate',
      diagnosis: 'What is kept is divided by rate. Divide by the share that is kept, 1 − rate.',
      implementation: (x, rate, uniforms, training) =>
        tf.tidy(() => (training ? tf.div(tf.mul(x, kept(uniforms, rate)), rate) : tf.clone(x))),
    },
    {
      id: 'scaled-at-evaluation',
      diagnosis:
        'At evaluation x is multiplied by 1 − rate and in training nothing is scaled: the original way to write dropout. Here the scaling happens in training, and evaluation is the identity.',
      implementation: (x, rate, uniforms, training) =>
        tf.tidy(() => (training ? tf.mul(x, kept(uniforms, rate)) : tf.mul(x, 1 - rate))),
    },
  ],
  cases: [
    { name: 'training', visibility: 'public', inputs: (draw) => inputs(draw, [3, 7], 0.3, true) },
    { name: 'evaluation', visibility: 'public', inputs: (draw) => inputs(draw, [3, 7], 0.3, false) },
    {
      name: 'another rate and shape',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [2, 4, 5], 0.8, true),
    },
    {
      name: 'evaluation, another rate',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, [2, 4, 5], 0.1, false),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'If a third of the numbers becomes 0, what happens to the sum of all, and how can the others make up for it?',
    'training: uniforms ≥ rate → 1, else 0 (like x) → times x → divided by (1 − rate). Not training: x.',
    'y = x · m/(1 − p), m = 1 with probability 1 − p. Srivastava et al., 2014, "Dropout", section 10 (scaling while training).',
  ],
});
