/**
 * x·Wᵀ + b as one dispatch. For a few rows, as in decoding, a workgroup takes one number of the result and its threads go
 * along a row of W side by side: every weight is read once, and neighbours together.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';
import { addKernel, type KernelCall, missing, runKernel } from './kernel.ts';
import { type Factors, multiply } from './matmul.ts';
import { makeTensor, rowsOf, runProgram } from './program.ts';
import { reductions, threadsFor } from './reduce.ts';

/** Up to here a weight is better read again than shared. */
const FEW_ROWS = 4;

export function registerLinear(): void {
  addKernel('LabLinear', (call) => {
    const { x = missing(), weight = missing(), bias } = call.inputs;
    const { rows, width } = rowsOf(x);
    const shape = [...x.shape.slice(0, -1), weight.shape[0] ?? 0];
    if (rows <= FEW_ROWS) return [fewRows(call.backend, x, weight, bias, shape)];
    const factors = { a: { ...x, shape: [rows, width] }, b: weight, transposeA: false, transposeB: true };
    const made = multiply(call.backend, { ...factors, bias }) ?? smallProduct(call, factors, bias);
    return [{ ...made, shape }];
  });
}

/** TensorFlow.js' own product. */
function smallProduct(
  call: KernelCall,
  { a, b, transposeA, transposeB }: Factors,
  bias: tf.TensorInfo | undefined,
): tf.TensorInfo {
  const batched = (x: tf.TensorInfo): tf.TensorInfo => ({ ...x, shape: [1, ...x.shape] });
  const inputs = { a: batched(a), b: batched(b) };
  if (bias === undefined) return runKernel('BatchMatMul', call, inputs, { transposeA, transposeB });
  const attrs = { transposeA, transposeB, activation: 'linear' };
  return runKernel('_FusedMatMul', call, { ...inputs, bias }, attrs);
}

function fewRows(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  weight: tf.TensorInfo,
  bias: tf.TensorInfo | undefined,
  shape: readonly number[],
): tf.TensorInfo {
  const { rows, width } = rowsOf(x);
  const outputs = weight.shape[0] ?? 0;
  const threads = Math.min(threadsFor(width), 128);
  const output = makeTensor(backend, shape);
  runProgram(backend, {
    name: bias === undefined ? 'linear layer of few rows' : 'linear layer of few rows with a bias',
    inputs: bias === undefined ? { x, weight } : { x, weight, bias },
    output,
    threads,
    workgroups: rows * outputs,
    integers: { width, outputs, count: rows * outputs },
    code: `${reductions(threads)}
      fn main(index: i32) {
        let i = min(index / THREADS, uniforms.count - 1);
        let row = i / uniforms.outputs * uniforms.width;
        let column = i % uniforms.outputs;
        var sum = 0.0;
        for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
          sum += x[row + c] * weight[column * uniforms.width + c];
        }
        sum = sumOf(sum);
        if (localIndex == 0u) { result[i] = sum${bias === undefined ? '' : ' + bias[column]'}; }
      }`,
  });
  return output;
}
