/**
 * Attention of a few queries to many keys, as in decoding: a workgroup a query goes over the keys in blocks, a thread a
 * key, with the softmax kept up over the blocks (Dao et al., 2022, "FlashAttention", algorithm 1). Keys and values are
 * read where they lie in the cache, without the room behind them.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';
import { FALLING_EXP } from './functions.ts';
import { makeTensor, runProgram } from './program.ts';
import { reductions } from './reduce.ts';
import { BIAS_START, biasLayout, LOWEST } from './softmax.ts';

const THREADS = 128;

/**
 * @param inputs q [B, H, T, d], k [B, Hkv, C, d], v [B, Hkv, C, n], bias [1 or B, 1 or H, 1 or T, keys]
 * @param numbers.keys how many of the C keys count
 * @param logSums [B, H, T], as in softmax.ts
 * @returns [B, H, T, n]
 */
export function runFewQueries(
  backend: WebGPUBackend,
  { q, k, v, bias }: Record<'q' | 'k' | 'v' | 'bias', tf.TensorInfo>,
  { keys, scale, threshold }: { keys: number; scale: number; threshold: number },
  logSums: tf.TensorInfo,
): tf.TensorInfo {
  const [batch = 0, heads = 0, queries = 0, width = 0] = q.shape;
  const [, groups = 1, room = 0, depth = 0] = v.shape;
  const rows = batch * heads * queries;
  const output = makeTensor(backend, [batch, heads, queries, depth]);
  const columns = Math.ceil(depth / THREADS); // of a thread
  runProgram(backend, {
    name: `attention of few queries, ${columns} columns`,
    inputs: { q, k, v, bias },
    output,
    more: { madeLogSums: logSums },
    threads: THREADS,
    workgroups: rows,
    integers: {
      rows,
      groups,
      keys,
      room,
      width,
      depth,
      ...biasLayout([batch, heads, queries, keys], bias.shape),
    },
    numbers: { scale, threshold },
    code: `${reductions(THREADS)}${FALLING_EXP}${BIAS_START}
      var<workgroup> powers: array<f32, THREADS>;
      fn main(index: i32) {
        let row = min(index / THREADS, uniforms.rows - 1);
        let mine = i32(localIndex);
        let head = row / uniforms.queries;
        let share = uniforms.heads / uniforms.groups;
        let group = head / uniforms.heads * uniforms.groups + head % uniforms.heads / share;
        let biasBase = biasRow(row) * uniforms.keys;
        var largest = ${LOWEST};
        var total = 0.0;
        var sums: array<f32, ${columns}>;
        for (var first = 0; first < uniforms.keys; first += THREADS) {
          let key = first + mine;
          var score = ${LOWEST};
          if (key < uniforms.keys) {
            let start = (group * uniforms.room + key) * uniforms.width;
            var product = 0.0;
            for (var c = 0; c < uniforms.width; c += 1) { product += q[row * uniforms.width + c] * k[start + c]; }
            score = product * uniforms.scale + bias[biasBase + key];
          }
          let top = largestOf(select(max(largest, score), score, isnan(score)));
          let power = select(fallingExp(score - top), 0.0, score <= uniforms.threshold);
          let factor = fallingExp(largest - top);
          largest = top;
          total = total * factor + sumOf(power);
          powers[mine] = power;
          workgroupBarrier();
          for (var j = 0; j < ${columns}; j += 1) {
            let column = mine + j * THREADS;
            if (column < uniforms.depth) {
              var sum = sums[j] * factor;
              for (var i = 0; i < min(THREADS, uniforms.keys - first); i += 1) {
                sum += powers[i] * v[(group * uniforms.room + first + i) * uniforms.depth + column];
              }
              sums[j] = sum;
            }
          }
        }
        let blind = largest <= uniforms.threshold;
        for (var j = 0; j < ${columns}; j += 1) {
          let column = mine + j * THREADS;
          if (column < uniforms.depth) { result[row * uniforms.depth + column] = select(sums[j] / total, 0.0, blind); }
        }
        if (mine == 0) { madeLogSums[row] = select(largest + log(total), 3.4e38, blind); }
      }`,
  });
  return output;
}
