/** Arithmetic and functions of single numbers, four at a time and on all threads. */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';
import { addressOf, isFloat, replaceKernel } from './replace-kernel.ts';

/** The numbers of `enum Unary` in native/elementwise.c. */
const UNARY = {
  Tanh: 0,
  Exp: 1,
  Erf: 2,
  Sigmoid: 3,
  Square: 4,
  Sqrt: 5,
  Rsqrt: 6,
  Neg: 7,
  Relu: 8,
} as const;

/** The numbers of `enum Binary` in native/elementwise.c. */
const BINARY = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3 } as const;

export function registerElementwise(library: NativeLibrary): void {
  for (const [name, kind] of Object.entries(UNARY)) {
    replaceKernel(name, ({ inputs: { x } }) => {
      if (x === undefined || !isFloat(x)) return undefined;
      const y = library.backend.makeOutput(x.shape, 'float32');
      library.call('map', kind, addressOf(library, x), 0, addressOf(library, y), sizeOf(x));
      return y;
    });
  }
  for (const [name, kind] of Object.entries(BINARY)) {
    replaceKernel(name, ({ inputs: { a, b } }) => {
      if (a === undefined || b === undefined || !isFloat(a) || !isFloat(b)) return undefined;
      return combine(library, kind, a, b);
    });
  }
  registerSharing(library);
}

function sizeOf(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}

function combine(
  library: NativeLibrary,
  kind: number,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | undefined {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const axes = broadcastAxes(shape, a.shape, b.shape);
  if (axes.length > 3 || tf.util.sizeFromShape(shape) === 0) return undefined;
  const [inner = ONE, middle = ONE, outer = ONE] = axes;
  const y = library.backend.makeOutput(shape, 'float32');
  library.call(
    'combine',
    kind,
    addressOf(library, a),
    addressOf(library, b),
    addressOf(library, y),
    inner.size,
    middle.size,
    outer.size,
    inner.stepA,
    middle.stepA,
    outer.stepA,
    inner.stepB,
    middle.stepB,
    outer.stepB,
  );
  return y;
}

interface Axis {
  readonly size: number;
  /** Numbers from one element of this axis to the next, 0 where the operand is repeated. */
  readonly stepA: number;
  readonly stepB: number;
}

const ONE: Axis = { size: 1, stepA: 0, stepB: 0 };

/**
 * The axes of a broadcast, innermost first, with neighbours joined where both operands run on through them: two equal
 * shapes are one axis, a bias added to rows is two.
 */
export function broadcastAxes(
  shape: readonly number[],
  shapeA: readonly number[],
  shapeB: readonly number[],
): Axis[] {
  const axes: Axis[] = [];
  let strideA = 1;
  let strideB = 1;
  for (let back = 1; back <= shape.length; back++) {
    const size = shape.at(-back) ?? 1;
    if (size === 1) continue;
    const sizeA = back <= shapeA.length ? (shapeA.at(-back) ?? 1) : 1;
    const sizeB = back <= shapeB.length ? (shapeB.at(-back) ?? 1) : 1;
    const stepA = sizeA === 1 ? 0 : strideA;
    const stepB = sizeB === 1 ? 0 : strideB;
    strideA *= sizeA;
    strideB *= sizeB;
    const last = axes.at(-1);
    if (last && stepA === last.stepA * last.size && stepB === last.stepB * last.size) {
      axes[axes.length - 1] = { ...last, size: last.size * size };
    } else {
      axes.push({ size, stepA, stepB });
    }
  }
  return axes;
}

/** Operations that change nothing share the numbers instead of copying them, as reshaping does. */
function registerSharing({ backend }: NativeLibrary): void {
  const share = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => {
    backend.incRef(dataId);
    return { dataId, shape, dtype };
  };
  replaceKernel('Identity', ({ inputs: { x } }) => x && share(x));
  replaceKernel('Cast', ({ inputs: { x }, attrs }) =>
    x !== undefined && x.dtype === attrs?.dtype ? share(x) : undefined,
  );
}
