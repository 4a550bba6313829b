import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

/** Columns of different means and spreads, none of them 0 or 1. [N, D] */
function inputs(draw: Draw, rows: number, columns: number): [tf.Tensor] {
  return [
    tf.tidy(() => {
      const spread = tf.add(tf.range(0, columns), 2); // [D]
      return tf.add(tf.mul(draw.normal([rows, columns]), spread), draw.normal([columns], { mean: 3 }));
    }),
  ];
}

interface Rules {
  axis?: number;
  spread?: (centred: tf.Tensor, axis: number) => tf.Tensor;
}

const deviation = (centred: tf.Tensor, axis: number): tf.Tensor =>
  tf.sqrt(tf.mean(tf.square(centred), axis, true));

/** The table by the rules: what the mutants vary. */
function standardized(x: tf.Tensor, { axis = 0, spread = deviation }: Rules = {}): tf.Tensor {
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, axis, true));
    return tf.div(centred, spread(centred, axis));
  });
}

export default defineExercise<[tf.Tensor]>({
  id: 'start/standardize',
  title: 'Shapes and broadcasting: standardise a table',
  points: 1,
  entry: 'standardize',
  difficulty: 1,
  minutes: 10,
  signature: 'standardize(x: tf.Tensor /* [N, D] */): tf.Tensor  // [N, D]',
  parameters: ['x'],
  tolerance: { ...FLOAT32, reason: 'a mean, a root and a division in float32' },
  reference: (x) => standardized(x),
  variants: [
    {
      name: 'the spread from the mean of squares minus the square of the mean',
      implementation: (x) =>
        tf.tidy(() => {
          const { mean, variance } = tf.moments(x, 0);
          return tf.mul(tf.sub(x, mean), tf.rsqrt(variance));
        }),
    },
  ],
  mutants: [
    {
      id: 'rows-instead-of-columns',
      diagnosis:
        'Every row is standardised instead of every column. Axis 0 runs over the rows: take mean and spread along it.',
      implementation: (x) => standardized(x, { axis: 1 }),
    },
    {
      id: 'whole-table',
      diagnosis:
        'One mean and one spread are taken over the whole table. Each column needs its own: give the axis to tf.mean.',
      implementation: (x) =>
        tf.tidy(() => {
          const centred = tf.sub(x, tf.mean(x));
          return tf.div(centred, tf.sqrt(tf.mean(tf.square(centred))));
        }),
    },
    {
      id: 'not-centred',
      diagnosis: 'The mean is not subtracted: the columns have spread 1, but not mean 0.',
      implementation: (x) => tf.tidy(() => tf.div(x, deviation(tf.sub(x, tf.mean(x, 0, true)), 0))),
    },
    {
      id: 'not-scaled',
      diagnosis: 'The columns have mean 0, but are not divided by their standard deviation.',
      implementation: (x) => tf.tidy(() => tf.sub(x, tf.mean(x, 0, true))),
    },
    {
      id: 'divided-by-the-variance',
      diagnosis: 'The columns are divided by their variance. The standard deviation is its square root.',
      implementation: (x) =>
        standardized(x, { spread: (centred, axis) => tf.mean(tf.square(centred), axis, true) }),
    },
    {
      id: 'sample-deviation',
      diagnosis:
        'The variance is divided by N − 1. Here, and in every norm of this course, it is the mean of the squares: divided by N.',
      implementation: (x) =>
        standardized(x, {
          spread: (centred) =>
            tf.sqrt(tf.div(tf.sum(tf.square(centred), 0, true), (centred.shape[0] ?? 2) - 1)),
        }),
    },
  ],
  cases: [
    { name: 'six rows of three', visibility: 'public', inputs: (draw) => inputs(draw, 6, 3) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 5, 8) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Two numbers describe a column: where it lies and how wide it is. Take away the first, divide by the second.',
    'x [N, D] → mean over axis 0, kept as [1, D] → x − mean [N, D] (broadcast over the rows) → mean of its square [1, D] → root [1, D] → division [N, D].',
    'z = (x − μ) / σ with μ = mean(x) and σ² = mean((x − μ)²), each per column. tf.mean(x, 0, true) keeps the axis, so that the shapes line up.',
  ],
});
