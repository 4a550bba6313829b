/** What moves numbers, or only seems to: shapes, axes, rows of tables. The source of the kernels is ../ops/layout.cc. */

import * as tf from '@tensorflow/tfjs-core';
import type { KernelLibrary } from './library.ts';
import { addKernel, isFloat, missing, replaceKernel } from './replace-kernel.ts';

export function registerLayout(library: KernelLibrary): void {
  registerSharing(library);
  registerCacheWrite(library);
  replaceKernel('Transpose', ({ inputs: { x }, attrs }) => x && permute(library, x, attrs?.perm));
  replaceKernel('Slice', ({ inputs: { x }, attrs }) => x && slice(library, x, attrs));
  replaceKernel('GatherV2', ({ inputs: { x, indices }, attrs }) => {
    if (x === undefined || indices === undefined || !isFloat(x)) return undefined;
    if (indices.dtype !== 'int32' || indices.shape.includes(0)) return undefined;
    if (attrs?.axis !== 0 || attrs.batchDims !== 0) return undefined;
    const [count = 0, ...rest] = x.shape;
    const sizes = [tf.util.sizeFromShape(indices.shape), tf.util.sizeFromShape(rest), count];
    return library.run('gather', [x, indices], [[...indices.shape, ...rest]], sizes)[0];
  });
  replaceKernel('UnsortedSegmentSum', ({ inputs: { x, segmentIds }, attrs }) => {
    const count = attrs?.numSegments;
    if (x === undefined || segmentIds === undefined || typeof count !== 'number') return undefined;
    if (!isFloat(x) || segmentIds.dtype !== 'int32' || count === 0) return undefined;
    const [rows = 0, ...rest] = x.shape;
    if (segmentIds.shape.length !== 1) return undefined;
    const sizes = [rows, tf.util.sizeFromShape(rest), count];
    return library.run('segment sum', [x, segmentIds], [[count, ...rest]], sizes)[0];
  });
  addKernel('LabRotary', ({ x = missing(), cos = missing(), sin }, attrs) => {
    const options = [cos.shape[0] ?? 1, Number(attrs.interleaved), Number(attrs.inverse)];
    return library.run('rotary', [x, cos, sin], [x.shape], [...x.shape, ...options]);
  });
}

/** Operations that change nothing share the numbers instead of copying them. */
function registerSharing(library: KernelLibrary): void {
  const shareable = ({ dtype }: tf.TensorInfo): boolean => dtype !== 'string' && dtype !== 'complex64';
  replaceKernel('Reshape', ({ inputs: { x }, attrs }) => {
    const shape: unknown = attrs?.shape;
    if (x === undefined || !shareable(x) || !Array.isArray(shape)) return undefined;
    const size = tf.util.sizeFromShape(x.shape);
    const full = tf.util.inferFromImplicitShape(shape.map(Number), size);
    return tf.util.sizeFromShape(full) === size ? library.share(x, full) : undefined;
  });
  replaceKernel('ExpandDims', ({ inputs: { input }, attrs }) => {
    if (input === undefined || !shareable(input) || typeof attrs?.dim !== 'number') return undefined;
    const at = attrs.dim < 0 ? input.shape.length + attrs.dim + 1 : attrs.dim;
    if (at < 0 || at > input.shape.length) return undefined;
    return library.share(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
  });
  replaceKernel('Cast', ({ inputs: { x }, attrs }) =>
    x !== undefined && x.dtype === attrs?.dtype && shareable(x) ? library.share(x) : undefined,
  );
}

/** The axes of x in another order; undefined for what the kernel has no case for. */
function permute(library: KernelLibrary, x: tf.TensorInfo, order: unknown): tf.TensorInfo | undefined {
  if (!isFloat(x) || !Array.isArray(order)) return undefined;
  const axes = order.map(Number);
  const shape = axes.map((axis) => x.shape[axis] ?? 0);
  const steps = stepsOf(x);
  return copy(
    library,
    x,
    shape,
    axes.map((axis) => steps[axis] ?? 1),
    0,
  );
}

/** A part of x; undefined for what the kernel has no case for. */
function slice(
  library: KernelLibrary,
  x: tf.TensorInfo,
  attrs: tf.NamedAttrMap | undefined,
): tf.TensorInfo | undefined {
  const { begin, size } = attrs ?? {};
  if (!isFloat(x) || !Array.isArray(begin) || !Array.isArray(size)) return undefined;
  const [from = [], sizes = []] = tf.slice_util.parseSliceParams(x, begin.map(Number), size.map(Number));
  const steps = stepsOf(x);
  const offset = from.reduce((sum, start, axis) => sum + start * (steps[axis] ?? 1), 0);
  // What does not lie within goes to TensorFlow's kernel, which says so.
  const within = sizes.every((n, axis) => n > 0 && (from[axis] ?? 0) + n <= (x.shape[axis] ?? 0));
  if (!within || from.some((start) => start < 0)) return undefined;
  return copy(library, x, sizes, steps, offset);
}

/** How far apart in memory the neighbours along each axis are. */
function stepsOf({ shape }: tf.TensorInfo): number[] {
  return [...tf.util.computeStrides(shape), 1];
}

function copy(
  library: KernelLibrary,
  x: tf.TensorInfo,
  shape: number[],
  steps: number[],
  offset: number,
): tf.TensorInfo | undefined {
  if (shape.length > 4 || shape.length === 0) return undefined;
  const padding = Array.from({ length: 4 - shape.length }, () => 1);
  return library.run('permute', [x], [shape], [...padding, ...shape, ...padding, ...steps, offset])[0];
}

/** Writes rows of one tensor into another in place, as a cache wants it. */
function registerCacheWrite(library: KernelLibrary): void {
  addKernel('LabCacheWrite', ({ buffer = missing(), update = missing() }, attrs) => {
    const [, groups = 0, room = 0, width = 0] = buffer.shape;
    const length = update.shape[2] ?? 0;
    const { position, count, rows } = attrs;
    if (!Array.isArray(rows)) throw new TypeError('LabCacheWrite: rows must be a list');
    const size = Number(count) * width;
    for (const [row, from] of rows.entries()) {
      const target = (row * groups * room + Number(position)) * width;
      const source = Number(from) * groups * length * width;
      library.run(
        'write',
        [buffer, update],
        [],
        [groups, size, target, room * width, source, length * width],
      );
    }
    return [library.share(buffer)];
  });
}
