/** What moves numbers, or only seems to: shapes, axes, rows of tables. The source of the kernels is ../ops/layout.cc. */

import * as tf from '@tensorflow/tfjs-core';
import type { KernelLibrary } from './library.ts';
import { addKernel, isFloat, missing, replaceKernel } from './replace-kernel.ts';

export function registerLayout(library: KernelLibrary): void {
  registerSharing(library);
  replaceKernel('Transpose', ({ inputs: { x }, attrs }) => x && permute(library, x, attrs?.perm));
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
  if (!isFloat(x) || !Array.isArray(order) || x.shape.length > 4 || x.shape.length === 0) return undefined;
  const axes = order.map(Number);
  const shape = axes.map((axis) => x.shape[axis] ?? 0);
  const steps = tf.util.computeStrides(x.shape);
  const stepOf = (axis: number): number => steps[axis] ?? 1;
  const padding = Array.from({ length: 4 - shape.length }, () => 1);
  const integers = [...padding, ...shape, ...padding, ...axes.map(stepOf)];
  return library.run('permute', [x], [shape], integers)[0];
}
