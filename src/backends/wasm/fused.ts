/**
 * Whole operations of the models as one kernel each, with their gradients: activations, norms, masked softmax, and a
 * step of AdamW. src/core/fused.ts says what each computes and calls them where they are registered.
 */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';
import { addressOf } from './replace-kernel.ts';
import { rowsOf } from './rows.ts';

/** The numbers of `enum Unary` in native/elementwise.c. */
const ACTIVATIONS: Readonly<Record<string, number>> = { gelu: 9, geluTanh: 10, silu: 11 };

type Compute = (inputs: Record<string, tf.TensorInfo>, attrs: tf.NamedAttrMap) => tf.TensorInfo[];

export function registerFused(library: NativeLibrary): void {
  const { backend, call } = library;
  const at = (tensor: tf.TensorInfo | undefined): number => (tensor ? addressOf(library, tensor) : 0);
  const like = (tensor: tf.TensorInfo): tf.TensorInfo => backend.makeOutput(tensor.shape, 'float32');

  register('LabActivation', ({ x = missing() }, attrs) => {
    const y = like(x);
    call('map', ACTIVATIONS[String(attrs.kind)] ?? missing(), at(x), 0, at(y), sizeOf(x));
    return [y];
  });
  register('LabActivationGradient', ({ x = missing(), dy = missing() }, attrs) => {
    const dx = like(x);
    call('map', ACTIVATIONS[String(attrs.kind)] ?? missing(), at(x), at(dy), at(dx), sizeOf(x));
    return [dx];
  });

  register('LabNorm', ({ x = missing(), weight, bias }, attrs) => {
    const y = like(x);
    const { rows, width } = rowsOf(x);
    call('norm', at(x), at(weight), at(bias), at(y), rows, width, Number(attrs.eps));
    return [y];
  });
  register('LabNormGradient', ({ x = missing(), weight = missing(), dy }, attrs) => {
    const { rows, width } = rowsOf(x);
    const dx = like(x);
    const sums = backend.makeOutput([2, width], 'float32');
    const partial = backend.makeOutput([call('norm_gradient_partial', rows, width)], 'float32');
    const addresses = [at(x), at(weight), at(dy), at(dx), at(sums), at(partial)];
    call('norm_gradient', ...addresses, rows, width, Number(attrs.eps), Number(attrs.centred));
    backend.disposeData(partial.dataId);
    return [dx, sums];
  });

  register('LabMaskedSoftmax', ({ scores = missing(), bias = missing() }, attrs) => {
    const y = like(scores);
    const { rows, width } = rowsOf(scores);
    const [, heads = 1, queries = 1] = scores.shape;
    const [biasBatch = 1, biasHeads = 1, biasQueries = 1] = bias.shape;
    const layout = [heads, queries, biasBatch, biasHeads, biasQueries];
    call('softmax', at(scores), at(bias), at(y), rows, width, ...layout, Number(attrs.threshold));
    return [y];
  });
  register('LabSoftmaxGradient', ({ p = missing(), dy }) => {
    const dx = like(p);
    const { rows, width } = rowsOf(p);
    call('softmax_gradient', at(p), at(dy), at(dx), rows, width);
    return [dx];
  });

  register('LabAdamW', ({ weight = missing(), gradient, first, second }, attrs) => {
    const made = [like(weight), like(weight), like(weight)];
    const addresses = [weight, gradient, first, second, ...made].map(at);
    const { beta1, beta2, rate, epsilon, keep } = attrs;
    const numbers = [beta1, beta2, rate, epsilon, keep].map(Number);
    call('adamw', ...addresses, sizeOf(weight), ...numbers);
    return made;
  });
}

function register(kernelName: string, compute: Compute): void {
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs = {} }) => {
      const given: Record<string, tf.TensorInfo> = {};
      for (const [name, input] of Object.entries(inputs)) {
        if (input === undefined) continue;
        if (input.dtype !== 'float32') throw new TypeError(`${kernelName}: ${name} must be float32`);
        given[name] = input;
      }
      const made = compute(given, attrs);
      const [only] = made;
      return made.length === 1 && only !== undefined ? only : made;
    },
  });
}

function sizeOf(tensor: tf.TensorInfo): number {
  return tf.util.sizeFromShape(tensor.shape);
}

function missing(): never {
  throw new TypeError('a fused kernel was called without one of its inputs');
}
