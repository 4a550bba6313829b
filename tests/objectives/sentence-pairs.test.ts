import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import { InputError } from '../../src/errors.ts';
import { nextSentencePairs, sentenceOrderPairs } from '../../src/objectives/index.ts';

/** Sentences that say where they come from: "document.place". */
const documents = [7, 1, 12, 0, 5].map((length, d) => Array.from({ length }, (_, i) => `${d}.${i}`));
const place = (sentence: string): [number, number] => {
  const [d, i] = sentence.split('.').map(Number);
  return [d ?? -1, i ?? -1];
};
const many = Array.from({ length: 400 }, (_, seed) => seed);

describe('next-sentence pairs', () => {
  const pairs = many.flatMap((seed) => nextSentencePairs(documents, createRng(seed)));

  it('gives one pair for each sentence that has a next one', () => {
    expect(pairs).toHaveLength(many.length * (6 + 11 + 4));
  });

  it('labels 0 what follows in the document, and 1 what comes from another document', () => {
    for (const { first, second, label } of pairs) {
      const [a, i] = place(first);
      const [b, j] = place(second);
      if (label === 0) expect([b, j]).toEqual([a, i + 1]);
      else expect(b).not.toBe(a);
    }
  });

  it('is balanced, and draws negatives from every other document', () => {
    const negatives = pairs.filter(({ label }) => label === 1);
    expect(Math.abs(negatives.length / pairs.length - 0.5)).toBeLessThan(0.02);
    expect(new Set(negatives.map(({ second }) => place(second)[0]))).toEqual(new Set([0, 1, 2, 4]));
  });

  it('is fixed by the seed', () => {
    expect(nextSentencePairs(documents, createRng(3))).toEqual(nextSentencePairs(documents, createRng(3)));
  });

  it('refuses a corpus with one document only', () => {
    expect(() => nextSentencePairs([['a', 'b'], []], createRng(1))).toThrow(InputError);
  });
});

describe('sentence-order pairs', () => {
  const pairs = many.flatMap((seed) => sentenceOrderPairs(documents, createRng(seed)));

  it('takes neighbours of one document, and labels 1 those that are swapped', () => {
    expect(pairs).toHaveLength(many.length * (6 + 11 + 4));
    for (const { first, second, label } of pairs) {
      const [a, i] = place(first);
      const [b, j] = place(second);
      expect(b).toBe(a);
      expect(j - i).toBe(label === 0 ? 1 : -1);
    }
    const swapped = pairs.filter(({ label }) => label === 1).length;
    expect(Math.abs(swapped / pairs.length - 0.5)).toBeLessThan(0.02);
  });
});
