import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { IGNORED } from '../../src/core/losses.ts';
import { createRng } from '../../src/core/random.ts';
import {
  corruptWithSamples,
  discriminatorLoss,
  gumbelNoise,
  replacedTokenLoss,
  sampleWithGumbel,
} from '../../src/objectives/index.ts';

beforeAll(() => startBackend('cpu'));
const ints = (rows: number[][]): tf.Tensor2D =>
  tf.tensor2d(rows, [rows.length, rows[0]?.length ?? 0], 'int32');

describe('sampling with Gumbel noise', () => {
  const share = async (temperature: number): Promise<number[]> => {
    const draws = 30_000;
    const logits = tf.tile(tf.tensor2d([[Math.log(0.6), Math.log(0.3), Math.log(0.1)]]), [draws, 1]);
    const ids = sampleWithGumbel(logits, gumbelNoise([draws, 3], createRng(4)), temperature);
    const counts = [0, 0, 0];
    for (const id of await ids.data()) counts[id] = (counts[id] ?? 0) + 1;
    return counts.map((count) => count / draws);
  };

  it('draws tokens by their probability', async () => {
    const [a = 0, b = 0, c = 0] = await share(1);
    // Three standard deviations of 30,000 draws are at most 0.009.
    expect(Math.abs(a - 0.6)).toBeLessThan(0.009);
    expect(Math.abs(b - 0.3)).toBeLessThan(0.009);
    expect(Math.abs(c - 0.1)).toBeLessThan(0.009);
  });

  it('is bolder when hot and settles when cold: p to the power of 1/T', async () => {
    const powers = [0.6, 0.3, 0.1].map((p) => Math.sqrt(p));
    const total = powers.reduce((sum, p) => sum + p, 0);
    for (const [i, value] of (await share(2)).entries()) {
      expect(Math.abs(value - (powers[i] ?? 0) / total)).toBeLessThan(0.009);
    }
    expect((await share(0.05))[0]).toBeGreaterThan(0.999);
  });

  it('keeps the shape, gives whole numbers, lets no gradient through, and refuses a temperature of 0', async () => {
    const logits = tf.zeros([2, 3, 5]);
    const noise = gumbelNoise([2, 3, 5], createRng(1));
    const ids = sampleWithGumbel(logits, noise);
    expect(ids.shape).toEqual([2, 3]);
    expect(ids.dtype).toBe('int32');
    const gradient = tf.grad((x) => tf.sum(tf.cast(sampleWithGumbel(x, noise), 'float32')))(logits);
    expect((await gradient.data()).every((value) => value === 0)).toBe(true);
    expect(() => sampleWithGumbel(logits, noise, 0)).toThrow('temperature');
    expect(() => sampleWithGumbel(logits, tf.zeros([2, 5, 3]))).toThrow('noise as large');
  });
});

describe('corrupting with samples', () => {
  it('counts as replaced only what differs from the original, and leaves no mask', async () => {
    const MASK = 4;
    const masked = ints([
      [2, MASK, 7, MASK, 0],
      [2, 8, MASK, 3, 0],
    ]);
    const labels = ints([
      [IGNORED, 6, IGNORED, 9, IGNORED],
      [IGNORED, IGNORED, 5, IGNORED, IGNORED],
    ]);
    const sampled = ints([
      [30, 6, 30, 11, 30],
      [30, 30, 12, 30, 30],
    ]);
    const { inputIds, replaced } = corruptWithSamples(masked, labels, sampled);
    expect(await inputIds.array()).toEqual([
      [2, 6, 7, 11, 0],
      [2, 8, 12, 3, 0],
    ]);
    expect(await replaced.array()).toEqual([
      [0, 0, 0, 1, 0],
      [0, 0, 1, 0, 0],
    ]);
    expect(inputIds.dtype).toBe('int32');
  });
});

describe('the joint loss', () => {
  const wave = (size: number, f: (i: number) => number): number[] =>
    Array.from({ length: size }, (_, i) => f(i));
  const generatorLogits = () =>
    tf.tensor(
      wave(48, (i) => Math.cos(0.7 * i) * 2),
      [2, 4, 6],
    );
  const discriminatorLogits = () =>
    tf.tensor(
      wave(8, (i) => Math.sin(1.1 * i) * 3),
      [2, 4],
    );
  const labels = () =>
    ints([
      [IGNORED, 3, IGNORED, IGNORED],
      [5, IGNORED, 0, IGNORED],
    ]);
  const replaced = () =>
    ints([
      [0, 1, 0, 0],
      [0, 0, 1, 0],
    ]);
  const attentionMask = () =>
    ints([
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ]);

  it('is PyTorch’s: the generator’s loss and 50 times the discriminator’s, over all but padding', async () => {
    const { loss, generator, discriminator } = replacedTokenLoss(
      { generatorLogits: generatorLogits(), discriminatorLogits: discriminatorLogits() },
      { labels: labels(), replaced: replaced(), attentionMask: attentionMask() },
    );
    // replaced-token.py, PyTorch 2.13.
    expect((await generator.data())[0]).toBeCloseTo(1.4452366828918457, 5);
    expect((await discriminator.data())[0]).toBeCloseTo(0.9694094061851501, 5);
    expect((await loss.data())[0]).toBeCloseTo(49.915706634521484, 3);
  });

  it('has gradient (σ(x) − y) / n on tokens and none on padding, even where logits are huge', async () => {
    const logits = tf.tensor2d([[0.5, -200, 300, 7]]);
    const gradient = tf.grad((x) => discriminatorLoss(x, ints([[1, 0, 1, 0]]), ints([[1, 1, 1, 0]])))(logits);
    const [a, b, c, d] = await gradient.data();
    expect(a).toBeCloseTo((1 / (1 + Math.exp(-0.5)) - 1) / 3, 6);
    expect(b).toBeCloseTo(0, 6);
    expect(c).toBeCloseTo(0, 6);
    expect(d).toBe(0);
  });
});
