/**
 * The lab's kernels in TensorFlow's addon, where they differ from the other backend's: sizes beyond their blocks, and
 * tensors that they leave to TensorFlow. The tests of kernels and of fused operations compare the rest.
 */

import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { causalBias, multiHeadAttention } from '../../src/core/index.ts';
import { expectSame, HAS_NATIVE, type Operation, some } from './same.ts';

beforeEach(async (context) => {
  if (!HAS_NATIVE)
    context.skip('no tensorflow backend with kernels here: npx lab backend install tensorflow');
  await startBackend('tensorflow');
});

/** What TensorFlow's library holds, tensors that only share numbers included. */
function nativeTensors(): number {
  const backend = tf.backend();
  if (!('getNumOfTFTensors' in backend) || typeof backend.getNumOfTFTensors !== 'function') {
    throw new Error('not the backend of tfjs-node');
  }
  return Number(backend.getNumOfTFTensors());
}

const numbersOf = async (tensor: tf.Tensor): Promise<number[]> => Array.from(await tensor.data());

/** Attention of 2 heads on x [B, T, 2·d], each position seeing those before it. */
const causalAttention: Operation = (x, ...weights) => {
  const [query, key, value, output] = weights.map((weight) => ({ weight }));
  if (!x || !query || !key || !value || !output) throw new Error('too few inputs');
  const length = x.shape[1] ?? 0;
  return multiHeadAttention({ query, key, value, output }, x, {
    numHeads: 2,
    bias: causalBias(length, length),
  });
};

const LARGE: Record<string, [Operation, ...number[][]]> = {
  'a product wider than the copy of its right factor': [
    (a, b) => tf.matMul(some(a), some(b)),
    [5, 6],
    [6, 4150],
  ],
  'one row with many columns': [(a, b) => tf.matMul(some(a), some(b)), [1, 30], [30, 1003]],
  'few rows, the left factor transposed': [
    (a, b) => tf.matMul(some(a), some(b), true, true),
    [70, 3],
    [150, 70],
  ],
  'a batch of more products than threads': [
    (a, b) => tf.matMul(some(a), some(b), true, false),
    [70, 9, 13],
    [70, 9, 21],
  ],
  'causal attention over several blocks, heads of whole vectors': [
    causalAttention,
    [1, 70, 32],
    [32, 32],
    [32, 32],
    [32, 32],
    [32, 32],
  ],
  'causal attention over several blocks, heads of odd width': [
    causalAttention,
    [2, 61, 14],
    [14, 14],
    [14, 14],
    [14, 14],
    [14, 14],
  ],
};

describe('sizes beyond the kernels’ blocks', () => {
  it.each(Object.entries(LARGE))('%s', { timeout: 60_000 }, async (_, [operation, ...shapes]) => {
    // Smaller numbers keep sums over many of them comparable.
    await expectSame((...inputs) => operation(...inputs.map((x) => tf.mul(x, 0.2))), shapes);
  });
});

describe('tensors that share their numbers', () => {
  it('have the shape that TensorFlow’s own operations must see', async () => {
    const sum = tf.tidy(() => tf.cumsum(tf.reshape(tf.add(tf.tensor1d([1, 2, 3, 4, 5, 6]), 0), [2, 3]), 1));
    expect(await numbersOf(sum)).toEqual([1, 3, 6, 4, 9, 15]);
    sum.dispose();
  });

  it('outlive the one that was made first', async () => {
    const first = tf.tidy(() => tf.add(tf.tensor1d([1, 2, 3, 4]), 1));
    const second = tf.reshape(first, [2, 2]);
    first.dispose();
    const product = tf.matMul(second, second);
    expect(await numbersOf(product)).toEqual([16, 21, 28, 37]);
    tf.dispose([second, product]);
  });

  it('leave nothing behind in TensorFlow’s library', () => {
    const before = nativeTensors();
    for (let i = 0; i < 3; i++) {
      tf.tidy(() => {
        const x = tf.ones<tf.Rank.R2>([4, 6]);
        const y = tf.reshape(tf.matMul(x, x, false, true), [2, 8]);
        return tf.sum(tf.cumsum(tf.expandDims(y, 0), 2));
      }).dispose();
    }
    expect(nativeTensors()).toBe(before);
  });
});

