/**
 * Sums in stages, whose order is always the same. Over leading axes, such as the gradient of a bias, by columns: a thread
 * goes down a column of some rows, and what comes out is added up in the same way; TensorFlow.js would transpose the whole
 * tensor first. Over all numbers of a large tensor, as in the norm of a gradient, by pieces; there it would leave all of
 * them to a single workgroup.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { replaceKernel } from './kernel.ts';
import { makeTensor, runEach, runProgram, sizeOf } from './program.ts';
import { reductions } from './reduce.ts';

/** Rows that one thread adds up. */
const ROWS = 128;
/** Numbers that one workgroup adds up, and its threads. */
const PIECE = 4096;
const THREADS = 256;

/** scale · Σ over the rows of x, seen as [rows, width], in a tensor of the given shape. */
export function sumColumns(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  rows: number,
  shape: readonly number[],
  scale: number,
): tf.TensorInfo {
  const width = sizeOf(x) / rows;
  const shares = Math.ceil(rows / ROWS);
  const last = shares === 1;
  const output = makeTensor(backend, last ? shape : [shares, width]);
  runEach(backend, {
    name: 'sum of columns',
    inputs: { x },
    output,
    integers: { rows, width },
    numbers: { scale: last ? scale : 1 },
    code: `
      fn at(i: i32) {
        let column = i % uniforms.width;
        let first = i / uniforms.width * ${ROWS};
        var sum = 0.0;
        for (var row = first; row < min(first + ${ROWS}, uniforms.rows); row += 1) {
          sum += x[row * uniforms.width + column];
        }
        result[i] = sum * uniforms.scale;
      }`,
  });
  if (last) return output;
  const sum = sumColumns(backend, output, shares, shape, scale);
  backend.disposeData(output.dataId);
  return sum;
}

/** scale · Σ over all numbers of x, in a tensor of the given shape of size 1. */
function sumAll(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  shape: readonly number[],
  scale: number,
): tf.TensorInfo {
  const count = sizeOf(x);
  const pieces = Math.ceil(count / PIECE);
  const last = pieces === 1;
  const output = makeTensor(backend, last ? shape : [pieces]);
  runProgram(backend, {
    name: 'sum of pieces',
    inputs: { x },
    output,
    threads: THREADS,
    workgroups: pieces,
    integers: { count, pieces },
    numbers: { scale: last ? scale : 1 },
    code: `${reductions(THREADS)}
      fn main(index: i32) {
        let piece = min(index / THREADS, uniforms.pieces - 1);
        let end = min((piece + 1) * ${PIECE}, uniforms.count);
        var sum = 0.0;
        for (var i = piece * ${PIECE} + i32(localIndex); i < end; i += THREADS) { sum += x[i]; }
        sum = sumOf(sum);
        if (localIndex == 0u) { result[piece] = sum * uniforms.scale; }
      }`,
  });
  if (last) return output;
  const sum = sumAll(backend, output, shape, scale);
  backend.disposeData(output.dataId);
  return sum;
}

export function registerSums(): void {
  for (const name of ['Sum', 'Mean']) {
    replaceKernel(name, ({ backend, inputs: { x }, attrs }) => {
      if (x === undefined || x.dtype !== 'float32' || sizeOf(x) === 0) return undefined;
      const axes = tf.util.parseAxisParam(axesOf(attrs.axis, x.shape), x.shape);
      const leading = axes.length > 0 && axes.every((axis) => axis < axes.length);
      if (!leading) return undefined;
      const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
      const kept = x.shape.slice(axes.length);
      const shape = attrs.keepDims === true ? [...axes.map(() => 1), ...kept] : kept;
      if (kept.length === 0) {
        return rows > PIECE ? sumAll(backend, x, shape, name === 'Mean' ? 1 / rows : 1) : undefined;
      }
      return sumColumns(backend, x, rows, shape, name === 'Mean' ? 1 / rows : 1);
    });
  }
}

/** All axes unless some are given. */
function axesOf(axis: unknown, shape: readonly number[]): number[] {
  if (typeof axis === 'number') return [axis];
  if (Array.isArray(axis)) return axis.map(Number);
  return shape.map((_, i) => i);
}
