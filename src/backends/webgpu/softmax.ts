/** Softmax of attention scores with a bias, and its gradient: a workgroup a row. */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';
import { FALLING_EXP } from './functions.ts';
import { addKernel, missing } from './kernel.ts';
import { makeTensor, type Program, rowsOf, runProgram } from './program.ts';
import { reductions, threadsFor } from './reduce.ts';

/** Below every score; no infinity, which WGSL lets a compiler take for granted not to come. */
export const LOWEST = '-3.4e38';

/** The uniforms that `BIAS_START` reads, for scores [B, H, T, S] and a bias [1 or B, 1 or H, 1 or T, S]. */
export function biasLayout(scores: readonly number[], bias: readonly number[]): Record<string, number> {
  const [, heads = 1, queries = 1] = scores;
  const [biasBatch = 1, biasHeads = 1, biasQueries = 1] = bias;
  return { heads, queries, biasBatch, biasHeads, biasQueries };
}

/** Where the bias of a row of scores begins, in rows of the bias. */
export const BIAS_START = `
  fn biasRow(row: i32) -> i32 {
    let query = row % uniforms.queries;
    let head = row / uniforms.queries % uniforms.heads;
    let batch = row / (uniforms.queries * uniforms.heads);
    return (select(0, batch, uniforms.biasBatch > 1) * uniforms.biasHeads + select(0, head, uniforms.biasHeads > 1))
      * uniforms.biasQueries + select(0, query, uniforms.biasQueries > 1);
  }`;

/**
 * softmax(scale · scores + bias) of each row into `output`, 0 for a row without a score above the threshold.
 *
 * @param logSums gets the logarithm of each row's sum of powers, so high where the row sees nothing that no power is left
 */
export function runSoftmax(
  backend: WebGPUBackend,
  {
    scores,
    bias,
    output,
    scale,
    threshold,
    logSums,
  }: {
    scores: tf.TensorInfo;
    bias: tf.TensorInfo;
    output: tf.TensorInfo;
    scale: number;
    threshold: number;
    logSums?: tf.TensorInfo;
  },
): void {
  const { rows, width } = rowsOf(scores);
  const threads = threadsFor(width);
  const more: Program['more'] = logSums === undefined ? {} : { madeLogSums: logSums };
  runProgram(backend, {
    name: logSums === undefined ? 'masked softmax' : 'masked softmax with its sums',
    inputs: { scores, bias },
    output,
    more,
    threads,
    workgroups: rows,
    integers: { rows, width, ...biasLayout(scores.shape, bias.shape) },
    numbers: { scale, threshold },
    code: `${reductions(threads)}${FALLING_EXP}${BIAS_START}
      fn main(index: i32) {
        let row = min(index / THREADS, uniforms.rows - 1);
        let base = row * uniforms.width;
        let biasBase = biasRow(row) * uniforms.width;
        var largest = ${LOWEST};
        for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
          let score = scores[base + c] * uniforms.scale + bias[biasBase + c];
          largest = select(max(largest, score), score, isnan(score) || isnan(largest));
        }
        largest = largestOf(largest);
        var sum = 0.0;
        for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
          sum += fallingExp(scores[base + c] * uniforms.scale + bias[biasBase + c] - largest);
        }
        sum = sumOf(sum);
        let blind = largest <= uniforms.threshold;
        for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
          let p = fallingExp(scores[base + c] * uniforms.scale + bias[biasBase + c] - largest) / sum;
          result[base + c] = select(p, 0.0, blind);
        }
        ${logSums === undefined ? '' : 'if (localIndex == 0u) { madeLogSums[row] = select(largest + log(sum), 3.4e38, blind); }'}
      }`,
  });
}

export function registerSoftmax(): void {
  addKernel('LabMaskedSoftmax', ({ backend, inputs: { scores = missing(), bias = missing() }, attrs }) => {
    const output = makeTensor(backend, scores.shape);
    runSoftmax(backend, { scores, bias, output, scale: 1, threshold: Number(attrs.threshold) });
    return [output];
  });

  // p ∘ (dy − Σ p∘dy)
  addKernel('LabSoftmaxGradient', ({ backend, inputs: { p = missing(), dy = missing() } }) => {
    const { rows, width } = rowsOf(p);
    const threads = threadsFor(width);
    const output = makeTensor(backend, p.shape);
    runProgram(backend, {
      name: 'softmax gradient',
      inputs: { p, dy },
      output,
      threads,
      workgroups: rows,
      integers: { rows, width },
      code: `${reductions(threads)}
        fn main(index: i32) {
          let base = min(index / THREADS, uniforms.rows - 1) * uniforms.width;
          var sum = 0.0;
          for (var c = i32(localIndex); c < uniforms.width; c += THREADS) { sum += p[base + c] * dy[base + c]; }
          let mean = sumOf(sum);
          for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
            result[base + c] = p[base + c] * (dy[base + c] - mean);
          }
        }`,
    });
    return [output];
  });
}
