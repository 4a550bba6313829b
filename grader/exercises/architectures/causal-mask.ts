import * as tf from '@tensorflow/tfjs-core';
import { defineExercise, noLeak } from '../../define.ts';

type Args = [number, number, number];

/** A [1, 1, T, S] bias: `masked` wherever `sees` says no. */
function bias(
  queries: number,
  keys: number,
  masked: number,
  sees: (query: number, key: number) => boolean,
): tf.Tensor {
  const values = Array.from({ length: queries * keys }, (_, at) =>
    sees(Math.floor(at / keys), at % keys) ? 0 : masked,
  );
  return tf.tensor4d(values, [1, 1, queries, keys]);
}

export default defineExercise<Args>({
  id: 'architectures/causal-mask',
  title: 'The causal mask, with more keys than queries',
  points: 2,
  entry: 'causalMask',
  difficulty: 2,
  minutes: 15,
  signature:
    'causalMask(queries: number /* T */, keys: number /* S ≥ T */, masked: number): tf.Tensor4D  // [1, 1, T, S]',
  parameters: ['queries', 'keys', 'masked'],
  tolerance: { absolute: 0, relative: 1e-6, reason: 'every element is 0 or the number given, in float32' },
  reference: (queries, keys, masked) => bias(queries, keys, masked, (i, j) => j <= i + keys - queries),
  variants: [
    {
      name: 'made of ranges, without a loop',
      implementation: (queries, keys, masked) =>
        tf.tidy(() => {
          const i = tf.expandDims(tf.range(keys - queries, keys), 1); // [T, 1], where each query stands
          const j = tf.expandDims(tf.range(0, keys), 0); // [1, S]
          const future = tf.cast(tf.greater(j, i), 'float32');
          return tf.reshape(tf.mul(future, masked), [1, 1, queries, keys]);
        }),
    },
  ],
  mutants: [
    {
      id: 'aligned-upper-left',
      diagnosis:
        'The triangle is aligned with the first key. The queries are the last T of the S positions (a cache holds the earlier ones): query i stands at position i + S − T.',
      implementation: (queries, keys, masked) => bias(queries, keys, masked, (i, j) => j <= i),
    },
    {
      id: 'strict-triangle',
      diagnosis: 'A token cannot see itself. Query i sees all keys up to and including its own position.',
      implementation: (queries, keys, masked) =>
        bias(queries, keys, masked, (i, j) => j < i + keys - queries),
    },
    {
      id: 'one-too-many',
      diagnosis:
        'Every query sees one key of the future. The last key it may see is the one at its own position.',
      implementation: (queries, keys, masked) =>
        bias(queries, keys, masked, (i, j) => j <= i + keys - queries + 1),
    },
    {
      id: 'past-hidden',
      diagnosis: 'The past is hidden and the future seen: the triangle is upside down.',
      implementation: (queries, keys, masked) =>
        bias(queries, keys, masked, (i, j) => j >= i + keys - queries),
    },
    {
      id: 'sign',
      diagnosis:
        'The future gets a large positive bias. Add `masked` as it is given, a large negative number.',
      implementation: (queries, keys, masked) =>
        bias(queries, keys, -masked, (i, j) => j <= i + keys - queries),
    },
    {
      id: 'ones-and-zeros',
      diagnosis:
        'The result is a mask of ones and zeros. The scores need a bias: 0 where a query may look and `masked` where it may not.',
      implementation: (queries, keys) =>
        tf.tidy(() =>
          tf.add(
            1,
            bias(queries, keys, -1, (i, j) => j <= i + keys - queries),
          ),
        ),
    },
  ],
  cases: [
    { name: 'as many keys as queries', visibility: 'public', inputs: () => [4, 4, -1e30] },
    { name: 'more keys than queries', visibility: 'public', weight: 2, inputs: () => [3, 7, -1e30] },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => [4 + draw.rng.integer(3), 9 + draw.rng.integer(4), -7e7],
    },
    { name: 'a single query', visibility: 'hidden', inputs: (draw) => [1, 5 + draw.rng.integer(4), -1e30] },
  ],
  properties: [noLeak()],
  hints: [
    'When a model writes, it computes only the newest tokens and keeps the earlier ones in a cache. Where in the sequence does the first query stand?',
    'S − T positions are in the past of all queries. Query i stands at position p = i + S − T and sees keys 0…p: element [0, 0, i, j] is 0 for j ≤ p, else `masked`.',
    'M[i, j] = 0 if j ≤ i + S − T, else masked. Vaswani et al., 2017, section 3.2.3 (masking in the decoder); with S = T it is the lower triangle.',
  ],
});
