/** Every operation that the lab's models and training use gives on every backend what the plain cpu backend gives. */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { gelu, geluTanh, layerNorm, MASKED, maskedSoftmax, rmsNorm, silu } from '../../src/core/index.ts';
import { expectSame, type Operation, some } from './same.ts';

const MATRIX_PRODUCTS: [string, number[], number[], boolean, boolean][] = [
  ['plain', [7, 5], [5, 9], false, false],
  ['right factor transposed', [7, 5], [9, 5], false, true],
  ['left factor transposed', [5, 7], [5, 9], true, false],
  ['both transposed', [5, 7], [9, 5], true, true],
  ['batched and transposed', [2, 3, 13, 6], [2, 3, 11, 6], false, true],
  ['one left factor for the batch', [13, 6], [4, 6, 10], false, false],
  ['one right factor for the batch', [4, 13, 6], [6, 10], false, false],
  ['one row, as in decoding', [1, 70], [130, 70], false, true],
  ['three rows and an odd depth', [3, 71], [66, 71], false, true],
  ['larger than every block', [101, 300], [300, 131], false, false],
  ['larger than every block, transposed', [300, 101], [131, 300], true, true],
];

// TensorFlow.js' own gradient of a product refuses factors whose batches differ.
const outer = (shape: number[]): string => shape.slice(0, -2).join();

describe('matrix products', () => {
  it.each(MATRIX_PRODUCTS)('%s', async (_, a, b, transposeA, transposeB) => {
    await expectSame((x, y) => tf.matMul(x, y, transposeA, transposeB), [a, b], outer(a) === outer(b));
  });

  it('with a bias', async () => {
    const product = (x: tf.Tensor, y: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
      tf.fused.matMul({ a: tf.reshape<tf.Rank.R2>(x, [7, 5]), b: tf.reshape<tf.Rank.R2>(y, [5, 9]), bias });
    await expectSame(
      (...[x, y, bias]) => product(some(x), some(y), some(bias)),
      [[7, 5], [5, 9], [9]],
      false,
    );
  });
});

const OPERATIONS: Record<string, [Operation, ...number[][]]> = {
  'add, same shapes': [(a, b) => tf.add(some(a), some(b)), [3, 5], [3, 5]],
  'add a bias to rows': [(a, b) => tf.add(some(a), some(b)), [2, 3, 7], [7]],
  'subtract a column': [(a, b) => tf.sub(some(a), some(b)), [2, 3, 7], [2, 3, 1]],
  'multiply a mask of the batch': [(a, b) => tf.mul(some(a), some(b)), [2, 3, 5, 7], [2, 1, 1, 7]],
  'multiply, both broadcast': [(a, b) => tf.mul(some(a), some(b)), [2, 1, 5], [3, 1]],
  'divide by a number': [(a) => tf.div(some(a), 3), [3, 5]],
  'divide a number': [(a) => tf.div(3, tf.exp(some(a))), [3, 5]],
  exp: [(a) => tf.exp(some(a)), [3, 5]],
  tanh: [(a) => tf.tanh(some(a)), [11, 13]],
  erf: [(a) => tf.erf(some(a)), [11, 13]],
  sigmoid: [(a) => tf.sigmoid(some(a)), [3, 5]],
  relu: [(a) => tf.relu(some(a)), [3, 5]],
  'square, root': [(a) => tf.sqrt(tf.add(tf.square(some(a)), 1)), [3, 5]],
  rsqrt: [(a) => tf.rsqrt(tf.exp(some(a))), [3, 5]],
  log: [(a) => tf.log(tf.exp(some(a))), [3, 5]],
  softplus: [(a) => tf.softplus(some(a)), [3, 5]],
  'sin and cos': [(a) => tf.add(tf.sin(some(a)), tf.cos(some(a))), [3, 5]],
  power: [(a) => tf.pow(tf.exp(some(a)), 2), [3, 5]],
  'sum of all': [(a) => tf.sum(some(a)), [3, 5, 7]],
  'sum of rows': [(a) => tf.sum(some(a), -1), [3, 5, 7]],
  'sum of columns': [(a) => tf.sum(some(a), [0, 1], true), [3, 5, 67]],
  'sum of an axis between': [(a) => tf.sum(some(a), 1), [3, 5, 7]],
  'sum of no axis': [(a) => tf.sum(some(a), []), [3, 5]],
  'mean of rows': [(a) => tf.mean(some(a), -1, true), [3, 5, 7]],
  'largest of rows': [(a) => tf.max(some(a), -1), [3, 5, 7]],
  softmax: [(a) => tf.softmax(some(a)), [3, 5, 9]],
  'log softmax': [(a) => tf.logSoftmax(some(a)), [3, 9]],
  'log of a sum of exponentials': [(a) => tf.logSumExp(some(a), -1), [3, 9]],
  transpose: [(a) => tf.transpose(some(a), [0, 2, 1, 3]), [2, 3, 5, 4]],
  concat: [(a, b) => tf.concat([some(a), some(b)], 1), [2, 3, 4], [2, 5, 4]],
  slice: [(a) => tf.slice(some(a), [0, 1], [2, 2]), [3, 5]],
  split: [(a) => tf.add(...pair(tf.split(some(a), 2, -1))), [3, 8]],
  stack: [(a, b) => tf.stack([some(a), some(b)], 1), [3, 4], [3, 4]],
  pad: [
    (a) =>
      tf.pad(some(a), [
        [1, 0],
        [0, 2],
      ]),
    [3, 4],
  ],
  tile: [(a) => tf.tile(some(a), [2, 3]), [3, 4]],
  'gather rows, some twice': [(a) => tf.gather(some(a), tf.tensor1d([1, 4, 1, 0], 'int32')), [5, 6]],
  'gather rows by a matrix': [
    (a) =>
      tf.gather(
        some(a),
        tf.tensor2d(
          [
            [1, 4, 1],
            [0, 3, 3],
          ],
          [2, 3],
          'int32',
        ),
      ),
    [5, 6],
  ],
  'choose by a condition': [(a, b) => tf.where(tf.greater(some(a), 0), some(a), some(b)), [3, 5], [3, 5]],
  maximum: [(a, b) => tf.maximum(some(a), some(b)), [3, 5], [3, 5]],
  clip: [(a) => tf.clipByValue(some(a), -1, 1), [3, 5]],
  'cumulative sum': [(a) => tf.cumsum(some(a), 1), [3, 5]],
  gelu: [(a) => gelu(some(a)), [11, 13]],
  'gelu by tanh': [(a) => geluTanh(some(a)), [11, 13]],
  silu: [(a) => silu(some(a)), [11, 13]],
  'layer norm': [
    (x, weight, bias) => layerNorm({ weight: some(weight), bias: some(bias) }, some(x), 1e-5),
    [4, 5, 13],
    [13],
    [13],
  ],
  'root-mean-square norm': [
    (x, weight) => rmsNorm({ weight: some(weight) }, some(x), 1e-5),
    [4, 5, 13],
    [13],
  ],
  'masked softmax, bias cast from whole numbers': [
    (s) =>
      maskedSoftmax(some(s), tf.cast(tf.tensor4d([[[[0, -1, 2, -3]]]], [1, 1, 1, 4], 'int32'), 'float32')),
    [2, 3, 5, 4],
  ],
  'a product with truth values': [
    (a) => tf.matMul(some(a), tf.cast(tf.tensor2d([true, false, true, true], [2, 2], 'bool'), 'float32')),
    [3, 2],
  ],
  'masked softmax, bias of a position': [
    (s, bias) => maskedSoftmax(some(s), some(bias)),
    [2, 3, 5, 7],
    [1, 3, 5, 7],
  ],
  'masked softmax, bias of every score': [
    (s, bias) => maskedSoftmax(some(s), some(bias)),
    [2, 3, 5, 7],
    [2, 3, 5, 7],
  ],
  'masked softmax, padding': [(s) => maskedSoftmax(some(s), padding()), [2, 3, 5, 7]],
};

/** Hides keys of the second row of the batch, and all keys of the first. */
function padding(): tf.Tensor {
  const bias = Array.from({ length: 14 }, (_, i) => (i < 7 || i > 11 ? MASKED : 0));
  return tf.tensor4d(bias, [2, 1, 1, 7]);
}

describe('values and gradients', () => {
  it.each(Object.entries(OPERATIONS))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(operation, shapes);
  });
});

