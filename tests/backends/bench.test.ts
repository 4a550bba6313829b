import { describe, expect, it } from 'vitest';
import { benchCases, gptFlops } from '../../src/backends/bench/cases.ts';
import { chartOf, ratiosOf, regressions, tableOf } from '../../src/backends/bench/report.ts';
import type { BenchResult } from '../../src/backends/bench/run.ts';
import { architectureOf } from '../../src/models/registry.ts';

const time = (median: number) => ({ median, least: median - 1, repeats: 3, peakMegabytes: 100 });

const RESULT: BenchResult = {
  peers: { wasm: '2 CPU threads', tensorflow: 'CPU', pytorch: 'PyTorch' },
  cases: [
    { id: 'gpt2/step', measurements: { wasm: time(400), tensorflow: time(150), pytorch: time(100) } },
    {
      id: 'bert/step',
      measurements: { wasm: time(300), tensorflow: { error: 'no room' }, pytorch: time(60) },
    },
  ],
};

describe('the cases', () => {
  it('have each family’s forward pass and training step, with configs the library accepts', () => {
    const cases = benchCases();
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const family of ['bert', 'roberta', 'albert', 'electra', 'bart', 't5', 'gpt2', 'llama']) {
      const ids = cases.map(({ id }) => id);
      expect(ids).toContain(`${family}/forward`);
      expect(ids).toContain(`${family}/step`);
    }
    for (const { config, className } of cases) {
      if (config !== undefined) architectureOf(config, className).parseConfig(config);
    }
  });

  it('count the work of a step as three forward passes', () => {
    const [forward, step] = ['gpt2/forward', 'gpt2/step'].map((id) =>
      benchCases().find((one) => one.id === id),
    );
    if (forward === undefined || step === undefined) throw new Error('the cases of GPT are missing');
    // 2 · 2048 tokens · (12·4·128² + 512·128 weights + 2·4·128·128 of attention)
    expect(gptFlops(forward)).toBe(2 * 2048 * (786_432 + 65_536 + 131_072));
    expect(gptFlops(step)).toBe(3 * (gptFlops(forward) ?? 0));
  });
});

describe('the report', () => {
  it('divides by PyTorch of the same case, and leaves out what failed', () => {
    expect(ratiosOf(RESULT)).toEqual({ 'gpt2/step': { wasm: 4, tensorflow: 1.5 }, 'bert/step': { wasm: 5 } });
  });

  it('has a row a case with times, ratios and failures', () => {
    expect(tableOf(RESULT).split('\n')).toEqual([
      '| case | wasm | tensorflow | pytorch |',
      '| --- | ---: | ---: | ---: |',
      '| gpt2/step | 400.0 (399.0), 4.00 × | 150.0 (149.0), 1.50 × | 100.0 (99.0) |',
      '| bert/step | 300.0 (299.0), 5.00 × | failed: no room | 60.0 (59.0) |',
    ]);
  });

  it('finds the ratios that are worse than the baseline by more than the margin', () => {
    const baseline = {
      machine: 'x',
      ratios: { 'gpt2/step': { wasm: 3.5, tensorflow: 1 }, 'old/step': { wasm: 1 } },
    };
    expect(regressions(ratiosOf(RESULT), baseline, 0.3)).toEqual([
      'gpt2/step on tensorflow: 1.50 × PyTorch, the baseline is 1.00 ×',
    ]);
  });

  it('draws a point for each time', () => {
    expect(chartOf(RESULT)).toHaveProperty('data.values.length', 5);
  });
});
