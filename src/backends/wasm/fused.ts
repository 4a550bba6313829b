/**
 * Whole operations of the models as one kernel each, with their gradients: linear layers, activations, norms, masked
 * softmax, rotary positions, cross entropy, and a step of AdamW. src/core/fused.ts says what each computes and calls them
 * where they are registered.
 */

import * as tf from '@tensorflow/tfjs-core';
import { multiply } from './matmul.ts';
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

  registerFusedKernel('LabLinear', ({ x = missing(), weight = missing(), bias }) => {
    const width = x.shape.at(-1) ?? 0;
    const a = { ...x, shape: [sizeOf(x) / width, width] };
    const product =
      multiply(library, { a, b: weight, transposeA: false, transposeB: true }, bias) ?? missing();
    return [{ ...product, shape: [...x.shape.slice(0, -1), weight.shape[0] ?? 0] }];
  });

  registerFusedKernel('LabActivation', ({ x = missing() }, attrs) => {
    const y = like(x);
    call('map', activationOf(attrs), at(x), 0, at(y), sizeOf(x));
    return [y];
  });
  registerFusedKernel('LabActivationGradient', ({ x = missing(), dy = missing() }, attrs) => {
    const dx = like(x);
    call('map', activationOf(attrs), at(x), at(dy), at(dx), sizeOf(x));
    return [dx];
  });

  registerFusedKernel('LabGated', ({ gate = missing(), up }, attrs) => {
    const y = like(gate);
    call('gated', activationOf(attrs), at(gate), at(up), 0, at(y), 0, 0, sizeOf(gate));
    return [y];
  });
  registerFusedKernel('LabGatedGradient', ({ gate = missing(), up, dy }, attrs) => {
    const made = [like(gate), like(gate)];
    call('gated', activationOf(attrs), at(gate), at(up), at(dy), 0, ...made.map(at), sizeOf(gate));
    return made;
  });

  registerFusedKernel('LabNorm', ({ x = missing(), weight, bias }, attrs) => {
    const y = like(x);
    const { rows, width } = rowsOf(x);
    call('norm', at(x), at(weight), at(bias), at(y), rows, width, Number(attrs.eps));
    return [y];
  });
  registerFusedKernel('LabNormGradient', ({ x = missing(), weight = missing(), dy }, attrs) => {
    const { rows, width } = rowsOf(x);
    const dx = like(x);
    const sums = backend.makeOutput([2, width], 'float32');
    const partial = backend.makeOutput([call('norm_gradient_partial', rows, width)], 'float32');
    const addresses = [at(x), at(weight), at(dy), at(dx), at(sums), at(partial)];
    call('norm_gradient', ...addresses, rows, width, Number(attrs.eps), Number(attrs.centred));
    backend.disposeData(partial.dataId);
    return [dx, sums];
  });

  registerFusedKernel('LabMaskedSoftmax', ({ scores = missing(), bias = missing() }, attrs) => {
    const y = like(scores);
    const { rows, width } = rowsOf(scores);
    const [, heads = 1, queries = 1] = scores.shape;
    const [biasBatch = 1, biasHeads = 1, biasQueries = 1] = bias.shape;
    const layout = [heads, queries, biasBatch, biasHeads, biasQueries];
    call('softmax', at(scores), at(bias), at(y), rows, width, ...layout, Number(attrs.threshold));
    return [y];
  });
  registerFusedKernel('LabSoftmaxGradient', ({ p = missing(), dy }) => {
    const dx = like(p);
    const { rows, width } = rowsOf(p);
    call('softmax_gradient', at(p), at(dy), at(dx), rows, width);
    return [dx];
  });

  registerFusedKernel('LabRotary', ({ x = missing(), cos = missing(), sin }, attrs) => {
    const y = like(x);
    const [batch = 0, heads = 0, length = 0, width = 0] = x.shape;
    const sizes = [batch * heads * length, heads, length, width, cos.shape[0] ?? 1];
    const way = [Number(attrs.interleaved), attrs.inverse === true ? -1 : 1];
    call('rotary', at(x), at(cos), at(sin), at(y), ...sizes, ...way);
    return [y];
  });

  registerFusedKernel('LabCrossEntropy', ({ logits = missing(), labels = missing() }, attrs) => {
    const made = [like(labels), like(labels)];
    const { rows, width } = rowsOf(logits);
    call('cross_entropy', ...[logits, labels, ...made].map(at), rows, width, Number(attrs.ignored));
    return made;
  });
  registerFusedKernel('LabCrossEntropyGradient', ({ logits = missing(), labels, logSums, dy }, attrs) => {
    const gradient = like(logits);
    const { rows, width } = rowsOf(logits);
    const addresses = [logits, labels, logSums, dy, gradient].map(at);
    call('cross_entropy_gradient', ...addresses, rows, width, Number(attrs.ignored));
    return [gradient];
  });

  registerFusedKernel('LabAdamW', ({ weight = missing(), gradient, first, second }, attrs) => {
    const made = [like(weight), like(weight), like(weight)];
    const addresses = [weight, gradient, first, second, ...made].map(at);
    const { beta1, beta2, rate, epsilon, keep } = attrs;
    const numbers = [beta1, beta2, rate, epsilon, keep].map(Number);
    call('adamw', ...addresses, sizeOf(weight), ...numbers);
    return made;
  });
}

function activationOf({ kind }: tf.NamedAttrMap): number {
  return ACTIVATIONS[String(kind)] ?? missing();
}

/** Registers a kernel of float32 tensors; only labels are whole numbers. */
export function registerFusedKernel(kernelName: string, compute: Compute): void {
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs = {} }) => {
      const given: Record<string, tf.TensorInfo> = {};
      for (const [name, input] of Object.entries(inputs)) {
        if (input === undefined) continue;
        const dtype = name === 'labels' ? 'int32' : 'float32';
        if (input.dtype !== dtype) throw new TypeError(`${kernelName}: ${name} must be ${dtype}`);
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

export function missing(): never {
  throw new TypeError('a fused kernel was called without one of its inputs');
}
