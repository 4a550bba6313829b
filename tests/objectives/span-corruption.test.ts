import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import { corruptSpans, restoreSpans } from '../../src/objectives/index.ts';

const FIRST = 32_099;
const END = 1;
const text = (length: number): number[] => Array.from({ length }, (_, i) => 500 + i);
const seeds = Array.from({ length: 200 }, (_, seed) => seed);
const at = (seed: number) => ({ rng: createRng(seed), firstSentinel: FIRST, endId: END });
const isSentinel = (id: number): boolean => id > FIRST - 100 && id <= FIRST;

describe('span corruption', () => {
  it('makes 512 ids of 568, T5’s own figures, and a target of 114 and the final sentinel', () => {
    // compute_input_and_target_lengths(512, 0.15, 3) of the T5 code base gives (568, 114) without a final sentinel.
    const { inputIds, labels } = corruptSpans(text(568), at(1));
    expect(inputIds).toHaveLength(512);
    expect(labels).toHaveLength(114 + 1);
  });

  it('numbers its sentinels downwards, the same in input and target, one a span, and one more at the end', () => {
    for (const seed of seeds) {
      const { inputIds, labels } = corruptSpans(text(61), at(seed));
      const inInput = inputIds.filter(isSentinel);
      expect(inInput).toEqual([FIRST, FIRST - 1, FIRST - 2]);
      expect(labels.filter(isSentinel)).toEqual([...inInput, FIRST - 3]);
      expect(labels.slice(-2)).toEqual([FIRST - 3, END]);
      expect(inputIds.at(-1)).toBe(END);
      expect(inputIds.some((id, i) => isSentinel(id) && isSentinel(inputIds[i + 1] ?? 0))).toBe(false);
      expect(labels.filter((id) => !isSentinel(id) && id !== END)).toHaveLength(9);
    }
  });

  it('is undone by its inverse, whatever the length', () => {
    for (const seed of seeds) {
      const original = text(2 + (seed % 90));
      const { inputIds, labels } = corruptSpans(original, {
        ...at(seed),
        noiseDensity: 0.1 + (seed % 8) / 10,
      });
      expect(restoreSpans(inputIds, labels, { firstSentinel: FIRST, endId: END })).toEqual(original);
    }
  });

  it('reaches every place of the text, also with a single span', () => {
    const hit = new Set<number>();
    for (const seed of seeds) for (const id of corruptSpans(text(20), at(seed)).labels) hit.add(id);
    expect(text(20).filter((id) => hit.has(id))).toEqual(text(20));
  });

  it('restores what it can from a target that a model wrote', () => {
    const options = { firstSentinel: 99, sentinels: 5, endId: END };
    expect(restoreSpans([10, 99, 11, 98, 12, END], [99, 20, 21, END, 98, 22], options)).toEqual([
      10, 20, 21, 11, 12,
    ]);
  });

  it('refuses texts and settings that leave nothing to do', () => {
    expect(() => corruptSpans([5], at(1))).toThrow('a text of 1 tokens');
    expect(() => corruptSpans(text(50), { ...at(1), noiseDensity: 1 })).toThrow('noiseDensity');
    expect(() => corruptSpans(text(900), { ...at(1), sentinels: 20 })).toThrow('45 spans need 46 sentinels');
  });
});
