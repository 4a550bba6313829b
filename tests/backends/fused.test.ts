/** The operations that a backend has as one kernel give what their formulas give on cpu, values, gradients and second derivatives. */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { fusedAttention } from '../../src/core/fused-attention.ts';
import {
  causalBias,
  crossEntropy,
  gated,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  MASKED,
  maskedSoftmax,
  paddingBias,
  type RotaryTables,
  rmsNorm,
  rotateHalves,
  rotateInterleaved,
  scaledDotProductAttention,
  silu,
  tokenLosses,
} from '../../src/core/index.ts';
import { expectSame, type Operation, some } from './same.ts';

/** Attention as one kernel where there is one, else its formula. */
function attend(inputs: (tf.Tensor | undefined)[], bias: tf.Tensor | undefined): tf.Tensor {
  const [q, k, v] = inputs.map((x): tf.Tensor4D => tf.reshape(some(x), rank4(some(x))));
  if (q === undefined || k === undefined || v === undefined) throw new Error('attention needs three inputs');
  const scale = 0.4;
  const fused = fusedAttention(q, k, v, { bias, scale, keys: k.shape[2] });
  expect(fused !== undefined).toBe(tf.getBackend() !== 'cpu' && tf.engine().state.gradientDepth < 2);
  return fused ?? scaledDotProductAttention(q, k, v, { bias, scale }).output;
}

function rank4({ shape: [a = 1, b = 1, c = 1, d = 1] }: tf.Tensor): [number, number, number, number] {
  return [a, b, c, d];
}

/** The first row of the batch sees nothing at all, the second all but its first two keys and its last. */
function padding(keys: number): tf.Tensor {
  const mask = [
    new Array<number>(keys).fill(0),
    Array.from({ length: keys }, (_, i) => Number(i > 1 && i < keys - 1)),
  ];
  return paddingBias(tf.tensor2d(mask));
}

/** Scores outside a window of three keys are masked. */
function windowBias(length: number): tf.Tensor {
  const bias = Array.from({ length: length ** 2 }, (_, i) =>
    Math.abs(Math.floor(i / length) - (i % length)) > 1 ? MASKED : 0,
  );
  return tf.tensor(bias, [1, 1, length, length]);
}

function tables(batch: number, length: number, pairs: number): RotaryTables {
  const angles = tf.reshape(tf.mul(tf.range(0, batch * length * pairs), 0.37), [batch, 1, length, pairs]);
  return { cos: tf.cos(angles), sin: tf.sin(angles) };
}

const OPERATIONS: Record<string, [Operation, ...number[][]]> = {
  'linear layer': [(x, weight) => linear({ weight: some(weight) }, some(x)), [2, 3, 7], [5, 7]],
  'linear layer with a bias, many rows': [
    (x, weight, bias) => linear({ weight: some(weight), bias: some(bias) }, some(x)),
    [3, 50, 33],
    [17, 33],
    [17],
  ],
  'attention without a mask': [(...x) => attend(x, undefined), [2, 3, 9, 5], [2, 3, 11, 5], [2, 3, 11, 5]],
  'causal attention': [(...x) => attend(x, causalBias(21, 21)), [2, 2, 21, 8], [2, 2, 21, 8], [2, 2, 21, 8]],
  'attention with fewer keys than queries have heads': [
    (...x) => attend(x, causalBias(9, 9)),
    [2, 6, 9, 4],
    [2, 2, 9, 4],
    [2, 2, 9, 4],
  ],
  'attention of one query': [(...x) => attend(x, undefined), [2, 3, 1, 6], [2, 3, 19, 6], [2, 3, 19, 6]],
  'attention with values of another width': [
    (...x) => attend(x, undefined),
    [1, 2, 5, 7],
    [1, 2, 6, 7],
    [1, 2, 6, 10],
  ],
  'attention to padding': [(...x) => attend(x, padding(12)), [2, 2, 12, 6], [2, 2, 12, 6], [2, 2, 12, 6]],
  'attention of two queries to padding': [
    (...x) => attend(x, padding(12)),
    [2, 2, 2, 6],
    [2, 2, 12, 6],
    [2, 2, 12, 6],
  ],
  'attention within a window': [
    (...x) => attend(x, windowBias(37)),
    [1, 1, 37, 4],
    [1, 1, 37, 4],
    [1, 1, 37, 4],
  ],
  'attention over more keys and queries than a block': [
    (...x) => attend(x, causalBias(203, 301)),
    [1, 1, 203, 8],
    [1, 1, 301, 8],
    [1, 1, 301, 8],
  ],
  'attention with a learned bias': [
    (q, k, v, bias) => attend([q, k, v], tf.add(some(bias), padding(7))),
    [2, 3, 5, 4],
    [2, 3, 7, 4],
    [2, 3, 7, 4],
    [1, 3, 5, 7],
  ],
  'gated silu': [(gate, up) => gated(silu, some(gate), some(up)), [3, 11], [3, 11]],
  'gated gelu': [(gate, up) => gated(gelu, some(gate), some(up)), [3, 11], [3, 11]],
  'gated gelu by tanh': [(gate, up) => gated(geluTanh, some(gate), some(up)), [3, 11], [3, 11]],
  'rotation of halves': [
    (x) => rotateHalves(tf.reshape(some(x), [2, 3, 5, 10]), tables(1, 5, 5)),
    [2, 3, 5, 10],
  ],
  'rotation of neighbours, positions of each row': [
    (x) => rotateInterleaved(tf.reshape(some(x), [2, 3, 5, 8]), tables(2, 5, 4)),
    [2, 3, 5, 8],
  ],
  'cross entropy': [
    (logits) =>
      tokenLosses(
        some(logits),
        tf.tensor2d(
          [
            [0, 8, -100],
            [3, -100, 1],
          ],
          [2, 3],
          'int32',
        ),
      ),
    [2, 3, 9],
  ],
};