const WITHOUT_GRADIENT: Record<string, [Operation, ...number[][]]> = {
  'one-hot as float32': [() => tf.oneHot(tf.tensor1d([2, 0], 'int32'), 4, 1, 0, 'float32')],
  // TensorFlow.js has no gradient of einsum, on any backend.
  einsum: [(a, b) => tf.einsum('bij,bkj->bik', some(a), some(b)), [2, 3, 4], [2, 5, 4]],
  'largest k': [(a) => tf.topk(some(a), 3).values, [3, 7]],
  'place of the largest': [(a) => tf.argMax(some(a), -1), [3, 7]],
  comparisons: [
    (a, b) => tf.cast(tf.logicalAnd(tf.less(some(a), some(b)), tf.notEqual(some(a), 0)), 'float32'),
    [3, 7],
    [3, 7],
  ],
  'whole numbers': [(a) => tf.cumsum(tf.cast(tf.greater(some(a), 0), 'int32'), 1), [3, 7]],
  'a cast to whole numbers and back': [(a) => tf.cast(tf.cast(some(a), 'int32'), 'float32'), [3, 7]],
  'whole numbers added': [(a) => tf.add(tf.cast(some(a), 'int32'), tf.scalar(2, 'int32')), [3, 7]],
};

describe('values without gradients', () => {
  it.each(Object.entries(WITHOUT_GRADIENT))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(operation, shapes, false);
  });
});

describe('the edges of functions', () => {
  it('exp, tanh, sigmoid and erf of very large and very small numbers, and of no number', async () => {
    await startBackend('wasm');
    const x = tf.tensor1d([0, -0, 1e-6, 50, -50, 88.5, 89, -120, Infinity, -Infinity, Number.NaN]);
    const exp = Array.from(await tf.exp(x).data());
    expect(exp.slice(0, 3)).toEqual([1, 1, Math.fround(1.000001)]);
    expect((exp[5] ?? 0) / Math.exp(88.5)).toBeCloseTo(1, 5);
    expect(exp.slice(6)).toEqual([Infinity, 0, Infinity, 0, Number.NaN]);
    expect(Array.from(await tf.tanh(x).data()).slice(3)).toEqual([1, -1, 1, 1, -1, 1, -1, Number.NaN]);
    expect(Array.from(await tf.erf(x).data()).slice(3)).toEqual([1, -1, 1, 1, -1, 1, -1, Number.NaN]);
    expect(Array.from(await tf.sigmoid(x).data()).slice(6)).toEqual([1, 0, 1, 0, Number.NaN]);
  });
});

function pair(tensors: tf.Tensor[]): [tf.Tensor, tf.Tensor] {
  return [some(tensors[0]), some(tensors[1])];
}
