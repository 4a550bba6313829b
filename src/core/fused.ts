/**
 * Operations that a backend may have as one kernel. The formulas stay where they are read, in the other files of this
 * folder: each asks here first, and composes its operation from TensorFlow's where the backend has no kernel for it.
 * The gradients are written by hand; they have none of their own, so differentiate twice on a backend without kernels.
 */

import * as tf from '@tensorflow/tfjs-core';
import { MASKED } from './masks.ts';

function has(kernel: string): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

/** Runs a kernel that makes one tensor; the next function, one that makes several. */
function run<T extends tf.Tensor>(kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): T {
  return tf.engine().runKernel<T>(kernel, inputs, attrs);
}

function runMany(kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): tf.Tensor[] {
  return tf.engine().runKernel<tf.Tensor[]>(kernel, inputs, attrs);
}

/** The activation of activations.ts that is named so; undefined if it must be composed. */
export function fusedActivation<T extends tf.Tensor>(
  kind: 'gelu' | 'geluTanh' | 'silu',
  x: T,
): T | undefined {
  if (!has('LabActivation') || x.dtype !== 'float32') return undefined;
  return run<T>('LabActivation', { x }, { kind });
}

tf.registerGradient({
  kernelName: 'LabActivation',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({ x: () => run('LabActivationGradient', named({ x, dy }), attrs) }),
});

/** A layer norm, or without `bias` a root-mean-square norm (norm.ts); undefined if it must be composed. */
export function fusedNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor,
  bias: tf.Tensor | undefined,
  eps: number,
): T | undefined {
  if (!has('LabNorm') || x.size === 0 || weight.size !== x.shape.at(-1)) return undefined;
  if (bias === undefined) return run<T>('LabNorm', { x, weight }, { eps, centred: false });
  if (bias.size !== weight.size) return undefined;
  return run<T>('LabNorm', { x, weight, bias }, { eps, centred: true });
}

tf.registerGradient({
  kernelName: 'LabNorm',
  inputsToSave: ['x', 'weight'],
  gradFunc: (dy, [x, weight], attrs) => {
    const [dx, sums] = runMany('LabNormGradient', named({ x, weight, dy }), attrs);
    const row = (i: number) => () => tf.reshape(tf.slice(defined(sums), [i, 0], [1, -1]), [-1]);
    return { x: () => defined(dx), weight: row(0), bias: row(1) };
  },
});

/** maskedSoftmax(scores + bias) of attention.ts; undefined if it must be composed. */
export function fusedMaskedSoftmax<T extends tf.Tensor>(scores: T, bias: tf.Tensor): T | undefined {
  if (!has('LabMaskedSoftmax') || scores.rank !== 4 || bias.rank !== 4 || scores.size === 0) return undefined;
  const fits = bias.shape.every((n, axis) => n === scores.shape[axis] || (n === 1 && axis < 3));
  if (!fits || bias.dtype !== 'float32') return undefined;
  return run<T>('LabMaskedSoftmax', { scores, bias }, { threshold: MASKED / 2 });
}

tf.registerGradient({
  kernelName: 'LabMaskedSoftmax',
  inputsToSave: ['bias'],
  outputsToSave: [true],
  gradFunc: (dy, [bias, p]) => {
    const dScores = run('LabSoftmaxGradient', named({ p, dy }));
    const repeated = [0, 1, 2].filter((axis) => defined(bias).shape[axis] !== dScores.shape[axis]);
    return {
      scores: () => dScores,
      bias: () => (repeated.length === 0 ? dScores : tf.sum(dScores, repeated, true)),
    };
  },
});

export interface AdamWNumbers {
  beta1: number;
  beta2: number;
  /** Of the learning, times √(1 − β₂ᵗ) / (1 − β₁ᵗ). */
  rate: number;
  /** ε√(1 − β₂ᵗ) */
  epsilon: number;
  /** 1 − learning rate × weight decay */
  keep: number;
}

/** The parameter and its moments after one step of AdamW; undefined if it must be composed. */
export function fusedAdamW(
  inputs: { weight: tf.Tensor; gradient: tf.Tensor; first: tf.Tensor; second: tf.Tensor },
  numbers: AdamWNumbers,
): { weight: tf.Tensor; first: tf.Tensor; second: tf.Tensor } | undefined {
  if (!has('LabAdamW')) return undefined;
  const [weight, mean, square] = runMany('LabAdamW', inputs, { ...numbers });
  return { weight: defined(weight), first: defined(mean), second: defined(square) };
}

function defined(tensor: tf.Tensor | undefined): tf.Tensor {
  if (tensor === undefined) throw new Error('a tensor of the gradient was not saved');
  return tensor;
}

function named(tensors: Record<string, tf.Tensor | tf.Tensor[] | undefined>): tf.NamedTensorMap {
  const map: tf.NamedTensorMap = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    map[name] = defined(Array.isArray(tensor) ? tensor[0] : tensor);
  }
  return map;
}
