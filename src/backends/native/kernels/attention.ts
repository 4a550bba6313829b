/** Attention as one kernel and its gradients; the source is ../ops/attention.cc. */

import type * as tf from '@tensorflow/tfjs-core';
import type { KernelLibrary } from './library.ts';
import { addKernel, missing } from './replace-kernel.ts';

type Inputs = Record<string, tf.TensorInfo>;

export function registerAttention(library: KernelLibrary): void {
  addKernel('LabAttention', (inputs, attrs) => {
    const { q = missing(), k, v = missing(), bias } = inputs;
    const [batch = 0, heads = 0, queries = 0] = q.shape;
    const outputs = [
      [batch, heads, queries, v.shape.at(-1) ?? 0],
      [batch, heads, queries],
    ];
    return library.run('attention', [q, k, v, bias], outputs, sizesOf(inputs, attrs), numbersOf(attrs));
  });
  addKernel('LabAttentionGradient', (inputs, attrs) => {
    const { q = missing(), k = missing(), v = missing() } = inputs;
    const outputs = [q.shape, k.shape, v.shape];
    const integers = sizesOf(inputs, attrs);
    return library.run('attention gradient', given(inputs), outputs, integers, numbersOf(attrs));
  });
  addKernel('LabAttentionBiasGradient', (inputs, attrs) => {
    const { q = missing(), k = missing() } = inputs;
    const outputs = [[...q.shape.slice(0, 3), k.shape[2] ?? 0]];
    const integers = sizesOf(inputs, attrs);
    return library.run('attention bias gradient', given(inputs), outputs, integers, numbersOf(attrs));
  });
}

function given({ q, k, v, bias, y, logSums, dy }: Inputs): (tf.TensorInfo | undefined)[] {
  return [q, k, v, bias, y, logSums, dy];
}

/** The sizes in the order of `Sizes` of attention.cc. */
function sizesOf(
  { q = missing(), k = missing(), v = missing(), bias }: Inputs,
  attrs: tf.NamedAttrMap,
): number[] {
  const [, groups = 0, capacity = 0] = k.shape;
  const biasSizes = bias?.shape.slice(0, 3) ?? [1, 1, 1];
  return [...q.shape, groups, capacity, Number(attrs.keys), v.shape.at(-1) ?? 0, ...biasSizes];
}

function numbersOf(attrs: tf.NamedAttrMap): number[] {
  return [Number(attrs.scale), Number(attrs.threshold)];
}
