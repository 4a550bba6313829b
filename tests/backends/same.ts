/**
 * Compares what an operation gives on a backend with kernels of the lab's own with what it gives on the plain cpu
 * backend: its value and its gradients. The backends are wasm, and tensorflow and webgpu where they can be had.
 */

import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { KERNELS_VERSION } from '../../src/backends/native/kernels/library.ts';
import { installedNative } from '../../src/backends/native/record.ts';
import { createRng } from '../../src/core/index.ts';
import { NO_GPU } from './gpu.ts';

/** Whether an installed tensorflow backend has the kernels of this version. */
export const HAS_NATIVE = installedNative('tensorflow')?.kernels === KERNELS_VERSION;

export const BACKENDS = [
  'wasm',
  ...(HAS_NATIVE ? ['tensorflow'] : []),
  ...(NO_GPU === undefined ? ['webgpu'] : []),
];

type Numbers = { shape: number[]; values: Float32Array };
export type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Normal draws, the same for every run. */
function draw(seed: string, shape: number[]): Numbers {
  const rng = createRng(seed);
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 1.5 * rng.normal());
  return { shape, values };
}

/** The value of an operation and the gradients of a weighted sum of it, by every input. */
async function valueAndGradients(
  backend: string,
  operation: Operation,
  inputs: Numbers[],
  differentiable: boolean,
): Promise<number[][]> {
  await startBackend(backend);
  const before = tf.memory().numTensors;
  const made = tf.tidy(() => {
    const tensors = inputs.map(({ shape, values }) => tf.tensor(values, shape));
    const value = operation(...tensors);
    if (!differentiable) return [value];
    const weights = draw('weights', value.shape);
    const weighted = (...xs: tf.Tensor[]): tf.Scalar =>
      tf.sum(tf.mul(operation(...xs), tf.tensor(weights.values, weights.shape)));
    return [value, ...tf.grads(weighted)(tensors)];
  });
  const numbers = await Promise.all(made.map(async (tensor) => Array.from(await tensor.data())));
  tf.dispose(made);
  expect(tf.memory().numTensors).toBe(before);
  return numbers;
}

export async function expectSame(
  operation: Operation,
  shapes: number[][],
  differentiable = true,
): Promise<void> {
  const inputs = shapes.map((shape, i) => draw(`input ${i}`, shape));
  const expected = await valueAndGradients('cpu', operation, inputs, differentiable);
  for (const backend of BACKENDS) {
    const actual = await valueAndGradients(backend, operation, inputs, differentiable);
    expect(actual.map((numbers) => numbers.length)).toEqual(expected.map((numbers) => numbers.length));
    for (const [which, numbers] of expected.entries())
      expectNear(backend, which, actual[which] ?? [], numbers);
  }
}

function expectNear(backend: string, which: number, actual: number[], expected: number[]): void {
  for (const [i, number] of expected.entries()) {
    const got = actual[i] ?? Number.NaN;
    const worst = 2e-5 + 2e-5 * Math.abs(number);
    if (!(Math.abs(got - number) <= worst) && !Object.is(got, number)) {
      expect.fail(`${backend}: output ${which}, element ${i}: expected ${number}, got ${got}`);
    }
  }
}

export function some(tensor: tf.Tensor | undefined): tf.Tensor {
  if (tensor === undefined) throw new Error('the operation has too few inputs');
  return tensor;
}
