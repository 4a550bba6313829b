/**
 * Kernels at sizes that are no multiple of anything: one, primes, and more than the threads of a workgroup or the numbers
 * of a vector, against the formulas on cpu.
 */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import {
  createRng,
  embed,
  gated,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  MASKED,
  maskedSoftmax,
  rmsNorm,
  silu,
  tokenLosses,
} from '../../src/core/index.ts';
import { adamW } from '../../src/training/index.ts';
import { BACKENDS, expectSame, type Operation, some } from './same.ts';

const norm: Operation = (x, weight, bias) =>
  layerNorm({ weight: some(weight), bias: some(bias) }, some(x), 1e-5);

/** Labels in [0, classes), every fifth of them ignored. */
function labels(rows: number, classes: number): tf.Tensor1D {
  const rng = createRng(`labels of ${rows}`);
  const ids = Array.from({ length: rows }, (_, i) => (i % 5 === 3 ? -100 : rng.integer(classes)));
  return tf.tensor1d(ids, 'int32');
}

const losses =
  (rows: number, classes: number): Operation =>
  (logits) =>
    tokenLosses(some(logits), labels(rows, classes));

/** Looks each row of a table up, the first far more often than the others. */
const lookUp =
  (uses: number, rows: number): Operation =>
  (table) => {
    const rng = createRng(`uses of ${rows}`);
    const ids = Array.from({ length: uses }, (_, i) => (i % 3 === 0 ? 0 : rng.integer(rows)));
    return embed(some(table), tf.tensor1d(ids, 'int32'), { paddingId: 1 });
  };

/** Hides the keys from `from` on. */
const hidden = (keys: number, from: number): tf.Tensor =>
  tf.tensor4d(
    Array.from({ length: keys }, (_, i) => (i < from ? 0 : MASKED)),
    [1, 1, 1, keys],
  );

const OPERATIONS: Record<string, [Operation, ...number[][]]> = {
  'norm of one row': [norm, [1, 7], [7], [7]],
  'norm of one number a row': [norm, [5, 1], [1], [1]],
  'norm of wide rows': [norm, [3, 1031], [1031], [1031]],
  'norm of many rows': [norm, [307, 11], [11], [11]],
  'root-mean-square norm of wide rows': [
    (x, weight) => rmsNorm({ weight: some(weight) }, some(x), 1e-5),
    [131, 257],
    [257],
  ],
  'activation of one number': [(x) => gelu(some(x)), [1]],
  'activation of a prime of numbers': [(x) => silu(some(x)), [1031]],
  'gated, a prime of numbers': [(gate, up) => gated(silu, some(gate), some(up)), [1, 521], [1, 521]],
  'losses of one row': [losses(1, 3), [1, 3]],
  'losses of many classes': [losses(7, 1301), [7, 1301]],
  'softmax of one key': [(s) => maskedSoftmax(some(s), hidden(1, 1)), [2, 3, 5, 1]],
  'softmax of which all is hidden': [(s) => maskedSoftmax(some(s), hidden(3, 0)), [2, 3, 5, 3]],
  'softmax of many keys': [(s) => maskedSoftmax(some(s), hidden(613, 599)), [1, 2, 3, 613]],
  'linear layer of one row and one number': [
    (x, weight, bias) => linear({ weight: some(weight), bias: some(bias) }, some(x)),
    [1, 1],
    [1, 1],
    [1],
  ],
  'linear layer of one row, wide': [
    (x, weight, bias) => linear({ weight: some(weight), bias: some(bias) }, some(x)),
    [1, 1, 523],
    [67, 523],
    [67],
  ],
  'linear layer of four rows': [
    (x, weight) => linear({ weight: some(weight) }, some(x)),
    [2, 2, 37],
    [131, 37],
  ],
  'linear layer of five rows': [
    (x, weight, bias) => linear({ weight: some(weight), bias: some(bias) }, some(x)),
    [5, 37],
    [131, 37],
    [131],
  ],
  'table of one row': [lookUp(4, 2), [2, 1]],
  'table of wide rows, used often': [lookUp(601, 5), [5, 263]],
  'transpose that moves no number': [(x) => tf.transpose(some(x), [0, 2, 1, 3]), [2, 1, 5, 3]],
  'transpose of a token’s heads': [(x) => tf.transpose(some(x), [0, 2, 1, 3]), [2, 5, 1, 3]],
  'transpose of a single column': [(x) => tf.transpose(some(x), [1, 0]), [1, 7]],
  'transpose that moves numbers': [(x) => tf.transpose(some(x), [2, 1, 0]), [3, 1, 5]],
  'slice of all': [(x) => tf.slice(some(x), [0, 0], [3, -1]), [3, 5]],
  'slice from the start': [(x) => tf.slice(some(x), [0, 0], [2, 5]), [3, 5]],
  'sum of many rows': [(x) => tf.sum(some(x), [0, 1]), [19, 23, 5]],
  'sum of a piece of numbers': [(x) => tf.sum(some(x)), [4096]],
  'sum of a piece of numbers and one': [(x) => tf.sum(some(x)), [17, 241]],
  'mean of many numbers, kept': [(x) => tf.mean(some(x), [0, 1], true), [131, 97]],
  'mean of rows, kept': [(x) => tf.mean(some(x), 0, true), [131, 67]],
};

