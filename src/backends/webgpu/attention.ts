/**
 * Attention and its gradient (src/core/fused-attention.ts). Many queries: two matrix products with one program between
 * them, and no probabilities are kept; the gradient makes them again from the scores and the noted logarithms of their sums
 * (Dao et al., 2022, "FlashAttention", algorithm 4):
 *   p = exp(scores − logSum), dS = p ∘ (dy·vᵀ − Σ dy∘y), dv = pᵀ·dy, dq = scale · dS·k, dk = scale · dSᵀ·q.
 * A few queries, as in decoding, are few-queries.ts.
 */

import type * as tf from '@tensorflow/tfjs-core';
import { runFewQueries } from './few-queries.ts';
import { FALLING_EXP } from './functions.ts';
import { addKernel, type KernelCall, missing, runKernel } from './kernel.ts';
import { makeTensor, rowsOf, runProgram } from './program.ts';
import { reductions, threadsFor } from './reduce.ts';
import { BIAS_START, biasLayout, runSoftmax } from './softmax.ts';

/** Up to here a query is a workgroup of its own. */
const FEW_QUERIES = 4;

export function registerAttention(): void {
  addKernel('LabAttention', (call) => {
    const { backend, inputs, attrs } = call;
    const { q = missing(), k = missing(), v = missing(), bias = missing() } = inputs;
    const [batch = 0, heads = 0, queries = 0] = q.shape;
    const logSums = makeTensor(backend, [batch, heads, queries]);
    const numbers = {
      keys: Number(attrs.keys),
      scale: Number(attrs.scale),
      threshold: Number(attrs.threshold),
    };
    if (queries <= FEW_QUERIES) return [runFewQueries(backend, { q, k, v, bias }, numbers, logSums), logSums];
    const { keys, scale, threshold } = numbers;
    const [someK, someV] = [firstKeys(call, k, keys), firstKeys(call, v, keys)];
    const scores = scoresOf(call, q, someK ?? k);
    const p = makeTensor(backend, scores.shape);
    runSoftmax(backend, { scores, bias, output: p, scale, threshold, logSums });
    const y = byHead(call, p, someV ?? v, q.shape);
    for (const made of [scores, p, someK, someV]) if (made) backend.disposeData(made.dataId);
    return [y, logSums];
  });

  addKernel('LabAttentionGradient', (call) => {
    const { q = missing(), k = missing(), v = missing(), dy = missing() } = call.inputs;
    const { p, dScores } = scoresGradient(call, Number(call.attrs.scale));
    const dv = byGroup(call, p, dy, v.shape);
    const dq = byHead(call, dScores, k, q.shape);
    const dk = byGroup(call, dScores, q, k.shape);
    for (const made of [p, dScores]) call.backend.disposeData(made.dataId);
    return [dq, dk, dv];
  });

  addKernel('LabAttentionBiasGradient', (call) => {
    const { p, dScores } = scoresGradient(call, 1);
    call.backend.disposeData(p.dataId);
    return [dScores];
  });
}

/** The first of the keys or values where there is room behind them; undefined where all count. */
function firstKeys(call: KernelCall, x: tf.TensorInfo, keys: number): tf.TensorInfo | undefined {
  const [batch = 0, groups = 0, room = 0, width = 0] = x.shape;
  if (room === keys) return undefined;
  return runKernel('Slice', call, { x }, { begin: [0, 0, 0, 0], size: [batch, groups, keys, width] });
}

/**
 * A tensor of the query heads [B, H, T, n] with the heads that share keys one after the other: [B·Hkv, H/Hkv·T, n]. The
 * numbers lie so already.
 */
function grouped(x: tf.TensorInfo, groups: number): tf.TensorInfo {
  const [batch = 0, heads = 0, queries = 0, width = 0] = x.shape;
  return { ...x, shape: [batch * groups, (heads / groups) * queries, width] };
}

/** Keys or values [B, Hkv, S, n] as [B·Hkv, S, n]. */
function stacked(x: tf.TensorInfo): tf.TensorInfo {
  const [batch = 0, groups = 0, keys = 0, width = 0] = x.shape;
  return { ...x, shape: [batch * groups, keys, width] };
}

/** a·bᵀ of queries [B, H, T, n] and keys [B, Hkv, S, n]: [B, H, T, S]. */
function scoresOf(call: KernelCall, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const inputs = { a: grouped(a, b.shape[1] ?? 1), b: stacked(b) };
  const made = runKernel('BatchMatMul', call, inputs, { transposeA: false, transposeB: true });
  return { ...made, shape: [...a.shape.slice(0, 3), b.shape[2] ?? 0] };
}

/** p·v of [B, H, T, S] and [B, Hkv, S, n]: [B, H, T, n]. */
function byHead(
  call: KernelCall,
  p: tf.TensorInfo,
  v: tf.TensorInfo,
  queryShape: readonly number[],
): tf.TensorInfo {
  const inputs = { a: grouped(p, v.shape[1] ?? 1), b: stacked(v) };
  const made = runKernel('BatchMatMul', call, inputs, { transposeA: false, transposeB: false });
  return { ...made, shape: [...queryShape.slice(0, 3), v.shape[3] ?? 0] };
}

/** pᵀ·x of [B, H, T, S] and [B, H, T, n], added up over the heads that share keys: `shape`, [B, Hkv, S, n]. */
function byGroup(call: KernelCall, p: tf.TensorInfo, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  const groups = shape[1] ?? 1;
  const inputs = { a: grouped(p, groups), b: grouped(x, groups) };
  return { ...runKernel('BatchMatMul', call, inputs, { transposeA: true, transposeB: false }), shape };
}

/** p and factor · dS, [B, H, T, S]. */
function scoresGradient(call: KernelCall, factor: number): { p: tf.TensorInfo; dScores: tf.TensorInfo } {
  const { backend, inputs, attrs } = call;
  const { q = missing(), k = missing(), v = missing(), bias = missing() } = inputs;
  const { y = missing(), logSums = missing(), dy = missing() } = inputs;
  const scores = scoresOf(call, q, k);
  const dp = scoresOf(call, dy, v);
  const { rows, width } = rowsOf(scores);
  const { width: depth } = rowsOf(y);
  const threads = threadsFor(width);
  const [p, dScores] = [makeTensor(backend, scores.shape), makeTensor(backend, scores.shape)];
  runProgram(backend, {
    name: 'gradient of scores',
    inputs: { scores, bias, logSums, dp, y, dy },
    output: dScores,
    more: { madeP: p },
    threads,
    workgroups: rows,
    integers: { rows, width, depth, ...biasLayout(scores.shape, bias.shape) },
    numbers: { scale: Number(attrs.scale), factor },
    code: `${reductions(threads)}${FALLING_EXP}${BIAS_START}
      fn main(index: i32) {
        let row = min(index / THREADS, uniforms.rows - 1);
        var sum = 0.0;
        for (var c = i32(localIndex); c < uniforms.depth; c += THREADS) {
          sum += y[row * uniforms.depth + c] * dy[row * uniforms.depth + c];
        }
        let mean = sumOf(sum);
        let base = row * uniforms.width;
        let biasBase = biasRow(row) * uniforms.width;
        for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
          let e = fallingExp(scores[base + c] * uniforms.scale + bias[biasBase + c] - logSums[row]);
          madeP[base + c] = e;
          result[base + c] = e * (dp[base + c] - mean) * uniforms.factor;
        }
      }`,
  });
  for (const made of [scores, dp]) backend.disposeData(made.dataId);
  return { p, dScores };
}
