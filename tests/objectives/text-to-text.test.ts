import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import { mixingRates, mixTasks } from '../../src/objectives/index.ts';

const close = (actual: readonly number[], wanted: readonly number[]): void => {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 8);
};

describe('mixing rates', () => {
  it('are proportional to size, up to the cap', () => {
    close(mixingRates([100, 300, 600]), [0.1, 0.3, 0.6]);
    close(mixingRates([100, 300, 600], { cap: 300 }), [1 / 7, 3 / 7, 3 / 7]);
    close(mixingRates([100, 300, 600], { cap: 1 }), [1 / 3, 1 / 3, 1 / 3]);
  });

  it('come closer to each other as the temperature rises', () => {
    close(mixingRates([100, 900], { temperature: 2 }), [0.25, 0.75]);
    close(mixingRates([100, 900], { temperature: 1e9 }), [0.5, 0.5]);
    close(mixingRates([100, 900], { temperature: 2, cap: 400 }), [1 / 3, 2 / 3]);
  });

  it('refuse tasks without examples and settings that make no sense', () => {
    expect(() => mixingRates([3, 0])).toThrow('sizes [3, 0]');
    expect(() => mixingRates([])).toThrow('examples');
    expect(() => mixingRates([1], { cap: 0 })).toThrow('cap');
    expect(() => mixingRates([1], { temperature: 0 })).toThrow('temperature');
  });
});

describe('mixing tasks', () => {
  const task = (name: string, size: number) => ({
    name,
    prefix: `${name}: `,
    examples: Array.from({ length: size }, (_, i) => ({ input: `${i}`, target: `t${i}` })),
  });

  it('draws tasks by their share, prefixes inputs only, and shows every example once a round', () => {
    const stream = mixTasks([task('small', 10), task('large', 40)], createRng(2));
    const seen: Record<string, string[]> = { small: [], large: [] };
    for (let i = 0; i < 5000; i++) {
      const { task: name, input, target } = stream.next().value;
      expect(input.startsWith(`${name}: `)).toBe(true);
      expect(target).toBe(`t${input.slice(name.length + 2)}`);
      seen[name]?.push(input);
    }
    expect(Math.abs((seen.small?.length ?? 0) / 5000 - 0.2)).toBeLessThan(0.02);
    for (let round = 0; round < 20; round++) {
      expect(new Set(seen.small?.slice(10 * round, 10 * round + 10)).size).toBe(10);
      expect(new Set(seen.large?.slice(40 * round, 40 * round + 40)).size).toBe(40);
    }
  });
});
