/**
 * Sums over leading axes, such as the gradient of a bias, by columns: a thread goes down a column of some rows, and what
 * comes out is added up in the same way. TensorFlow.js would transpose the whole tensor first.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { replaceKernel } from './kernel.ts';
import { makeTensor, runEach, sizeOf } from './program.ts';

/** Rows that one thread adds up. */
const ROWS = 128;

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

export function registerSums(): void {
  for (const name of ['Sum', 'Mean']) {
    replaceKernel(name, ({ backend, inputs: { x }, attrs }) => {
      if (x === undefined || x.dtype !== 'float32' || sizeOf(x) === 0) return undefined;
      const axes = tf.util.parseAxisParam(axesOf(attrs.axis, x.shape), x.shape);
      const leading = axes.length > 0 && axes.every((axis) => axis < axes.length);
      if (!leading || axes.length === x.shape.length) return undefined;
      const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
      const kept = x.shape.slice(axes.length);
      const shape = attrs.keepDims === true ? [...axes.map(() => 1), ...kept] : kept;
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
