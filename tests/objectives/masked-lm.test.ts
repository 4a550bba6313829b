import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { IGNORED } from '../../src/core/losses.ts';
import { createRng } from '../../src/core/random.ts';
import { dynamicMask, maskBatch, maskTokens, pretrainingLoss } from '../../src/objectives/index.ts';

beforeAll(() => startBackend('cpu'));

const PAD = 0;
const MASK = 4;
const SPECIAL = [0, 1, 2, 3, 4];
const VOCABULARY = 50;

/** [CLS] …words [SEP] …padding, of distinct lengths. */
function row(words: number, padding: number): { ids: number[]; special: number[] } {
  const own = Array.from({ length: words }, (_, i) => 5 + ((i * 7) % (VOCABULARY - 5)));
  return {
    ids: [2, ...own, 3, ...new Array<number>(padding).fill(PAD)],
    special: [1, ...new Array<number>(words).fill(0), 1, ...new Array<number>(padding).fill(1)],
  };
}
const options = (seed: number) => ({
  rng: createRng(seed),
  maskId: MASK,
  vocabSize: VOCABULARY,
  specialIds: SPECIAL,
});

describe('80/10/10 masking', () => {
  it('chooses 15% of the own tokens, rounded and at least one, and never a special token or padding', () => {
    for (const [words, expected] of [
      [1, 1],
      [3, 1],
      [10, 2],
      [37, 6],
      [100, 15],
    ] as const) {
      const { ids, special } = row(words, 40);
      const { labels } = maskTokens(ids, special, options(words));
      expect(labels.filter((label) => label !== IGNORED)).toHaveLength(expected);
      for (const [i, label] of labels.entries()) if (special[i] === 1) expect(label).toBe(IGNORED);
    }
  });

  it('labels every chosen token with what it was, the kept ones too, and changes no other', () => {
    const { ids, special } = row(2000, 5);
    const { inputIds, labels } = maskTokens(ids, special, options(1));
    let kept = 0;
    for (const [i, label] of labels.entries()) {
      if (label === IGNORED) expect(inputIds[i]).toBe(ids[i]);
      else expect(label).toBe(ids[i]);
      if (label !== IGNORED && inputIds[i] === ids[i]) kept++;
    }
    expect(kept).toBeGreaterThan(0);
  });

  it('masks 80%, replaces 10% with ordinary tokens and keeps 10%', () => {
    const { ids, special } = row(20_000, 0);
    const { inputIds, labels } = maskTokens(ids, special, options(2));
    const chosen = labels.flatMap((label, i) =>
      label === IGNORED ? [] : [{ label, now: inputIds[i] ?? -1 }],
    );
    const share = (holds: (token: { label: number; now: number }) => boolean): number =>
      chosen.filter(holds).length / chosen.length;
    // 3000 draws: three standard deviations are 0.022 at 80% and 0.017 at 10%.
    expect(Math.abs(share(({ now }) => now === MASK) - 0.8)).toBeLessThan(0.022);
    // A random token is the old one again once in 45 times, so 9.8% change and 10.2% stay.
    expect(Math.abs(share(({ label, now }) => now !== MASK && now !== label) - 0.0978)).toBeLessThan(0.017);
    for (const { now } of chosen) if (now !== MASK) expect(SPECIAL).not.toContain(now);
  });

  it('gives the same mask for the same seed, and leaves its inputs alone', () => {
    const { ids, special } = row(30, 3);
    const before = [...ids];
    expect(maskTokens(ids, special, options(7))).toEqual(maskTokens(ids, special, options(7)));
    expect(maskTokens(ids, special, options(7))).not.toEqual(maskTokens(ids, special, options(8)));
    expect(ids).toEqual(before);
  });

  it('takes what there is of a text without tokens, and nothing at probability 0', () => {
    expect(maskTokens([2, 3], [1, 1], options(1))).toEqual({ inputIds: [2, 3], labels: [IGNORED, IGNORED] });
    const { ids, special } = row(9, 0);
    expect(maskTokens(ids, special, { ...options(1), probability: 0 }).inputIds).toEqual(ids);
  });

  it('refuses a mask of another length, shares that are none, and a vocabulary of special tokens only', () => {
    expect(() => maskTokens([2, 5, 3], [1, 0], options(1))).toThrow(
      '3 ids need a special tokens mask as long, got 2',
    );
    expect(() => maskTokens([5], [0], { ...options(1), probability: 1.5 })).toThrow('probability');
    expect(() => maskTokens([5], [0], { ...options(1), maskFraction: 0.95 })).toThrow('at most 1');
    expect(() => maskTokens([5], [0], { ...options(1), vocabSize: 5 })).toThrow('no ordinary token');
  });

  it('masks the rows of a batch each in its own way', () => {
    const [a, b] = [row(12, 4), row(16, 0)];
    const batch = maskBatch(
      { inputIds: [a.ids, b.ids], specialTokensMask: [a.special, b.special] },
      options(3),
    );
    expect(batch.labels.map((labels) => labels.filter((label) => label !== IGNORED).length)).toEqual([2, 2]);
  });
});

describe('dynamic masking', () => {
  const { ids, special } = row(60, 2);
  const fixed = { maskId: MASK, vocabSize: VOCABULARY, specialIds: SPECIAL };
  const at = (seed: number, epoch: number, index: number) =>
    dynamicMask(ids, special, { seed, epoch, index }, fixed);

  it('depends on seed, epoch and index, and on nothing else', () => {
    const base = at(1, 2, 3);
    at(9, 9, 9);
    expect(at(1, 2, 3)).toEqual(base);
    for (const other of [at(2, 2, 3), at(1, 3, 3), at(1, 2, 4), at(1, 3, 2)]) expect(other).not.toEqual(base);
  });

  it('reaches every token over the epochs', () => {
    const seen = new Set<number>();
    for (let epoch = 0; epoch < 60; epoch++) {
      for (const [i, label] of at(5, epoch, 0).labels.entries()) if (label !== IGNORED) seen.add(i);
    }
    expect(seen.size).toBe(60);
  });
});

describe('the joint loss of pre-training', () => {
  it('adds the two means', async () => {
    const predictionLogits = tf.zeros([2, 3, 7]);
    const seqRelationshipLogits = tf.tensor2d([
      [Math.log(3), 0],
      [0, 0],
    ]);
    const labels = tf.tensor2d(
      [
        [IGNORED, 6, IGNORED],
        [IGNORED, IGNORED, 0],
      ],
      [2, 3],
      'int32',
    );
    const { loss, maskedLm, nextSentence } = pretrainingLoss(
      { predictionLogits, seqRelationshipLogits },
      labels,
      tf.tensor1d([0, 1], 'int32'),
    );
    // Uniform over 7 tokens: ln 7. Three quarters for the true class: ln 4/3; even odds: ln 2.
    const expected = (Math.log(4 / 3) + Math.log(2)) / 2;
    expect((await maskedLm.data())[0]).toBeCloseTo(Math.log(7), 5);
    expect((await nextSentence.data())[0]).toBeCloseTo(expected, 5);
    expect((await loss.data())[0]).toBeCloseTo(Math.log(7) + expected, 5);
  });
});