describe('what is left to TensorFlow', () => {
  it('tensors without numbers', async () => {
    const empty = tf.zeros<tf.Rank.R2>([0, 3]);
    expect(tf.matMul(empty, tf.ones<tf.Rank.R2>([3, 2])).shape).toEqual([0, 2]);
    expect(await numbersOf(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])))).toEqual([0, 0, 0, 0]);
    expect(tf.add(empty, 1).shape).toEqual([0, 3]);
    expect(tf.transpose(empty).shape).toEqual([3, 0]);
    expect(await numbersOf(tf.sum(empty, 0))).toEqual([0, 0, 0]);
  });

  it('whole numbers', async () => {
    const whole = tf.tensor2d([1, -2, 3, 4], [2, 2], 'int32');
    expect(await numbersOf(tf.add(whole, whole))).toEqual([2, -4, 6, 8]);
    expect(await numbersOf(tf.transpose(whole))).toEqual([1, 3, -2, 4]);
    expect(await numbersOf(tf.sum(whole))).toEqual([6]);
    expect(tf.neg(whole).dtype).toBe('int32');
  });

  it('axes beyond the fourth', async () => {
    const x = tf.reshape(tf.range(0, 32), [2, 2, 2, 2, 2]);
    const turned = await numbersOf(tf.transpose(x, [4, 3, 2, 1, 0]));
    expect(turned.slice(0, 4)).toEqual([0, 16, 8, 24]);
  });
});

describe('what is no number', () => {
  it('stays where it is, and nowhere else', async () => {
    const x = tf.tensor2d([1, Number.NaN, 2, 3], [2, 2]);
    expect(await numbersOf(tf.softmax(x))).toEqual([
      Number.NaN,
      Number.NaN,
      expect.closeTo(1 / (1 + Math.E), 6),
      expect.closeTo(1 / (1 + 1 / Math.E), 6),
    ]);
    expect(await numbersOf(tf.relu(x))).toEqual([1, Number.NaN, 2, 3]);
    expect(await numbersOf(tf.matMul(x, tf.eye(2)))).toEqual([Number.NaN, Number.NaN, 2, 3]);
  });

  it('functions have their limits', async () => {
    const x = tf.tensor1d([Infinity, -Infinity, Number.NaN, 100, -100, 88.5, -0]);
    expect((await numbersOf(tf.exp(x))).map((y) => Math.fround(y / 1e38))).toEqual(
      [Infinity, 0, Number.NaN, Infinity, 0, Math.exp(88.5) / 1e38, 1e-38].map((y) =>
        y > 2 && y < 1e9 ? expect.closeTo(y, 4) : y === 1e-38 ? Math.fround(1e-38) : y,
      ),
    );
    expect((await numbersOf(tf.tanh(x))).slice(0, 5)).toEqual([1, -1, Number.NaN, 1, -1]);
    expect((await numbersOf(tf.sigmoid(x))).slice(0, 3)).toEqual([1, 0, Number.NaN]);
    expect((await numbersOf(tf.erf(x))).slice(0, 5)).toEqual([1, -1, Number.NaN, 1, -1]);
  });

  it('attention to a masked key that is no number shows it, as the formula does', async () => {
    const heads = (values: number[]): tf.Tensor4D => tf.tensor4d(values, [1, 1, 2, 1]);
    const inputs = { q: heads([1, 1]), k: heads([1, Number.NaN]), v: heads([5, 6]), bias: causalBias(2, 2) };
    const attrs = { scale: 1, keys: 2, threshold: -5e29 };
    const [y] = tf.engine().runKernel<tf.Tensor[]>('LabAttention', inputs, attrs);
    expect(await numbersOf(some(y))).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('numbers of rows', () => {
  it('outside of a table are refused', () => {
    const table = tf.ones<tf.Rank.R2>([3, 2]);
    expect(() => tf.gather(table, tf.tensor1d([0, 3], 'int32'))).toThrow('outside of the table');
    expect(() => tf.gather(table, tf.tensor1d([-1], 'int32'))).toThrow('outside of the table');
  });

  it('of segments: negative ones are left out, as in TensorFlow, and too large ones refused', async () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const sum = (ids: number[]): tf.Tensor => tf.unsortedSegmentSum(x, tf.tensor1d(ids, 'int32'), 2);
    expect(await numbersOf(sum([-1, 1]))).toEqual([0, 0, 3, 4]);
    expect(() => sum([0, 2])).toThrow('segment');
  });
});
