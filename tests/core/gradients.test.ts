import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import '../../src/core/gradients.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** d/dx Σ f(x) at four points on both sides of 1. */
const gradientAt = async (f: (x: tf.Tensor) => tf.Tensor): Promise<number[]> => {
  const points = tf.tensor1d([-2, 0.5, 1.5, 3]);
  return Array.from(
    await tf
      .grad((x: tf.Tensor) => tf.sum(f(x)))(points)
      .data(),
  );
};

describe('a mask made from the values themselves', () => {
  const masks: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    greater: (x) => tf.greater(x, 1),
    lessEqual: (x) => tf.logicalNot(tf.lessEqual(x, 1)),
    less: (x) => tf.less(1, x),
    both: (x) => tf.logicalAnd(tf.greater(x, 1), tf.notEqual(x, 100)),
    either: (x) => tf.logicalOr(tf.greater(x, 1), tf.equal(x, 100)),
  };
  for (const [name, mask] of Object.entries(masks)) {
    it(`lets the gradient through where it lets the value through (${name})`, async () => {
      expect(await gradientAt((x) => tf.mul(tf.square(x), tf.cast(mask(x), 'float32')))).toEqual([
        0, 0, 3, 6,
      ]);
      expect(await gradientAt((x) => tf.where(mask(x), tf.square(x), tf.zerosLike(x)))).toEqual([0, 0, 3, 6]);
    });
  }
});

describe('logSigmoid inside of tidy', () => {
  it('has the gradient 1 − σ(x), and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const x = tf.tensor1d([-2, 0, 1.5, 30]);
    const gradient = tf.grad((at: tf.Tensor) => tf.tidy(() => tf.sum(tf.logSigmoid(tf.mul(at, 2)))))(x);
    const expected = [-2, 0, 1.5, 30].map((at) => 2 / (1 + Math.exp(2 * at)));
    for (const [i, got] of (await gradient.data()).entries()) expect(got).toBeCloseTo(expected[i] ?? 0, 6);
    tf.dispose([x, gradient]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
