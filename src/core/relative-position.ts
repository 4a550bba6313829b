/**
 * T5's relative positions (Raffel et al., 2020, section 2.1): a learned number per head, added to the attention score,
 * that depends on the distance key − query through a bucket. Near distances have a bucket each, far ones share
 * buckets that widen logarithmically.
 */
import * as tf from '@tensorflow/tfjs-core';
import { embed } from './embeddings.ts';

export interface RelativePositionConfig {
  /** Buckets in all; both directions share them when `bidirectional`. */
  numBuckets: number;
  /** Distances from here on share the last bucket. */
  maxDistance: number;
  /** True in an encoder; in a decoder the future has no bucket of its own. */
  bidirectional: boolean;
}

/**
 * The bucket of a relative position (key − query).
 *
 * The logarithm is rounded to float32 step by step, because distances on the edge of two buckets fall as the
 * rounding falls, and the published weights were trained with float32 edges.
 */
export function relativePositionBucket(relativePosition: number, config: RelativePositionConfig): number {
  const { bidirectional, maxDistance } = config;
  const numBuckets = bidirectional ? Math.floor(config.numBuckets / 2) : config.numBuckets;
  const offset = bidirectional && relativePosition > 0 ? numBuckets : 0;
  const distance = bidirectional ? Math.abs(relativePosition) : Math.max(-relativePosition, 0);
  const exact = Math.floor(numBuckets / 2);
  if (distance < exact) return offset + distance;
  const octaves = Math.fround(Math.log(Math.fround(distance / exact)));
  const share = Math.fround(octaves / Math.fround(Math.log(maxDistance / exact)));
  const wide = exact + Math.trunc(Math.fround(share * (numBuckets - exact)));
  return offset + Math.min(wide, numBuckets - 1);
}

/**
 * The bias [1, H, T, S] for T queries that are the last of S keys.
 * @param table learned numbers, [numBuckets, H]
 */
export function relativePositionBias(
  table: tf.Tensor2D,
  queryLength: number,
  keyLength: number,
  config: RelativePositionConfig,
): tf.Tensor4D {
  const past = keyLength - queryLength;
  // A bucket for each distance there is, from the first key as the last query sees it to the last as the first does.
  const byDistance = new Int32Array(keyLength + queryLength - 1);
  for (let i = 0; i < byDistance.length; i++)
    byDistance[i] = relativePositionBucket(i - (keyLength - 1), config);
  const buckets = new Int32Array(queryLength * keyLength);
  for (let query = 0; query < queryLength; query++) {
    const first = keyLength - 1 - (past + query);
    buckets.set(byDistance.subarray(first, first + keyLength), query * keyLength);
  }
  return tf.tidy(() => {
    const values = embed(table, tf.tensor2d(buckets, [queryLength, keyLength], 'int32')); // [T, S, H]
    return tf.expandDims<tf.Tensor4D>(tf.transpose(values, [2, 0, 1]), 0);
  });
}
