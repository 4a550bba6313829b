import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import {
  deleteRandomTokens,
  infillText,
  maskRandomTokens,
  permuteSentences,
  poisson,
  rotateDocument,
} from '../../src/objectives/index.ts';

const [BEGIN, PAD, END, MASK, STOP] = [0, 1, 2, 4, 9];
const specialIds = [BEGIN, PAD, END];
/** <s> …40 tokens, all different… </s> <pad> <pad>, a full stop after 5, 12 and 40. */
const own = Array.from({ length: 40 }, (_, i) => (i === 4 || i === 11 || i === 39 ? STOP : 100 + i));
const ids = [BEGIN, ...own, END, PAD, PAD];
const seeds = Array.from({ length: 300 }, (_, seed) => seed);
const at = (seed: number) => ({ rng: createRng(seed), specialIds });
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

describe('every noise', () => {
  const noises: Record<string, (seed: number) => number[]> = {
    masking: (seed) => maskRandomTokens(ids, { ...at(seed), maskId: MASK, ratio: 0.3 }),
    deletion: (seed) => deleteRandomTokens(ids, { ...at(seed), ratio: 0.3 }),
    infilling: (seed) => infillText(ids, { ...at(seed), maskId: MASK, ratio: 0.3 }),
    permutation: (seed) => permuteSentences(ids, { ...at(seed), endIds: [STOP] }),
    rotation: (seed) => rotateDocument(ids, at(seed)),
  };

  it.each(Object.entries(noises))('%s keeps start, end and padding, and the ids it was given', (_, noise) => {
    const before = [...ids];
    for (const seed of seeds) {
      const noisy = noise(seed);
      expect(noisy[0]).toBe(BEGIN);
      expect(noisy.slice(-3)).toEqual([END, PAD, PAD]);
      expect(noisy.slice(1, -3).some((id) => specialIds.includes(id))).toBe(false);
    }
    expect(ids).toEqual(before);
  });

  it.each(Object.entries(noises))('%s is fixed by the seed', (_, noise) => {
    expect(noise(5)).toEqual(noise(5));
    expect(new Set(seeds.map((seed) => noise(seed).join())).size).toBeGreaterThan(1);
  });
});

describe('masking and deletion', () => {
  it('reach the share asked for, one mask a token', () => {
    for (const seed of seeds) {
      const masked = maskRandomTokens(ids, { ...at(seed), maskId: MASK, ratio: 0.3 });
      expect(masked.filter((id) => id === MASK)).toHaveLength(12);
      expect(masked.every((id, i) => id === MASK || id === ids[i])).toBe(true);
      const rest = deleteRandomTokens(ids, { ...at(seed), ratio: 0.3 });
      expect(rest).toHaveLength(ids.length - 12);
      // What is left stands in its old order.
      let from = 0;
      for (const id of rest.slice(1, -3)) {
        from = own.indexOf(id, from) + 1;
        expect(from).toBeGreaterThan(0);
      }
    }
    expect(() => maskRandomTokens(ids, { ...at(1), maskId: MASK, ratio: 1.2 })).toThrow('ratio');
  });
});

describe('text infilling', () => {
  it('takes out 30% in spans with one mask each, never two masks side by side', () => {
    let empty = 0;
    let spans = 0;
    for (const seed of seeds) {
      const noisy = infillText(ids, { ...at(seed), maskId: MASK, ratio: 0.3 }).slice(1, -3);
      const kept = noisy.filter((id) => id !== MASK);
      expect(kept).toHaveLength(28);
      expect(noisy.some((id, i) => id === MASK && noisy[i + 1] === MASK)).toBe(false);
      // Masks whose neighbours are neighbours in the text too stand for a span of length 0.
      let before = 0;
      for (const [i, id] of noisy.entries()) {
        if (id !== MASK) before = own.indexOf(id, before) + 1;
        else {
          spans++;
          const next = noisy[i + 1];
          if (next === undefined ? before === own.length : own.indexOf(next, before) === before) empty++;
        }
      }
    }
    // 12 tokens in spans of 3 on average, and e⁻³ ≈ 5% of all spans empty.
    expect(spans / seeds.length).toBeGreaterThan(3.8);
    expect(spans / seeds.length).toBeLessThan(5.2);
    expect(empty / spans).toBeGreaterThan(0.02);
    expect(empty / spans).toBeLessThan(0.09);
  });

  it('becomes a single mask when everything goes, and nothing changes at 0', () => {
    expect(infillText([BEGIN, 10, 11, 12, END], { ...at(3), maskId: MASK, ratio: 1 })).toEqual([
      BEGIN,
      MASK,
      END,
    ]);
    expect(infillText(ids, { ...at(3), maskId: MASK, ratio: 0 })).toEqual(ids);
    expect(infillText([BEGIN, END], { ...at(3), maskId: MASK, ratio: 0.3 })).toEqual([BEGIN, END]);
  });

  it('draws Poisson lengths: mean and variance 3, e⁻³ of them 0', () => {
    const rng = createRng(1);
    const draws = Array.from({ length: 20_000 }, () => poisson(3, rng));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    expect(Math.abs(mean - 3)).toBeLessThan(0.05);
    expect(Math.abs(variance - 3)).toBeLessThan(0.12);
    expect(Math.abs(draws.filter((draw) => draw === 0).length / draws.length - Math.exp(-3))).toBeLessThan(
      0.006,
    );
  });
});

describe('permutation and rotation', () => {
  it('moves whole sentences', () => {
    const sentences = [own.slice(0, 5), own.slice(5, 12), own.slice(12)].map((sentence) => sentence.join());
    const orders = new Set<string>();
    for (const seed of seeds) {
      const noisy = permuteSentences(ids, { ...at(seed), endIds: [STOP] }).slice(1, -3);
      expect(sorted(noisy)).toEqual(sorted(own));
      for (const sentence of sentences) expect(noisy.join()).toContain(sentence);
      orders.add(noisy.join());
    }
    expect(orders.size).toBe(6);
  });

  it('lets the document begin anywhere', () => {
    const starts = new Set<number>();
    for (const seed of seeds) {
      const noisy = rotateDocument(ids, at(seed)).slice(1, -3);
      const start = Array.from(own.keys()).find(
        (k) => [...own.slice(k), ...own.slice(0, k)].join() === noisy.join(),
      );
      expect(start).toBeDefined();
      starts.add(start ?? -1);
    }
    expect(starts.size).toBe(own.length);
    expect(rotateDocument([BEGIN, END], at(1))).toEqual([BEGIN, END]);
  });
});
