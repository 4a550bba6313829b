import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import {
  causalBias,
  createRng,
  dropout,
  embed,
  type KeyValue,
  linear,
  MASKED,
  mergeHeads,
  multiHeadAttention,
  paddingBias,
  scaledDotProductAttention,
  splitHeads,
} from '../../src/core/index.ts';

await startBackend();

const rng = createRng('attention');

function draw<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor<R>(
    Float32Array.from({ length: size }, () => rng.normal()),
    shape,
  );
}

const square = (width: number) => ({
  weight: draw<tf.Rank.R2>([width, width]),
  bias: draw<tf.Rank.R1>([width]),
});

describe('masks', () => {
  it('give 0 to tokens and MASKED to padding', async () => {
    const bias = paddingBias(
      tf.tensor2d(
        [
          [1, 1, 0],
          [0, 1, 1],
        ],
        [2, 3],
        'int32',
      ),
    );
    expect(bias.shape).toEqual([2, 1, 1, 3]);
    expect(await bias.data()).toEqual(Float32Array.of(0, 0, MASKED, MASKED, 0, 0));
  });

  it('let query i of T see the keys up to i + S − T', async () => {
    const seen = async (t: number, s: number): Promise<unknown> =>
      tf.cast(tf.equal(tf.squeeze(causalBias(t, s), [0, 1]), 0), 'int32').array();
    expect(await seen(2, 4)).toEqual([
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ]);
    expect(await seen(3, 3)).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ]);
    expect(await seen(3, 2)).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
  });
});

describe('heads', () => {
  it('are neighbouring features of each token, and merge back', async () => {
    const x = tf.reshape(tf.range(0, 24), [1, 2, 12]);
    const heads = splitHeads(x, 3);
    expect(heads.shape).toEqual([1, 3, 2, 4]);
    expect(await tf.slice(heads, [0, 1, 0, 0], [1, 1, 2, 4]).data()).toEqual(
      new Float32Array([4, 5, 6, 7, 16, 17, 18, 19]),
    );
    expect(await mergeHeads(heads).data()).toEqual(await x.data());
  });

  it('must divide the width', () => {
    expect(() => splitHeads(tf.zeros([1, 2, 10]), 3)).toThrow(/divisible by 3 heads, got \[1,2,10\]/);
  });
});

describe('a fully masked row', () => {
  it('attends to nothing, and has no gradient: zeros, never NaN', async () => {
    const [q, k, v] = [
      draw<tf.Rank.R4>([1, 2, 3, 4]),
      draw<tf.Rank.R4>([1, 2, 5, 4]),
      draw<tf.Rank.R4>([1, 2, 5, 4]),
    ];
    // Causal and padding bias together mask some keys twice; the first query sees nothing.
    const bias = tf.add(causalBias(3, 5), paddingBias(tf.tensor2d([[0, 0, 0, 1, 0]], [1, 5], 'int32')));
    const { output, probabilities } = scaledDotProductAttention(q, k, v, { bias });
    const first = await tf.slice(output, [0, 0, 0, 0], [1, 2, 1, 4]).data();
    expect(Array.from(first)).toEqual(Array(8).fill(0));
    expect(Array.from(await tf.sum(probabilities, -1).data())).toEqual([0, 1, 1, 0, 1, 1]);
    const gradient = tf.grad((x) =>
      tf.sum(scaledDotProductAttention(tf.reshape<tf.Rank.R4>(x, q.shape), k, v, { bias }).output),
    )(q);
    expect((await gradient.data()).every(Number.isFinite)).toBe(true);
  });
});

describe('multi-head attention', () => {
  const params = { query: square(12), key: square(12), value: square(12), output: square(12) };
  const x = draw<tf.Rank.R3>([2, 5, 12]);

  it('takes keys and values from elsewhere, and asks the cache for them', async () => {
    const encoder = draw<tf.Rank.R3>([2, 7, 12]);
    const shapes: number[][] = [];
    const cache = (compute: () => KeyValue): KeyValue => {
      const fresh = compute();
      shapes.push(fresh.key.shape, fresh.value.shape);
      return fresh;
    };
    const options = { numHeads: 3, keyValue: encoder };
    const plain = await multiHeadAttention(params, x, options).data();
    expect(await multiHeadAttention(params, x, { ...options, cache }).data()).toEqual(plain);
    expect(shapes).toEqual([
      [2, 3, 7, 4],
      [2, 3, 7, 4],
    ]);
    expect(await multiHeadAttention(params, x, { numHeads: 3 }).data()).not.toEqual(plain);
  });

  it('runs the attention that it is given', () => {
    let seen: number[] = [];
    multiHeadAttention(params, x, {
      numHeads: 3,
      attention: (q, k, v, options) => {
        seen = q.shape;
        return scaledDotProductAttention(q, k, v, options);
      },
    });
    expect(seen).toEqual([2, 3, 5, 4]);
  });

  it('refuses shapes that do not fit', () => {
    expect(() => linear(params.query, tf.zeros([2, 11]))).toThrow(/expects inputs of width 12, got \[2,11\]/);
    const heads = tf.zeros<tf.Rank.R4>([1, 3, 2, 4]);
    expect(() => scaledDotProductAttention(heads, tf.zeros<tf.Rank.R4>([1, 2, 2, 4]), heads)).toThrow(
      /shapes do not fit/,
    );
  });
});

describe('dropout', () => {
  it('is the identity in evaluation', () => {
    const x = tf.ones([3]);
    expect(dropout(x, 0.5, undefined)).toBe(x);
  });

  it('drops a share and keeps the expectation, the same for the same seed', async () => {
    const run = async (seed: number): Promise<Float32Array> =>
      Float32Array.from(await dropout(tf.ones([100, 200]), 0.3, createRng(seed)).data());
    const values = await run(1);
    expect(values.filter((v) => v === 0).length / values.length).toBeCloseTo(0.3, 1);
    expect(values.reduce((sum, v) => sum + v, 0) / values.length).toBeCloseTo(1, 1);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
    expect(await run(1)).toEqual(values);
    expect(await run(2)).not.toEqual(values);
  });

  it('refuses a rate that is none', () => {
    expect(() => dropout(tf.ones([3]), 1, createRng(1))).toThrow('rate must lie in [0, 1), got 1');
  });
});

describe('embed', () => {
  it('refuses ids that are not int32', () => {
    expect(() => embed(tf.zeros([3, 2]), tf.tensor1d([0, 1]))).toThrow('ids must be int32, got float32');
  });
});
