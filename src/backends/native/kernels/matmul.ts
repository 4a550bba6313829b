/** Matrix products on the lab's kernel; its source is ../ops/matmul.cc. */

import * as tf from '@tensorflow/tfjs-core';
import type { KernelLibrary } from './library.ts';
import { addKernel, isFloat, missing, replaceKernel } from './replace-kernel.ts';

interface Factors {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
}

export function registerMatMul(library: KernelLibrary): void {
  replaceKernel('BatchMatMul', ({ inputs, attrs }) => {
    const factors = factorsOf(inputs, attrs);
    return factors && multiply(library, factors, undefined);
  });
  replaceKernel('_FusedMatMul', ({ inputs, attrs }) => {
    const factors = factorsOf(inputs, attrs);
    const { bias } = inputs;
    if (factors === undefined || inputs.preluActivationWeights != null) return undefined;
    if (attrs?.activation != null && attrs.activation !== 'linear') return undefined;
    if (bias != null && (bias.shape.length !== 1 || !isFloat(bias))) return undefined;
    return multiply(library, factors, bias ?? undefined);
  });
  addKernel('LabLinear', ({ x = missing(), weight = missing(), bias }) => {
    const [out = 0, width = 0] = weight.shape;
    const rows = tf.util.sizeFromShape(x.shape.slice(0, -1));
    const shape = [...x.shape.slice(0, -1), out];
    return library.run('matmul', [x, weight, bias], [shape], [1, 1, 1, rows, out, width, 0, 1]);
  });
}

function factorsOf(inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined): Factors | undefined {
  const { a, b } = inputs;
  if (a === undefined || b === undefined || !isFloat(a, b)) return undefined;
  return { a, b, transposeA: attrs?.transposeA === true, transposeB: attrs?.transposeB === true };
}

/** a·b + bias; undefined where the kernel has no case for the shapes. */
function multiply(
  library: KernelLibrary,
  { a, b, transposeA, transposeB }: Factors,
  bias: tf.TensorInfo | undefined,
): tf.TensorInfo | undefined {
  const [aRows = 0, aColumns = 0] = a.shape.slice(-2);
  const [bRows = 0, bColumns = 0] = b.shape.slice(-2);
  const m = transposeA ? aColumns : aRows;
  const k = transposeA ? aRows : aColumns;
  const n = transposeB ? bRows : bColumns;
  if (k !== (transposeB ? bColumns : bRows) || (bias && bias.shape[0] !== n)) return undefined;
  const outerA = a.shape.slice(0, -2);
  const outerB = b.shape.slice(0, -2);
  const batchA = tf.util.sizeFromShape(outerA);
  const batchB = tf.util.sizeFromShape(outerB);
  if (!tf.util.arraysEqual(outerA, outerB) && batchA !== 1 && batchB !== 1) return undefined;
  const batch = Math.max(batchA, batchB);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  // Products that share the right factor are one product with more rows.
  const joined = batchB === 1 && batchA === batch && !transposeA;
  const sizes = joined ? [1, 1, 1, batch * m, n, k] : [batch, batchA, batchB, m, n, k];
  const integers = [...sizes, Number(transposeA), Number(transposeB)];
  return library.run('matmul', [a, b, bias], [[...outer, m, n]], integers)[0];
}
