import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor];

/** Numbers around `center`: at 200 their exponentials overflow float32. */
const inputs = (draw: Draw, rows: number, columns: number, center: number): Args => [
  draw.normal([rows, columns], { mean: center, std: 2 }),
];

/** m + log Σ exp(x − m), m the largest of each row. */
function logSumExp(x: tf.Tensor, axis = -1): tf.Tensor {
  return tf.tidy(() => {
    const largest = tf.max(x, axis, true);
    const sum = tf.sum(tf.exp(tf.sub(x, largest)), axis);
    return tf.add(tf.log(sum), tf.squeeze(largest, [axis < 0 ? x.rank + axis : axis]));
  });
}

export default defineExercise<Args>({
  id: 'start/log-sum-exp',
  title: 'tidy: log-sum-exp without a leak and without overflow',
  points: 2,
  entry: 'logSumExp',
  difficulty: 2,
  minutes: 15,
  signature: 'logSumExp(x: tf.Tensor /* [N, D] */): tf.Tensor  // [N]',
  parameters: ['x'],
  tolerance: { ...FLOAT32, reason: 'exponentials of differences and one logarithm in float32' },
  reference: (x) => logSumExp(x),
  variants: [
    { name: "TensorFlow.js' own", implementation: (x) => tf.tidy(() => tf.logSumExp(x, -1)) },
    {
      name: 'from the softmax: x − log softmax(x) is the same for every element of a row',
      implementation: (x) => tf.tidy(() => tf.mean(tf.sub(x, tf.logSoftmax(x)), -1)),
    },
  ],
  mutants: [
    {
      id: 'overflow',
      diagnosis:
        'exp of a large number is Infinity. Subtract the largest element of the row first and add it back at the end: log Σ exp(x) = m + log Σ exp(x − m).',
      implementation: (x) => tf.tidy(() => tf.log(tf.sum(tf.exp(x), -1))),
    },
    {
      id: 'largest-not-added-back',
      diagnosis:
        'The largest element is subtracted before the exponential, but not added back after the logarithm.',
      implementation: (x) => tf.tidy(() => tf.log(tf.sum(tf.exp(tf.sub(x, tf.max(x, -1, true))), -1))),
    },
    {
      id: 'over-the-rows',
      diagnosis: 'The sum runs over the rows. It must run over the last axis and leave one number a row.',
      implementation: (x) => logSumExp(x, 0),
    },
    {
      id: 'mean-not-sum',
      diagnosis: 'The exponentials are averaged. Sum them.',
      implementation: (x) => tf.tidy(() => tf.sub(logSumExp(x), Math.log(x.shape.at(-1) ?? 1))),
    },
    {
      id: 'no-logarithm',
      diagnosis: 'The logarithm at the end is missing.',
      implementation: (x) =>
        tf.tidy(() => {
          const largest = tf.max(x, -1, true);
          return tf.add(tf.sum(tf.exp(tf.sub(x, largest)), -1), tf.squeeze(largest, [-1]));
        }),
    },
  ],
  cases: [
    { name: 'small and large numbers', visibility: 'public', inputs: (draw) => inputs(draw, 3, 5, 200) },
    { name: 'very small numbers', visibility: 'hidden', inputs: (draw) => inputs(draw, 4, 6, -300) },
    { name: 'other sizes', visibility: 'hidden', inputs: (draw) => inputs(draw, 7, 3, 150) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'What is exp(200) in float32, and what can you take out of every exponent of a row without changing the result?',
    'x [N, D] → largest of each row [N, 1] → x − largest [N, D] → exp, sum over the last axis [N] → log [N] → + largest, now as [N].',
    'log Σ exp(xᵢ) = m + log Σ exp(xᵢ − m) for any m; m = max xᵢ keeps every exponent ≤ 0. Wrap it all in tf.tidy(() => …), which disposes everything but what you return.',
  ],
});
