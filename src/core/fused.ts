/**
 * Operations that a backend may have as one kernel. The formulas stay where they are read, in the other files of this
 * folder: each asks here first, and composes its operation from TensorFlow's where the backend has no kernel for it.
 *
 * The gradients are written by hand and have none of their own. Inside a nested gradient (`tf.grad` of `tf.grad`)
 * everything is therefore composed, and second derivatives come out as on a backend without kernels.
 */

import * as tf from '@tensorflow/tfjs-core';

/** The activations that a kernel knows. */
export type FusedActivation = 'gelu' | 'geluTanh' | 'silu';

/** Whether the backend has the kernel and it may be used here. */
export function hasKernel(kernel: string): boolean {
  return tf.engine().state.gradientDepth < 2 && tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

/** Runs a kernel that makes one tensor; the next function, one that makes several. */
export function run<T extends tf.Tensor>(
  kernel: string,
  inputs: tf.NamedTensorMap,
  attrs: tf.NamedAttrMap = {},
): T {
  return tf.engine().runKernel<T>(kernel, inputs, attrs);
}

export function runMany(kernel: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap = {}): tf.Tensor[] {
  return tf.engine().runKernel<tf.Tensor[]>(kernel, inputs, attrs);
}

export function isFloat(...tensors: (tf.Tensor | undefined)[]): boolean {
  return tensors.every((tensor) => tensor === undefined || (tensor.dtype === 'float32' && tensor.size > 0));
}

/** x·Wᵀ + b (linear.ts); undefined if it must be composed. Its gradient is composed: two products and a sum. */
export function fusedLinear(
  x: tf.Tensor,
  weight: tf.Tensor,
  bias: tf.Tensor | undefined,
): tf.Tensor | undefined {
  if (!hasKernel('LabLinear') || x.rank < 2 || !isFloat(x, weight, bias)) return undefined;
  return run('LabLinear', bias === undefined ? { x, weight } : { x, weight, bias });
}

tf.registerGradient({
  kernelName: 'LabLinear',
  inputsToSave: ['x', 'weight'],
  gradFunc: (dy, [x, weight]) => {
    const rows = (tensor: tf.Tensor | tf.Tensor[] | undefined): tf.Tensor2D => {
      const only = defined(Array.isArray(tensor) ? tensor[0] : tensor);
      return tf.reshape(only, [-1, only.shape.at(-1) ?? 1]);
    };
    return {
      x: () => tf.reshape(tf.matMul(rows(dy), rows(weight)), defined(x).shape),
      weight: () => tf.matMul(rows(dy), rows(x), true, false),
      bias: () => tf.sum(rows(dy), 0),
    };
  },
});

/** The activation of activations.ts that is named so; undefined if it must be composed. */
export function fusedActivation<T extends tf.Tensor>(kind: FusedActivation, x: T): T | undefined {
  if (!hasKernel('LabActivation') || x.dtype !== 'float32') return undefined;
  return run<T>('LabActivation', { x }, { kind });
}

tf.registerGradient({
  kernelName: 'LabActivation',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({ x: () => run('LabActivationGradient', named({ x, dy }), attrs) }),
});

/** activation(gate) ⊙ up (activations.ts); undefined if it must be composed. */
export function fusedGated<T extends tf.Tensor>(kind: FusedActivation, gate: T, up: T): T | undefined {
  const alike = tf.util.arraysEqual(gate.shape, up.shape);
  if (!hasKernel('LabGated') || !alike || !isFloat(gate, up)) return undefined;
  return run<T>('LabGated', { gate, up }, { kind });
}

tf.registerGradient({
  kernelName: 'LabGated',
  inputsToSave: ['gate', 'up'],
  gradFunc: (dy, [gate, up], attrs) => {
    const [dGate, dUp] = runMany('LabGatedGradient', named({ gate, up, dy }), attrs);
    return { gate: () => defined(dGate), up: () => defined(dUp) };
  },
});

/** A layer norm, or without `bias` a root-mean-square norm (norm.ts); undefined if it must be composed. */
export function fusedNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor,
  bias: tf.Tensor | undefined,
  eps: number,
): T | undefined {
  if (!hasKernel('LabNorm') || !isFloat(x, weight, bias) || weight.size !== x.shape.at(-1)) return undefined;
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

/** Pairs of features turned by their angles (rotary.ts); undefined if it must be composed. */
export function fusedRotary(
  x: tf.Tensor4D,
  { cos, sin }: { cos: tf.Tensor; sin: tf.Tensor },
  interleaved: boolean,
): tf.Tensor4D | undefined {
  const [batch, , length, width] = x.shape;
  if (!hasKernel('LabRotary') || !isFloat(x, cos, sin)) return undefined;
  const [tables = 0, heads, positions, pairs] = cos.shape;
  const fits =
    (tables === 1 || tables === batch) && heads === 1 && positions === length && pairs === width / 2;
  if (cos.rank !== 4 || !fits || !tf.util.arraysEqual(cos.shape, sin.shape)) return undefined;
  return run<tf.Tensor4D>('LabRotary', { x, cos, sin }, { interleaved, inverse: false });
}

tf.registerGradient({
  kernelName: 'LabRotary',
  inputsToSave: ['cos', 'sin'],
  gradFunc: (dy, [cos, sin], attrs) => {
    // The tables come from positions, which are whole numbers: nothing is ever learned through them.
    const constant = (): never => {
      throw new Error('a fused rotation has no gradient for its cosines and sines');
    };
    const back = { ...attrs, inverse: attrs.inverse !== true };
    return { x: () => run('LabRotary', named({ x: dy, cos, sin }), back), cos: constant, sin: constant };
  },
});

/** tokenLosses of losses.ts; undefined if they must be composed. */
export function fusedCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  ignored: number,
): tf.Tensor | undefined {
  if (!hasKernel('LabCrossEntropy') || !isFloat(logits) || labels.dtype !== 'int32') return undefined;
  return defined(runMany('LabCrossEntropy', { logits, labels }, { ignored })[0]);
}

