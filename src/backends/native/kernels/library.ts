/**
 * The lab's kernels in the addon that `lab backend install` compiles (the sources are in ../ops), called on tensors of
 * TensorFlow.js. They read and write TensorFlow's tensors in place, without its dispatch.
 */

import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js';
import { InputError } from '../../../errors.ts';
import { openTensorData, type TensorData } from './tensor-data.ts';

/** LAB_KERNELS of ops/addon.cc: an addon with another number was made by another version of the lab. */
export const KERNELS_VERSION = 1;

const MAX_THREADS = 32;

/** What the addon gives: one call is written into `slots` and then run. */
interface AddonKernels {
  readonly version: number;
  readonly names: readonly string[];
  readonly slots: Float64Array;
  run(): void;
  alias(): void;
}

export interface KernelLibrary {
  readonly threads: number;
  /** The same numbers under another shape; nothing is copied. */
  share(tensor: tf.TensorInfo, shape?: number[]): tf.TensorInfo;
  /**
   * Runs a kernel of ../ops by its name.
   *
   * @param outputs the shapes of the tensors it makes, float32
   */
  run(
    kernel: string,
    inputs: readonly (tf.TensorInfo | undefined)[],
    outputs: readonly number[][],
    integers?: readonly number[],
    numbers?: readonly number[],
  ): tf.TensorInfo[];
}

const opened = new WeakMap<object, AddonKernels | undefined>();

function kernelsOf(binding: object): AddonKernels | undefined {
  if (!opened.has(binding)) {
    const open: unknown = 'labKernels' in binding ? binding.labKernels : undefined;
    const made: unknown = typeof open === 'function' ? open(wantedThreads()) : undefined;
    opened.set(binding, isAddonKernels(made) && made.version === KERNELS_VERSION ? made : undefined);
  }
  return opened.get(binding);
}

function isAddonKernels(value: unknown): value is AddonKernels {
  return typeof value === 'object' && value !== null && 'version' in value && 'slots' in value;
}

/**
 * @returns undefined where the addon has no kernels that fit.
 * @throws InputError if LLM_LAB_THREADS is not a number of threads.
 */
export function openKernels(backend: NodeJSKernelBackend): KernelLibrary | undefined {
  const addon = kernelsOf(backend.binding);
  if (addon === undefined) return undefined;
  const data = openTensorData(backend, addon);
  const indices = new Map(addon.names.map((name, index) => [name, index]));
  return {
    threads: wantedThreads(),
    share: (tensor, shape = tensor.shape) => {
      backend.incRef(tensor.dataId);
      return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
    },
    run: (kernel, inputs, outputs, integers = [], numbers = []) => {
      const index = indices.get(kernel);
      if (index === undefined) throw new Error(`the addon has no kernel ${kernel}`);
      // Making a tensor of an input's numbers comes first: it uses the slots too.
      const ids = inputs.map((input) => (input === undefined ? -1 : data.id(input)));
      writeCall(addon.slots, index, ids, outputs, integers, numbers);
      addon.run();
      return takeOutputs(addon.slots, data, outputs);
    },
  };
}

/** The layout that `run` of ops/addon.cc reads: every list follows its count. */
function writeCall(
  slots: Float64Array,
  index: number,
  ids: readonly number[],
  outputs: readonly number[][],
  integers: readonly number[],
  numbers: readonly number[],
): void {
  let at = 0;
  slots[at++] = index;
  for (const list of [ids, integers, numbers]) {
    slots[at++] = list.length;
    for (const value of list) slots[at++] = value;
  }
  slots[at++] = outputs.length;
  for (const shape of outputs) {
    slots[at++] = shape.length;
    for (const size of shape) slots[at++] = size;
  }
}

function takeOutputs(slots: Float64Array, data: TensorData, outputs: readonly number[][]): tf.TensorInfo[] {
  return outputs.map((shape, i) => data.adopt(slots[i] ?? -1, shape));
}

function wantedThreads(): number {
  const wanted = process.env.LLM_LAB_THREADS;
  if (!wanted) return Math.min(availableParallelism(), MAX_THREADS);
  const threads = Number(wanted);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new InputError(`LLM_LAB_THREADS: expected a number of threads from 1 to 64, got ${wanted}`);
  }
  return threads;
}

/** How many numbers a tensor has. */
export function sizeOf({ shape }: tf.TensorInfo): number {
  return tf.util.sizeFromShape(shape);
}
