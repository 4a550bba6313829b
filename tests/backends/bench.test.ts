import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchCases, flopsOf, gpuCases, PEAK_CASE } from '../../src/backends/bench/cases.ts';
import { chartOf, ratiosOf, regressions, tableOf } from '../../src/backends/bench/report.ts';
import type { BenchResult } from '../../src/backends/bench/run.ts';
import {
  decodingTable,
  fractionsOfPeak,
  sweepCharts,
  sweepsOf,
  threadsTable,
} from '../../src/backends/bench/speed.ts';
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
    const cases = benchCases({ sweep: true });
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

  it('for a graphics card are GPT-2 small with 8 texts of 512 tokens, and decoding', () => {
    const cases = gpuCases();
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const id of ['gpt2-small/forward', 'gpt2-small/step']) {
      expect(cases.find((one) => one.id === id)).toMatchObject({
        batch: 8,
        length: 512,
        config: { n_layer: 12, n_embd: 768, n_head: 12, vocab_size: 50257 },
      });
    }
    expect(cases.filter(({ work }) => work === 'decode')).toHaveLength(2);
  });

  it('count the work of a step as three forward passes', () => {
    const [forward, step] = ['gpt2/forward', 'gpt2/step'].map((id) =>
      benchCases().find((one) => one.id === id),
    );
    if (forward === undefined || step === undefined) throw new Error('the cases of GPT are missing');
    // 2 · 2048 tokens · (12·4·128² + 512·128 weights + 2·4·128·128 of attention)
    expect(flopsOf(forward)).toBe(2 * 2048 * (786_432 + 65_536 + 131_072));
    expect(flopsOf(step)).toBe(3 * flopsOf(forward));
    expect(flopsOf(PEAK_CASE)).toBe(2 * 1024 ** 3);
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
    expect(chartOf(RESULT)).toHaveProperty('spec.data.values.length', 5);
  });
});

describe('the speeds', () => {
  const cases = benchCases({ sweep: true });
  const result: BenchResult = {
    peers: { 'wasm-1': 'one thread', 'wasm-2': 'two', pytorch: 'PyTorch' },
    cases: [
      // 2³¹ operations in 100, 50 and 10 ms
      { id: 'matmul/1024', measurements: { 'wasm-1': time(100), 'wasm-2': time(50), pytorch: time(10) } },
      {
        id: 'gpt2/forward',
        measurements: { 'wasm-1': time(250), 'wasm-2': { error: 'no room' }, pytorch: time(40) },
      },
      {
        id: 'llama-15m/decode',
        measurements: { 'wasm-1': time(640), 'wasm-2': time(400), pytorch: time(320) },
      },
      { id: 'length-64/step', measurements: { 'wasm-1': time(500), 'wasm-2': time(300), pytorch: time(70) } },
    ],
  };

  it('are shares of the speed of the product in the same run', () => {
    const rows = fractionsOfPeak(result, cases).split('\n');
    expect(rows).toContain(
      '| matmul/1024 | 2.1 | 21.5 GFLOP/s, 100 % | 42.9 GFLOP/s, 100 % | 214.7 GFLOP/s, 100 % |',
    );
    // 4.0 GFLOP, as counted above
    expect(rows).toContain('| gpt2/forward | 4.0 | 16.1 GFLOP/s, 75 % |  | 100.7 GFLOP/s, 47 % |');
  });

  it('count tokens a second', () => {
    expect(decodingTable(result, cases).split('\n')).toContain(
      '| llama-15m/decode | 100.0, 2.00 × | 160.0, 1.25 × | 200.0 |',
    );
  });

  it('compare numbers of threads', () => {
    const rows = threadsTable(result, [1, 2]).split('\n');
    expect(rows).toContain('| matmul/1024 | 100.0 ms | 50.0 ms, 2.00 × faster |');
    expect(rows).toContain('| gpt2/forward | 250.0 ms |  |');
    expect(threadsTable(result, [])).toBe('');
  });

  it('are drawn over the sizes that were measured, beside the time at the speed of the product', () => {
    expect(Object.keys(sweepsOf(result, cases))).toEqual(['length']);
    const [point] = sweepsOf(result, cases).length ?? [];
    // 3 passes of 16 · 64 tokens
    const gflop = (3 * 2 * 1024 * (786_432 + 65_536 + 2 * 4 * 64 * 128)) / 1e9;
    expect(point?.gflop).toBeCloseTo(gflop, 9);
    expect(point).toMatchObject({ size: 64, peer: 'wasm-1', ms: 500 });
    expect(point?.msAtPeak).toBeCloseTo((gflop / (2 ** 31 / 1e9)) * 100, 9);
    expect(sweepCharts(result, cases)).toHaveProperty('length.spec.data.values.length', 3);
  });
});

describe('lab bench --gpu', () => {
  it('says so where there is none, and that SwiftShader is none', (context) => {
    if (process.platform !== 'linux') context.skip('hides the GPU by the names of Vulkan’s drivers');
    const root = join(import.meta.dirname, '../..');
    const none = join(root, 'tests/backends/none');
    const { status, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', 'bench', '--gpu'], {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        LLM_LAB_BACKENDS: none,
        VK_DRIVER_FILES: '/usr/lib/chromium/vk_swiftshader_icd.json',
      },
    });
    expect(stderr).toMatch(/^lab: --gpu: no GPU here(, webgpu runs on SwiftShader.*)?; name the backends/);
    expect(status).toBe(2);
  });
});
