import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { crossEntropy, IGNORED, tokenLosses } from '../../src/core/losses.ts';

// Expected numbers: losses.py, PyTorch 2.13.
const EXPECTED_LOSS = 9.750221252441406;
const EXPECTED_EACH = [7.820821, 24.269989, 0, 0, 3.953894, 2.956183];
const EXPECTED_GRADIENT = [
  0.004071, 0.2149827, 0.0014648, -0.2498997, 0.0293811, -0.25, 0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0.0338229, 0.0001071, 0.0012537, 0.2100213, -0.245205, 0.000102, -0.2369957, 0.2358131, 0.0008764,
  0.0002043,
];

describe.each(['cpu', 'wasm'])('cross entropy on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  const inputs = (): { logits: tf.Tensor; labels: tf.Tensor } => {
    const values = Array.from({ length: 30 }, (_, i) => Math.sin(Math.fround(i * Math.fround(1.7))) * 4);
    for (let i = 5; i < 10; i++) values[i] = (values[i] ?? 0) * 100;
    return {
      logits: tf.tensor(values, [2, 3, 5]),
      labels: tf.tensor2d(
        [
          [3, 0, IGNORED],
          [IGNORED, 4, 1],
        ],
        [2, 3],
        'int32',
      ),
    };
  };

  it('is the mean over the labels that count, as in PyTorch', async () => {
    const { logits, labels } = inputs();
    expect((await crossEntropy(logits, labels).data())[0]).toBeCloseTo(EXPECTED_LOSS, 4);
    const each = await tokenLosses(logits, labels).data();
    for (const [i, expected] of EXPECTED_EACH.entries()) expect(each[i]).toBeCloseTo(expected, 4);
  });

  it('has the gradient of PyTorch, through inner tidies too', async () => {
    const { logits, labels } = inputs();
    const gradient = tf.grad((x) => tf.tidy(() => crossEntropy(tf.mul(x, 1), labels)))(logits);
    for (const [i, value] of (await gradient.data()).entries())
      expect(value).toBeCloseTo(EXPECTED_GRADIENT[i] ?? NaN, 6);
  });

  it('is 0 when no label counts, and leaves nothing behind', async () => {
    const { logits } = inputs();
    const labels = tf.fill([2, 3], IGNORED, 'int32');
    const before = tf.memory().numTensors;
    const loss = crossEntropy(logits, labels);
    expect((await loss.data())[0]).toBe(0);
    loss.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses labels of another shape', () => {
    const { logits } = inputs();
    expect(() => crossEntropy(logits, tf.zeros([3, 2], 'int32'))).toThrow('need labels [2,3], got [3,2]');
  });
});
