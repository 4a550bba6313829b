/** What `lab bench` makes of its numbers: tables, ratios, a chart, and the comparison with the committed baseline. */

import { cpus, totalmem } from 'node:os';
import { z } from 'zod';
import { type Chart, COLOURS, chart } from '../../plots/chart.ts';
import { type BenchResult, type Measurement, REFERENCE } from './run.ts';

/** A ratio may be this much larger than the baseline's before the bench fails: timings on shared machines vary. */
export const MARGIN = 0.3;

export const baselineSchema = z.object({
  machine: z.string(),
  /** By case and backend: milliseconds divided by PyTorch's. */
  ratios: z.record(z.string(), z.record(z.string(), z.number())),
});

export type Baseline = z.infer<typeof baselineSchema>;

export function describeMachine(): string {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${all.length} × ${all[0]?.model ?? 'unknown processor'}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

/** Milliseconds divided by PyTorch's, of the medians, by case and backend. */
export function ratiosOf({ cases }: BenchResult): Baseline['ratios'] {
  const ratios: Baseline['ratios'] = {};
  for (const { id, measurements } of cases) {
    const reference = measurements[REFERENCE];
    if (reference === undefined || 'error' in reference) continue;
    const row: Record<string, number> = {};
    for (const [name, measurement] of Object.entries(measurements)) {
      if (name !== REFERENCE && !('error' in measurement)) row[name] = measurement.median / reference.median;
    }
    ratios[id] = row;
  }
  return ratios;
}

/** One line for each ratio that is worse than the baseline's by more than the margin. */
export function regressions(ratios: Baseline['ratios'], baseline: Baseline, margin = MARGIN): string[] {
  const worse: string[] = [];
  for (const [id, row] of Object.entries(ratios)) {
    for (const [name, ratio] of Object.entries(row)) {
      const before = baseline.ratios[id]?.[name];
      if (before !== undefined && ratio > before * (1 + margin)) {
        worse.push(`${id} on ${name}: ${ratio.toFixed(2)} × PyTorch, the baseline is ${before.toFixed(2)} ×`);
      }
    }
  }
  return worse;
}

/** A Markdown table: a row a case, the median (and least) milliseconds and the ratio of each peer. */
export function tableOf(result: BenchResult): string {
  const names = Object.keys(result.peers);
  const ratios = ratiosOf(result);
  const cell = (id: string, name: string, measurement: Measurement | undefined): string => {
    if (measurement === undefined) return '';
    if ('error' in measurement) return `failed: ${measurement.error}`;
    const ratio = ratios[id]?.[name];
    const times = `${measurement.median.toFixed(1)} (${measurement.least.toFixed(1)})`;
    return ratio === undefined ? times : `${times}, ${ratio.toFixed(2)} ×`;
  };
  const rows = result.cases.map(({ id, measurements }) => [
    id,
    ...names.map((name) => cell(id, name, measurements[name])),
  ]);
  return markdownTable(['case', ...names], rows);
}

/** The first column to the left, the others to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map((_, i) => (i === 0 ? '---' : '---:')), ...rows];
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** The most memory that each process has held up to its last case; with one case, that case's. */
export function peakOf(result: BenchResult): string {
  const peaks = Object.keys(result.peers).map((name) => {
    const held = result.cases.map(({ measurements }) => {
      const measurement = measurements[name];
      return measurement === undefined || 'error' in measurement ? 0 : measurement.peakMegabytes;
    });
    return `${name} ${Math.max(...held)} MB`;
  });
  return `Peak memory of the processes: ${peaks.join(', ')}.`;
}

/** A Vega-Lite chart of all times, a point for each case and peer. */
export function chartOf({ cases }: BenchResult): Chart {
  const values = cases.flatMap(({ id, measurements }) =>
    Object.entries(measurements).flatMap(([peer, measurement]) =>
      'error' in measurement ? [] : [{ case: id, peer, ms: measurement.median }],
    ),
  );
  return chart(
    {
      title: 'Milliseconds (median), less is better',
      width: 420,
      data: { values },
      mark: { type: 'point', filled: true, size: 70, tooltip: true },
      encoding: {
        y: { field: 'case', type: 'nominal', sort: null, title: null },
        x: {
          field: 'ms',
          type: 'quantitative',
          scale: { type: 'log', nice: false },
          axis: { tickCount: 6 },
          title: 'milliseconds',
        },
        color: { field: 'peer', type: 'nominal', title: null, scale: { range: [...COLOURS] } },
        shape: { field: 'peer', type: 'nominal', title: null },
      },
    },
    'Median milliseconds of every case on every backend; the table beside it has the numbers.',
  );
}
