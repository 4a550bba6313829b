/** Arithmetic and functions of single numbers; the source of the kernels is ../ops/elementwise.cc. */

import * as tf from '@tensorflow/tfjs-core';
import { broadcastAxes } from '../../wasm/elementwise.ts';
import { type KernelLibrary, sizeOf } from './library.ts';
import { addKernel, isFloat, missing, replaceKernel } from './replace-kernel.ts';

/** The numbers of `enum Unary`. */
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

/** The numbers of `enum Unary` that have a derivative there. */
const ACTIVATIONS: Readonly<Record<string, number>> = { gelu: 9, geluTanh: 10, silu: 11 };

/** The numbers of `enum Binary`. */
const BINARY = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3 } as const;

export function registerElementwise(library: KernelLibrary): void {
  for (const [name, kind] of Object.entries(UNARY)) {
    replaceKernel(name, ({ inputs: { x } }) => {
      if (x === undefined || !isFloat(x)) return undefined;
      return library.run('map', [x], [x.shape], [kind, sizeOf(x)])[0];
    });
  }
  for (const [name, kind] of Object.entries(BINARY)) {
    replaceKernel(name, ({ inputs: { a, b } }) => {
      if (a === undefined || b === undefined || !isFloat(a, b)) return undefined;
      return combine(library, kind, a, b);
    });
  }
  registerActivations(library);
  registerAdamW(library);
}

interface Axis {
  readonly size: number;
  readonly stepA: number;
  readonly stepB: number;
}

const ONE: Axis = { size: 1, stepA: 0, stepB: 0 };

function combine(
  library: KernelLibrary,
  kind: number,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | undefined {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const axes = broadcastAxes(shape, a.shape, b.shape);
  if (axes.length > 3) return undefined;
  const nested = [axes[0] ?? ONE, axes[1] ?? ONE, axes[2] ?? ONE];
  const integers = [
    kind,
    ...nested.map(({ size }) => size),
    ...nested.map(({ stepA }) => stepA),
    ...nested.map(({ stepB }) => stepB),
  ];
  return library.run('combine', [a, b], [shape], integers)[0];
}

function registerActivations(library: KernelLibrary): void {
  const kindOf = ({ kind }: tf.NamedAttrMap): number => ACTIVATIONS[String(kind)] ?? missing();
  addKernel('LabActivation', ({ x = missing() }, attrs) =>
    isFloat(x) ? library.run('map', [x], [x.shape], [kindOf(attrs), sizeOf(x)]) : [library.share(x)],
  );
  addKernel('LabActivationGradient', ({ x = missing(), dy }, attrs) =>
    isFloat(x)
      ? library.run('map gradient', [x, dy], [x.shape], [kindOf(attrs), sizeOf(x)])
      : [library.share(x)],
  );
  addKernel('LabGated', ({ gate = missing(), up }, attrs) =>
    library.run('gated', [gate, up], [gate.shape], [kindOf(attrs), sizeOf(gate)]),
  );
  addKernel('LabGatedGradient', ({ gate = missing(), up, dy }, attrs) =>
    library.run('gated gradient', [gate, up, dy], [gate.shape, gate.shape], [kindOf(attrs), sizeOf(gate)]),
  );
}

function registerAdamW(library: KernelLibrary): void {
  addKernel('LabAdamW', ({ weight = missing(), gradient, first, second }, attrs) => {
    const { shape } = weight;
    const inputs = [weight, gradient, first, second];
    if (!isFloat(weight)) return [weight, weight, weight].map((empty) => library.share(empty));
    const { beta1, beta2, rate, epsilon, keep } = attrs;
    const numbers = [beta1, beta2, rate, epsilon, keep].map(Number);
    return library.run('adamw', inputs, [shape, shape, shape], [sizeOf(weight)], numbers);
  });
}
