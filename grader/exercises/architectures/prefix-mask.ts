import * as tf from '@tensorflow/tfjs-core';
import { defineExercise, EXACT, noLeak } from '../../define.ts';

type Args = [number, number];

const matrix = (length: number, sees: (query: number, key: number) => boolean): tf.Tensor =>
  tf.tensor2d(
    Array.from({ length: length * length }, (_, at) => (sees(Math.floor(at / length), at % length) ? 1 : 0)),
    [length, length],
    'int32',
  );

export default defineExercise<Args>({
  id: 'architectures/prefix-mask',
  title: 'The prefix pattern: read freely, write causally',
  points: 1,
  entry: 'prefixMask',
  difficulty: 2,
  minutes: 10,
  signature: 'prefixMask(length: number /* T */, prefix: number): tf.Tensor2D  // int32 [T, T], 1 = may look',
  parameters: ['length', 'prefix'],
  tolerance: EXACT,
  reference: (length, prefix) => matrix(length, (i, j) => j < prefix || j <= i),
  variants: [
    {
      name: 'the larger of two masks',
      implementation: (length, prefix) =>
        tf.tidy(() => {
          const j = tf.expandDims(tf.range(0, length, 1, 'int32'), 0);
          const i = tf.expandDims(tf.range(0, length, 1, 'int32'), 1);
          const causal = tf.lessEqual(j, i);
          const given = tf.less(tf.add(j, tf.zerosLike(i)), prefix);
          return tf.cast(tf.logicalOr(causal, given), 'int32');
        }),
    },
  ],
  mutants: [
    {
      id: 'causal-prefix',
      diagnosis:
        'The prefix is causal as well: this is a plain decoder. Inside the prefix every token sees the whole prefix.',
      implementation: (length) => matrix(length, (i, j) => j <= i),
    },
    {
      id: 'prefix-sees-all',
      diagnosis:
        'The prefix sees what is written after it. Its tokens see the prefix only; the rest is the future.',
      implementation: (length, prefix) => matrix(length, (i, j) => i < prefix || j < prefix || j <= i),
    },
    {
      id: 'one-short',
      diagnosis: 'The prefix is one token short: positions 0 … prefix − 1 belong to it.',
      implementation: (length, prefix) => matrix(length, (i, j) => j < prefix - 1 || j <= i),
    },
    {
      id: 'one-long',
      diagnosis: 'The prefix is one token too long: position `prefix` is the first that is written.',
      implementation: (length, prefix) => matrix(length, (i, j) => j <= prefix || j <= i),
    },
    {
      id: 'prefix-alone',
      diagnosis:
        'Written tokens see the prefix but not each other. They see everything before them, and themselves.',
      implementation: (length, prefix) => matrix(length, (_, j) => j < prefix),
    },
  ],
  cases: [
    { name: 'a prefix of three', visibility: 'public', inputs: () => [7, 3] },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => [8 + draw.rng.integer(4), 3 + draw.rng.integer(3)],
    },
    { name: 'a long prefix', visibility: 'hidden', inputs: (draw) => [9 + draw.rng.integer(3), 6] },
  ],
  properties: [noLeak()],
  hints: [
    'Two kinds of key: those that were given and those that are being written. For each, which queries may look?',
    'Row i, column j of [T, T]: j < prefix is seen by everybody; j ≥ prefix only by queries that stand at j or later.',
    'M[i, j] = 1 if j < prefix or j ≤ i. Raffel et al., 2020, "Exploring the limits of transfer learning with a unified text-to-text transformer", section 3.2.1 and figure 4 (causal with prefix).',
  ],
});