describe('values and gradients', () => {
  it.each(Object.entries(OPERATIONS))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(operation, shapes);
  });
});

/** The slope of the squared slope of an operation's squared result by its first input. */
function secondDerivative(operation: Operation): Operation {
  return (first, ...rest) => {
    const squared = (x: tf.Tensor): tf.Tensor => tf.sum(tf.square(operation(x, ...rest)));
    return tf.grad((x) => tf.sum(tf.square(tf.grad(squared)(x))))(some(first));
  };
}

const TWICE: Record<string, [Operation, ...number[][]]> = {
  'linear layer': [(x, weight) => linear({ weight: some(weight) }, some(x)), [3, 4], [2, 4]],
  'layer norm': [
    (x, weight, bias) => layerNorm({ weight: some(weight), bias: some(bias) }, some(x), 1e-2),
    [3, 5],
    [5],
    [5],
  ],
  'root-mean-square norm': [(x, weight) => rmsNorm({ weight: some(weight) }, some(x), 1e-2), [3, 5], [5]],
  gelu: [(x) => gelu(some(x)), [3, 5]],
  'gelu by tanh': [(x) => geluTanh(some(x)), [3, 5]],
  'gated silu': [(gate, up) => gated(silu, some(gate), some(up)), [3, 5], [3, 5]],
  'masked softmax': [(x) => maskedSoftmax(some(x), causalBias(4, 4)), [1, 2, 4, 4]],
  attention: [(...x) => attend(x, causalBias(4, 4)), [1, 2, 4, 3], [1, 2, 4, 3], [1, 2, 4, 3]],
  rotation: [(x) => rotateHalves(tf.reshape(some(x), [1, 2, 3, 4]), tables(1, 3, 2)), [1, 2, 3, 4]],
  'cross entropy': [(x) => crossEntropy(some(x), tf.tensor1d([2, -100, 0], 'int32')), [3, 4]],
};

describe('second derivatives', () => {
  it.each(Object.entries(TWICE))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(secondDerivative(operation), shapes, false);
  });

  // Half of the difference of two slopes says the same without differentiating twice.
  it('cross entropy agrees with finite differences', async () => {
    await startBackend('cpu');
    const labels = tf.tensor1d([2, 0], 'int32');
    const at = (shift: number): tf.Tensor =>
      tf.tensor2d([
        [0.3 + shift, -1, 0.5],
        [1, 2, -0.4],
      ]);
    const slope = (x: tf.Tensor): tf.Tensor => tf.grad((y) => crossEntropy(y, labels))(x);
    const energy = (x: tf.Tensor): tf.Tensor => tf.sum(tf.square(slope(x)));
    const step = 0.01;
    const [up, down] = [energy(at(step)).dataSync()[0] ?? NaN, energy(at(-step)).dataSync()[0] ?? NaN];
    const twice = tf.grad(energy)(at(0)).dataSync()[0];
    expect(twice).toBeCloseTo((up - down) / (2 * step), 3);
  });

  it('says what to do where a kernel stands outside the inner gradient', async () => {
    await startBackend('wasm');
    const outside = (x: tf.Tensor): tf.Tensor => {
      const normed = rmsNorm({ weight: tf.ones([3]) }, x, 1e-5);
      return tf.sum(tf.grad((y) => tf.sum(tf.mul(normed, y)))(x));
    };
    expect(() => tf.grad(outside)(tf.tensor2d([[1, 2, 4]]))).toThrow(/inside the inner tf\.grad/);
  });
});

describe('keys with room behind them', () => {
  it('counts the first keys alone', async () => {
    await startBackend('wasm');
    const q = tf.randomNormal<tf.Rank.R4>([2, 4, 3, 8], 0, 1, 'float32', 1);
    const k = tf.randomNormal<tf.Rank.R4>([2, 2, 20, 8], 0, 1, 'float32', 2);
    const v = tf.randomNormal<tf.Rank.R4>([2, 2, 20, 8], 0, 1, 'float32', 3);
    const cut = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 0, 0, 0], [2, 2, 13, 8]);
    const bias = causalBias(3, 13);
    const fused = fusedAttention(q, k, v, { bias, scale: 0.3, keys: 13 });
    const plain = scaledDotProductAttention(q, cut(k), cut(v), { bias, scale: 0.3 }).output;
    expect(tf.max(tf.abs(tf.sub(some(fused), plain))).dataSync()[0]).toBeLessThan(1e-6);
  });
});
