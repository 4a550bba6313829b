/**
 * Transposing that moves no number, because all but one of the axes that change places have length 1: the heads of a single
 * token, in decoding. The result shares its numbers with what it is made of, as reshaping does; so does a slice of all.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';
import { replaceKernel } from './kernel.ts';

export function registerMovement(): void {
  replaceKernel('Transpose', ({ backend, inputs: { x }, attrs: { perm } }) => {
    if (x === undefined || !Array.isArray(perm)) return undefined;
    const axes = perm.map(Number);
    const moved = axes.filter((axis) => x.shape[axis] !== 1);
    if (moved.some((axis, i) => axis < (moved[i - 1] ?? 0))) return undefined;
    return shared(
      backend,
      x,
      axes.map((axis) => x.shape[axis] ?? 1),
    );
  });
  replaceKernel('Slice', ({ backend, inputs: { x }, attrs: { begin, size } }) => {
    if (x === undefined || !Array.isArray(begin) || !Array.isArray(size)) return undefined;
    if (begin.some((start) => start !== 0)) return undefined;
    const isAll = x.shape.every((length, axis) => size[axis] === -1 || size[axis] === length);
    return isAll ? shared(backend, x, x.shape) : undefined;
  });
}

function shared(backend: WebGPUBackend, { dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
