import * as tf from '@tensorflow/tfjs-core';
import { embed } from '../../../src/core/embeddings.ts';
import {
  type RelativePositionConfig,
  relativePositionBias,
  relativePositionBucket,
} from '../../../src/core/relative-position.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor2D, number, number, RelativePositionConfig];

function inputs(draw: Draw, heads: number, queries: number, keys: number, bidirectional: boolean): Args {
  const config = { numBuckets: 8, maxDistance: 12, bidirectional };
  return [draw.normal([8, heads]).as2D(8, heads), queries, keys, config];
}

/** The bias where `relative` says which relative position a query and a key have. */
function biasOf(
  [table, queries, keys, config]: Args,
  relative: (query: number, key: number, past: number) => number,
): tf.Tensor {
  return tf.tidy(() => {
    const ids = Array.from({ length: queries }, (_, query) =>
      Array.from({ length: keys }, (_, key) =>
        relativePositionBucket(relative(query, key, keys - queries), config),
      ),
    );
    const values = embed(table, tf.tensor2d(ids, [queries, keys], 'int32'));
    return tf.expandDims(tf.transpose(values, [2, 0, 1]), 0);
  });
}

export default defineExercise<Args>({
  id: 't5/position-bias',
  title: 'The bias of the scores',
  points: 2,
  entry: 'positionBias',
  difficulty: 3,
  minutes: 25,
  signature:
    'positionBias(table: tf.Tensor2D /* [buckets, H] */, queryLength: number, keyLength: number, config: {numBuckets: number; maxDistance: number; bidirectional: boolean}): tf.Tensor4D  // [1, H, T, S]',
  parameters: ['table', 'queryLength', 'keyLength', 'config'],
  tolerance: { ...FLOAT32, reason: 'numbers of the table are copied' },
  reference: relativePositionBias,
  variants: [
    {
      name: 'a bucket for each pair',
      implementation: (...args) => biasOf(args, (t, s, past) => s - t - past),
    },
  ],
  mutants: [
    {
      id: 'query-minus-key',
      diagnosis:
        'The distance is taken as query − key. T5 takes key − query: the direction decides the bucket.',
      implementation: (...args) => biasOf(args, (t, s, past) => t + past - s),
    },
    {
      id: 'past-forgotten',
      diagnosis:
        'The queries are counted from 0. They are the last of the keys: query t stands at place keyLength − queryLength + t.',
      implementation: (...args) => biasOf(args, (t, s) => s - t),
    },
    {
      id: 'distance-only',
      diagnosis:
        'Only the absolute distance counts, so before and behind look alike. Pass key − query with its sign to the bucket.',
      implementation: (...args) => biasOf(args, (t, s, past) => -Math.abs(s - t - past)),
    },
    {
      id: 'direction-flag-ignored',
      diagnosis: 'config.bidirectional does not reach the buckets. Pass the config as it is.',
      implementation: (table, queries, keys, config) =>
        relativePositionBias(table, queries, keys, { ...config, bidirectional: !config.bidirectional }),
    },
    {
      id: 'one-head',
      diagnosis: 'All heads get the numbers of head 0. Column h of the table belongs to head h.',
      implementation: (table, queries, keys, config) =>
        tf.tidy(() => {
          const bias = relativePositionBias(table, queries, keys, config);
          const [, heads, t, s] = bias.shape;
          return tf.tile(tf.slice(bias, [0, 0, 0, 0], [1, 1, t, s]), [1, heads, 1, 1]);
        }),
    },
    {
      id: 'heads-last',
      diagnosis:
        'The heads are the last axis, as in the table. Scores are [B, H, T, S]: move the heads in front of T.',
      implementation: (table, queries, keys, config) =>
        tf.tidy(() => tf.transpose(relativePositionBias(table, queries, keys, config), [0, 2, 3, 1])),
    },
  ],
  cases: [
    { name: 'an encoder', visibility: 'public', inputs: (draw) => inputs(draw, 3, 9, 9, true) },
    { name: 'a decoder with a past', visibility: 'public', inputs: (draw) => inputs(draw, 2, 4, 11, false) },
    { name: 'a longer past', visibility: 'hidden', inputs: (draw) => inputs(draw, 3, 5, 13, false) },
    { name: 'a longer encoder', visibility: 'hidden', inputs: (draw) => inputs(draw, 4, 14, 16, true) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'The table is looked up like an embedding. What are the ids?',
    'place of query t = keyLength − queryLength + t; relative[t][s] = s − place → bucket ids [T, S] → embed → [T, S, H] → transpose → [H, T, S] → expandDims → [1, H, T, S].',
    'bias[0, h, t, s] = table[bucket(s − (S − T + t)), h]. Raffel et al., 2020, section 2.1: each head adds its own learned number to the score.',
  ],
});
