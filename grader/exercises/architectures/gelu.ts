import * as tf from '@tensorflow/tfjs-core';
import { gelu, geluTanh } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Kind = 'erf' | 'tanh';
type Args = [tf.Tensor, Kind];

/** The two differ most, by 4.7e-4, near ±2.7: an even grid over [−4, 4] with a little noise always meets that place. */
const inputs = (draw: Draw, count: number, kind: Kind): Args => [
  tf.tensor1d(Array.from({ length: count }, (_, i) => -4 + (8 * (i + draw.rng.next())) / count)),
  kind,
];

const tanhForm = (x: tf.Tensor, constant = 0.044715, factor = Math.sqrt(2 / Math.PI)): tf.Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(tf.mul(factor, tf.add(x, tf.mul(constant, tf.pow(x, 3)))))));

export default defineExercise<Args>({
  id: 'architectures/gelu',
  title: 'GELU, exact and with tanh',
  points: 1,
  entry: 'gelu',
  difficulty: 1,
  minutes: 10,
  signature: "gelu(x: tf.Tensor, kind: 'erf' | 'tanh'): tf.Tensor  // like x",
  parameters: ['x', 'kind'],
  // The two forms are 4.7e-4 apart at most; 1e-5 tells them apart with room to spare.
  tolerance: {
    absolute: 5e-6,
    relative: 1e-6,
    reason: 'float32; the two forms differ by up to 4.7e-4 and must not pass for each other',
  },
  reference: (x, kind) => (kind === 'erf' ? gelu(x) : geluTanh(x)),
  variants: [
    {
      name: 'the tanh written as a sigmoid',
      implementation: (x, kind) =>
        tf.tidy(() => {
          if (kind === 'erf') return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1));
          const inner = tf.mul(
            2 * Math.sqrt(2 / Math.PI),
            tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))),
          );
          return tf.mul(x, tf.sigmoid(inner));
        }),
    },
  ],
  mutants: [
    {
      id: 'always-tanh',
      diagnosis: "The form with tanh is used for both kinds. 'erf' is the exact one: x·(1 + erf(x/√2))/2.",
      implementation: (x) => geluTanh(x),
    },
    {
      id: 'always-erf',
      diagnosis:
        "The exact form is used for both kinds. 'tanh' is the approximation that GPT-2 was trained with.",
      implementation: (x) => gelu(x),
    },
    {
      id: 'kinds-swapped',
      diagnosis: 'The two kinds are swapped.',
      implementation: (x, kind) => (kind === 'erf' ? geluTanh(x) : gelu(x)),
    },
    {
      id: 'root-two-forgotten',
      diagnosis: 'erf is taken of x. The normal distribution needs erf(x/√2).',
      implementation: (x, kind) =>
        kind === 'tanh' ? geluTanh(x) : tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(x)))),
    },
    {
      id: 'sigmoid-approximation',
      diagnosis: 'This is the approximation x·σ(1.702·x), a third form. It differs by up to 0.02.',
      implementation: (x) => tf.tidy(() => tf.mul(x, tf.sigmoid(tf.mul(1.702, x)))),
    },
    {
      id: 'half-forgotten',
      diagnosis:
        'The factor ½ is missing: for large x the result must come near x, and here it comes near 2x.',
      implementation: (x, kind) => tf.tidy(() => tf.mul(2, kind === 'erf' ? gelu(x) : geluTanh(x))),
    },
    {
      id: 'cube-forgotten',
      diagnosis: 'The term 0.044715·x³ inside the tanh is missing.',
      implementation: (x, kind) => (kind === 'erf' ? gelu(x) : tf.tidy(() => tanhForm(x, 0))),
    },
  ],
  cases: [
    { name: 'exact', visibility: 'public', inputs: (draw) => inputs(draw, 41, 'erf') },
    { name: 'with tanh', visibility: 'public', inputs: (draw) => inputs(draw, 41, 'tanh') },
    { name: 'exact, finer', visibility: 'hidden', inputs: (draw) => inputs(draw, 160, 'erf') },
    { name: 'with tanh, finer', visibility: 'hidden', inputs: (draw) => inputs(draw, 160, 'tanh') },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'GELU multiplies x with the probability that a normal variable is smaller than x. Which function of tf has that probability inside?',
    'x, any shape, element by element. erf: x · ½ · (1 + erf(x/√2)). tanh: x · ½ · (1 + tanh(√(2/π) · (x + 0.044715·x³))).',
    'GELU(x) = x·Φ(x). Hendrycks and Gimpel, 2016, "Gaussian error linear units", section 2: both forms.',
  ],
});