const product =
  (transposeA: boolean, transposeB: boolean): Operation =>
  (a, b) =>
    tf.matMul(tf.mul(some(a), 1 / 64), some(b), transposeA, transposeB); // small: long sums differ by their rounding

/** Larger than a tile of any kernel, and no multiple of one. */
const PRODUCTS: Record<string, [Operation, ...number[][]]> = {
  plain: [product(false, false), [67, 83], [83, 131]],
  'right factor transposed': [product(false, true), [67, 83], [131, 83]],
  'left factor transposed': [product(true, false), [83, 67], [83, 131]],
  'both transposed': [product(true, true), [83, 67], [131, 83]],
  'more rows than columns': [product(false, true), [203, 9], [70, 9]],
  'of exactly a tile': [product(false, false), [64, 16], [16, 64]],
  'one more than a tile': [product(false, true), [65, 17], [65, 17]],
  'a batch': [product(false, true), [2, 3, 33, 5], [2, 3, 41, 5]],
  'a long sum': [product(false, false), [33, 1301], [1301, 35]],
  'a long sum, transposed': [product(true, true), [1301, 33], [35, 1301]],
  'a linear layer': [
    (x, weight, bias) => linear({ weight: some(weight), bias: some(bias) }, some(x)),
    [3, 33, 37],
    [71, 37],
    [71],
  ],
};

describe('products', () => {
  it.each(Object.entries(PRODUCTS))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(operation, shapes);
  });

  it.each([
    [
      [4, 33, 6],
      [1, 6, 35],
    ],
    [
      [1, 33, 6],
      [4, 6, 35],
    ],
  ])('one factor for a batch: %j and %j', async (...shapes) => {
    await expectSame(product(false, false), shapes, false);
  });
});

describe('values and gradients', () => {
  it.each(Object.entries(OPERATIONS))('%s', async (_, [operation, ...shapes]) => {
    await expectSame(operation, shapes);
  });
});

/** The same with no number in its second row. */
const spoiled = (x: tf.Tensor | undefined): tf.Tensor => {
  const [rows = 0] = some(x).shape;
  const column = tf.tensor2d(Array.from({ length: rows }, (_, row) => [row === 1 ? NaN : 0]));
  return tf.add(some(x), column);
};

describe('what is no number stays none, and spoils no other row', () => {
  it.each<[string, Operation]>([
    ['gelu', (x) => gelu(spoiled(x))],
    ['gelu by tanh', (x) => geluTanh(spoiled(x))],
    ['silu', (x) => silu(spoiled(x))],
    ['norm', (x) => rmsNorm({ weight: tf.ones([7]) }, spoiled(x), 1e-5)],
    ['losses', (x) => tokenLosses(spoiled(x), tf.tensor1d([1, 2, 3], 'int32'))],
    ['softmax', (x) => maskedSoftmax(tf.reshape(spoiled(x), [1, 1, 3, 7]), hidden(7, 5))],
    ['sum', (x) => tf.sum(spoiled(x), 1)],
  ])('%s', async (_, operation) => {
    await expectSame(operation, [[3, 7]], false);
  });
});

describe('more numbers than a GPU takes workgroups along one axis', () => {
  it('are all computed', async () => {
    await expectSame((x) => silu(some(x)), [[64 * 65_535 + 7]], false);
  });
});

describe('a step of AdamW', () => {
  it.each([1, 65, 1031])('changes %i weights as on cpu', async (size) => {
    const after = async (backend: string): Promise<number[]> => {
      await startBackend(backend);
      const rng = createRng(size);
      const draw = (): tf.Tensor => tf.tensor1d(Float32Array.from({ length: size }, rng.normal));
      const weight = tf.tidy(() => tf.variable(draw()));
      const optimizer = adamW({ weightDecay: 0.1 });
      for (let step = 0; step < 3; step++) {
        tf.tidy(() => optimizer.update(new Map([['weight', weight]]), new Map([['weight', draw()]]), 0.05));
      }
      const values = Array.from(await weight.data());
      weight.dispose();
      optimizer.dispose();
      return values;
    };
    const expected = await after('cpu');
    for (const backend of BACKENDS) {
      const values = await after(backend);
      expect(Math.max(...values.map((value, i) => Math.abs(value - (expected[i] ?? NaN))))).toBeLessThan(
        2e-6,
      );
    }
  });
});
