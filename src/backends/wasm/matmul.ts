/** Matrix products on the lab's own kernel: batched and transposed ones run at the speed of the plain one. */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';
import { addressOf, isFloat, replaceKernel } from './replace-kernel.ts';

interface Factors {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  transposeA: boolean;
  transposeB: boolean;
}

export function registerMatMul(library: NativeLibrary): void {
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
}

function factorsOf(inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined): Factors | undefined {
  const { a, b } = inputs;
  if (a === undefined || b === undefined || !isFloat(a) || !isFloat(b)) return undefined;
  return { a, b, transposeA: attrs?.transposeA === true, transposeB: attrs?.transposeB === true };
}

/** a·b + bias; undefined where the kernel has no case for the shapes. */
export function multiply(
  library: NativeLibrary,
  { a, b, transposeA, transposeB }: Factors,
  bias: tf.TensorInfo | undefined,
): tf.TensorInfo | undefined {
  const [aRows = 0, aColumns = 0] = a.shape.slice(-2);
  const [bRows = 0, bColumns = 0] = b.shape.slice(-2);
  const m = transposeA ? aColumns : aRows;
  const k = transposeA ? aRows : aColumns;
  const n = transposeB ? bRows : bColumns;
  if (k !== (transposeB ? bColumns : bRows)) return undefined;
  const batchA = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const batchB = tf.util.sizeFromShape(b.shape.slice(0, -2));
  const sameBatch = a.shape.slice(0, -2).join() === b.shape.slice(0, -2).join();
  if (!sameBatch && batchA !== 1 && batchB !== 1) return undefined;
  const batch = Math.max(batchA, batchB);
  if (m * n * k * batchA * batchB === 0) return undefined;
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = library.backend.makeOutput([...outer, m, n], 'float32');
  // Products that share the right factor are one product with more rows.
  const joined = batchB === 1 && batchA === batch && !transposeA;
  library.call(
    'matmul',
    addressOf(library, a),
    addressOf(library, b),
    bias === undefined ? 0 : addressOf(library, bias),
    addressOf(library, out),
    joined ? 1 : batch,
    joined ? 1 : batchA,
    batchB,
    joined ? batch * m : m,
    n,
    k,
    Number(transposeA),
    Number(transposeB),
  );
  return out;
}