tf.registerGradient({
  kernelName: 'LabCrossEntropy',
  inputsToSave: ['logits', 'labels'],
  outputsToSave: [false, true],
  gradFunc: (dy, [logits, labels, logSums], attrs) => ({
    logits: () => run('LabCrossEntropyGradient', named({ logits, labels, logSums, dy }), attrs),
    labels: () => tf.zeros(defined(labels).shape),
  }),
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
  if (!hasKernel('LabAdamW')) return undefined;
  const [weight, mean, square] = runMany('LabAdamW', inputs, { ...numbers });
  return { weight: defined(weight), first: defined(mean), second: defined(square) };
}

const GRADIENT_KERNELS = ['LabActivation', 'LabGated', 'LabNorm', 'LabCrossEntropy'];

/** Says what to do where a gradient written by hand would have to be differentiated itself. */
export function refuseSecondDerivative(kernelName: string): void {
  tf.registerGradient({
    kernelName,
    gradFunc: () => {
      throw new Error(
        `${kernelName} cannot be differentiated: write the whole computation inside the inner tf.grad, ` +
          'where it is made of operations that can be, instead of using a value from outside of it',
      );
    },
  });
}

for (const kernel of GRADIENT_KERNELS) refuseSecondDerivative(`${kernel}Gradient`);

export function defined(tensor: tf.Tensor | undefined): tf.Tensor {
  if (tensor === undefined) throw new Error('a tensor of the gradient was not saved');
  return tensor;
}

/** The inputs of a gradient kernel; of several gradients that of the first output, the only one that is used. */
export function named(tensors: Record<string, tf.Tensor | tf.Tensor[] | undefined>): tf.NamedTensorMap {
  const map: tf.NamedTensorMap = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    map[name] = defined(Array.isArray(tensor) ? tensor[0] : tensor);
  }
  return map;
}
