/** Operations that only move numbers: transposing, slicing, looking rows up. */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';
import { addressOf, replaceKernel } from './replace-kernel.ts';

export function registerMovement(library: NativeLibrary): void {
  replaceKernel('Transpose', ({ inputs: { x }, attrs }) => {
    const order = attrs?.perm;
    if (x === undefined || !Array.isArray(order)) return undefined;
    const strides = stridesOf(x.shape);
    const axes = order.map(Number);
    const shape = axes.map((axis) => x.shape[axis] ?? 1);
    return strided(
      library,
      x,
      shape,
      axes.map((axis) => strides[axis] ?? 0),
      0,
    );
  });
  replaceKernel('Slice', ({ inputs: { x }, attrs }) => {
    if (x === undefined) return undefined;
    const begin = numbers(attrs?.begin);
    const size = numbers(attrs?.size).map((n, axis) =>
      n === -1 ? (x.shape[axis] ?? 0) - (begin[axis] ?? 0) : n,
    );
    if (begin.length !== x.shape.length || size.length !== x.shape.length) return undefined;
    const strides = stridesOf(x.shape);
    const start = begin.reduce((sum, from, axis) => sum + from * (strides[axis] ?? 0), 0);
    return strided(library, x, size, strides, start);
  });
  replaceKernel('GatherV2', ({ inputs: { x, indices }, attrs }) => {
    if (x === undefined || indices === undefined || !isMovable(x) || indices.dtype !== 'int32')
      return undefined;
    const [rows = 0, ...rest] = x.shape;
    const batchDims = attrs?.batchDims ?? 0;
    if (attrs?.axis !== 0 || batchDims !== 0 || x.shape.length === 0) return undefined;
    const y = library.backend.makeOutput([...indices.shape, ...rest], x.dtype);
    const addresses = [x, indices, y].map((tensor) => addressOf(library, tensor));
    const count = tf.util.sizeFromShape(indices.shape);
    library.call('gather', ...addresses, count, tf.util.sizeFromShape(rest), rows);
    return y;
  });
}

/** Only the four-byte types: strings live elsewhere, booleans are bytes. */
function isMovable({ dtype, shape }: tf.TensorInfo): boolean {
  return (dtype === 'float32' || dtype === 'int32') && tf.util.sizeFromShape(shape) > 0;
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

/** How far apart neighbours along each axis lie. */
function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of shape.toReversed()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}

/** A dense tensor whose neighbours along each axis lie `steps` apart in x, from `start` on; undefined if it needs more than four axes. */
function strided(
  library: NativeLibrary,
  x: tf.TensorInfo,
  shape: readonly number[],
  steps: readonly number[],
  start: number,
): tf.TensorInfo | undefined {
  if (!isMovable(x) || tf.util.sizeFromShape([...shape]) === 0) return undefined;
  const axes: { size: number; step: number }[] = []; // innermost first, joined where they run on
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    const step = steps[axis] ?? 0;
    const inner = axes.at(-1);
    if (size === 1) continue;
    if (inner && step === inner.step * inner.size) inner.size *= size;
    else axes.push({ size, step });
  }
  if (axes.length > 4) return undefined;
  const y = library.backend.makeOutput([...shape], x.dtype);
  const four = [0, 1, 2, 3].map((i) => axes[i] ?? { size: 1, step: i === 0 ? 1 : 0 });
  const sizes = four.map(({ size }) => size);
  library.call(
    'copy_strided',
    addressOf(library, x) + 4 * start,
    addressOf(library, y),
    ...sizes,
    ...four.map(({ step }) => step),
  );
  return y;
}
