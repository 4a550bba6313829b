/** What the times say of speed: shares of the matrix product's, tokens a second, what threads and sizes do. */

import { type Chart, COLOURS, chart } from '../../plots/chart.ts';
import { type BenchCase, flopsOf, PEAK_CASE, SWEEPS, type Sweep } from './cases.ts';
import { markdownTable } from './report.ts';
import { type BenchResult, type Measurement, REFERENCE } from './run.ts';

/** Milliseconds (median) of a case on a peer; undefined where it was not measured. */
function timeOf(result: BenchResult, id: string, peer: string): number | undefined {
  const measurement: Measurement | undefined = result.cases.find((one) => one.id === id)?.measurements[peer];
  return measurement === undefined || 'error' in measurement ? undefined : measurement.median;
}

/** Operations a second, in 10⁹. */
function speedOf(result: BenchResult, bench: BenchCase, peer: string): number | undefined {
  const ms = timeOf(result, bench.id, peer);
  return ms === undefined ? undefined : flopsOf(bench) / ms / 1e6;
}

/** How fast a peer multiplies matrices of n = 1024 in this run, in 10⁹ operations a second. */
export function peakSpeed(result: BenchResult, peer: string): number | undefined {
  return speedOf(result, PEAK_CASE, peer);
}

/** The speed of every forward pass and step, and its share of the speed of the peer's own matrix product. */
export function fractionsOfPeak(result: BenchResult, cases: readonly BenchCase[]): string {
  const peers = Object.keys(result.peers);
  const counted = cases.filter(({ work }) => work === 'forward' || work === 'step');
  const rows = [PEAK_CASE, ...counted].map((bench) => {
    const cells = peers.map((peer) => {
      const [speed, peak] = [speedOf(result, bench, peer), peakSpeed(result, peer)];
      if (speed === undefined || peak === undefined) return '';
      return `${speed.toFixed(1)} GFLOP/s, ${Math.round((100 * speed) / peak)} %`;
    });
    return [bench.id, (flopsOf(bench) / 1e9).toFixed(1), ...cells];
  });
  return markdownTable(['case', 'GFLOP', ...peers], rows);
}

/** Tokens a second of the decoding cases, and PyTorch's divided by them; empty without such cases. */
export function decodingTable(result: BenchResult, cases: readonly BenchCase[]): string {
  const peers = Object.keys(result.peers);
  const rows = cases
    .filter(({ work }) => work === 'decode')
    .map(({ id, tokens = 0 }) => [
      id,
      ...peers.map((peer) => {
        const [ms, reference] = [timeOf(result, id, peer), timeOf(result, id, REFERENCE)];
        if (ms === undefined) return '';
        const speed = ((1000 * tokens) / ms).toFixed(1);
        return reference === undefined || peer === REFERENCE
          ? speed
          : `${speed}, ${(ms / reference).toFixed(2)} ×`;
      }),
    ]);
  return rows.length === 0 ? '' : markdownTable(['tokens a second', ...peers], rows);
}

/** Times of one backend on several numbers of threads, and how much faster than on the fewest; empty without such peers. */
export function threadsTable(result: BenchResult, threads: readonly number[], backend = 'wasm'): string {
  const [fewest] = threads;
  if (fewest === undefined || threads.length < 2) return '';
  const rows = result.cases.map(({ id }) => {
    const base = timeOf(result, id, peerName(backend, fewest));
    const cells = threads.map((count) => {
      const ms = timeOf(result, id, peerName(backend, count));
      if (ms === undefined || base === undefined) return '';
      return count === fewest
        ? `${ms.toFixed(1)} ms`
        : `${ms.toFixed(1)} ms, ${(base / ms).toFixed(2)} × faster`;
    });
    return [id, ...cells];
  });
  return markdownTable([`${backend}, threads`, ...threads.map(String)], rows);
}

/** What a peer of a backend with so many threads is called; without a number it has the backend's own. */
export function peerName(backend: string, threads: number | undefined): string {
  return threads === undefined ? backend : `${backend}-${threads}`;
}

/** One training step of a sweep. */
export interface SweepPoint {
  size: number;
  peer: string;
  ms: number;
  gflop: number;
  /** What the operations would take at the speed of the peer's own matrix product. */
  msAtPeak: number | undefined;
}

/** The points of a sweep that were measured. */
export function sweepPoints(result: BenchResult, cases: readonly BenchCase[], sweep: Sweep): SweepPoint[] {
  return sweep.values.flatMap((size) => {
    const bench = cases.find(({ id }) => id === `${sweep.name}-${size}/step`);
    if (bench === undefined) return [];
    const flops = flopsOf(bench);
    return Object.keys(result.peers).flatMap((peer) => {
      const [ms, peak] = [timeOf(result, bench.id, peer), peakSpeed(result, peer)];
      if (ms === undefined) return [];
      return [
        { size, peer, ms, gflop: flops / 1e9, msAtPeak: peak === undefined ? undefined : flops / peak / 1e6 },
      ];
    });
  });
}

/** The points of every sweep that was measured. */
export function sweepsOf(result: BenchResult, cases: readonly BenchCase[]): Record<string, SweepPoint[]> {
  const measured = SWEEPS.map((sweep) => [sweep.name, sweepPoints(result, cases, sweep)] as const);
  return Object.fromEntries(measured.filter(([, points]) => points.length > 0));
}

/** A Vega-Lite chart for each sweep that was measured: the times, and dashed the times at the matrix product's speed. */
export function sweepCharts(result: BenchResult, cases: readonly BenchCase[]): Record<string, Chart> {
  const charts: Record<string, Chart> = {};
  for (const sweep of SWEEPS) {
    const values = sweepPoints(result, cases, sweep);
    if (values.length > 0) charts[sweep.name] = chartOf(sweep, values);
  }
  return charts;
}

function chartOf({ name }: Sweep, values: SweepPoint[]): Chart {
  const sizes = [...new Set(values.map(({ size }) => size))];
  const x = {
    field: 'size',
    type: 'quantitative',
    scale: { type: 'log', base: 2, nice: false },
    axis: { values: sizes },
    title: name,
  } as const;
  const y = <T extends string>(field: T) =>
    ({
      field,
      type: 'quantitative',
      scale: { type: 'log', nice: false },
      axis: { tickCount: 4 },
      title: 'milliseconds',
    }) as const;
  const color = { field: 'peer', type: 'nominal', title: null, scale: { range: [...COLOURS] } } as const;
  const tooltip = ['peer', 'size', 'ms', 'gflop', 'msAtPeak'].map((field) => ({ field }));
  return chart(
    {
      title: `GPT’s training step by ${name}; dashed: its operations at the speed of the matrix product`,
      width: 480,
      height: 300,
      data: { values },
      layer: [
        { mark: { type: 'line', point: true }, encoding: { x, y: y('ms'), color, tooltip } },
        {
          transform: [{ filter: 'isValid(datum.msAtPeak)' }],
          mark: { type: 'line', strokeDash: [5, 4], opacity: 0.7 },
          encoding: { x, y: y('msAtPeak'), color },
        },
      ],
    },
    `Milliseconds of a training step of GPT at every ${name}, measured, and what its operations would take at the speed of ` +
      'the matrix product; both grow alike.',
  );
}
