import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor, tf.Tensor];

const inputs = (draw: Draw, points: number, others: number, width: number): Args => [
  draw.normal([points, width]),
  draw.normal([others, width], { mean: 0.5 }),
];

/** All differences at once. [N, 1, D] − [1, M, D] → [N, M, D] */
const differences = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  tf.sub(tf.expandDims(a, 1), tf.expandDims(b, 0));

export default defineExercise<Args>({
  id: 'start/distances',
  title: 'Broadcasting: all distances at once',
  points: 1,
  entry: 'squaredDistances',
  difficulty: 2,
  minutes: 15,
  signature: 'squaredDistances(a: tf.Tensor /* [N, D] */, b: tf.Tensor /* [M, D] */): tf.Tensor  // [N, M]',
  parameters: ['a', 'b'],
  tolerance: {
    absolute: 3e-5,
    relative: 1e-5,
    reason: '|a|² − 2ab + |b|² is as right as the sum of squares and loses a digit where points are near',
  },
  reference: (a, b) => tf.tidy(() => tf.sum(tf.square(differences(a, b)), -1)),
  variants: [
    {
      name: '|a|² − 2·a·bᵀ + |b|²',
      implementation: (a, b) =>
        tf.tidy(() => {
          const product = tf.mul(tf.matMul(a, b, false, true), 2);
          const left = tf.sum(tf.square(a), 1, true);
          const right = tf.sum(tf.square(b), 1);
          return tf.add(tf.sub(left, product), right);
        }),
    },
  ],
  mutants: [
    {
      id: 'transposed',
      diagnosis: 'The result is [M, N]. Row i belongs to the i-th point of a: [N, M].',
      implementation: (a, b) => tf.tidy(() => tf.sum(tf.square(differences(b, a)), -1)),
    },
    {
      id: 'root-taken',
      diagnosis: 'These are the distances. The squared distances are asked for: leave the root out.',
      implementation: (a, b) => tf.tidy(() => tf.sqrt(tf.sum(tf.square(differences(a, b)), -1))),
    },
    {
      id: 'mean-not-sum',
      diagnosis: 'The squares are averaged over the coordinates. Sum them.',
      implementation: (a, b) => tf.tidy(() => tf.mean(tf.square(differences(a, b)), -1)),
    },
    {
      id: 'absolute-not-squared',
      diagnosis: 'The absolute differences are summed. Square them before you sum.',
      implementation: (a, b) => tf.tidy(() => tf.sum(tf.abs(differences(a, b)), -1)),
    },
    {
      id: 'squared-after-the-sum',
      diagnosis:
        'The differences are summed first and then squared, so that they cancel. Square each, then sum.',
      implementation: (a, b) => tf.tidy(() => tf.square(tf.sum(differences(a, b), -1))),
    },
    {
      id: 'added-not-subtracted',
      diagnosis: 'The points are added. A distance is about their difference.',
      implementation: (a, b) =>
        tf.tidy(() => tf.sum(tf.square(tf.add(tf.expandDims(a, 1), tf.expandDims(b, 0))), -1)),
    },
  ],
  cases: [
    { name: 'four points and three', visibility: 'public', inputs: (draw) => inputs(draw, 4, 3, 2) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 5, 7, 6) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'No loop is needed: give both tensors a third axis, so that every point of a meets every point of b.',
    'a [N, D] → [N, 1, D]; b [M, D] → [1, M, D]; their difference broadcasts to [N, M, D]; square; sum over the last axis → [N, M].',
    'd(i, j) = Σₖ (aᵢₖ − bⱼₖ)². tf.expandDims(a, 1) makes [N, 1, D]; an axis of size 1 is repeated as often as its partner needs.',
  ],
});
