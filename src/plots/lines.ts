/** Line charts, among them the loss curve. */

import { type Chart, COLOURS, chart, DASHES, GREY } from './chart.ts';
import { number } from './text.ts';

export interface Series {
  name: string;
  /** Pairs of x and y. Points that are not finite are left out. */
  points: readonly (readonly [number, number])[];
}

/** A range of y for every x, such as a confidence interval: triples of x, low and high. */
export interface Band {
  name: string;
  points: readonly (readonly [number, number, number])[];
}

export interface LineOptions {
  title: string;
  /** Titles of the axes. */
  x: string;
  y: string;
  /** Logarithmic axes. */
  logX?: boolean;
  logY?: boolean;
  /** Mark each point. */
  marks?: boolean;
  /** A level to compare with, such as the loss of guessing. */
  level?: { value: number; name: string };
  /** Ranges, drawn as a grey area behind the lines. */
  bands?: readonly Band[];
  width?: number;
  height?: number;
}

/** Series as lines that differ in colour and in dash. */
export function lineChart(series: readonly Series[], options: LineOptions): Chart {
  const { title, x, y, level, width = 480, height = 260 } = options;
  const values = series.flatMap(({ name, points }) =>
    points
      .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
      .map(([a, b]) => ({ x: a, y: b, series: name })),
  );
  const names = series.map(({ name }) => name);
  const legend = names.length > 1 ? { title: null } : null;
  const lines = {
    mark: { type: 'line' as const, point: options.marks ?? false, clip: true },
    encoding: {
      x: { field: 'x', type: 'quantitative' as const, title: x, scale: scale(options.logX) },
      y: { field: 'y', type: 'quantitative' as const, title: y, scale: scale(options.logY) },
      color: {
        field: 'series',
        type: 'nominal' as const,
        sort: names,
        legend,
        scale: { domain: names, range: [...COLOURS] },
      },
      strokeDash: {
        field: 'series',
        type: 'nominal' as const,
        sort: names,
        legend,
        scale: { domain: names, range: [...DASHES] },
      },
    },
  };
  const areas = (options.bands ?? []).map(({ name, points }) => ({
    data: { values: points.map(([a, low, high]) => ({ x: a, low, high, band: name })) },
    mark: { type: 'area' as const, color: GREY, opacity: 0.25, clip: true, tooltip: true },
    encoding: {
      x: { field: 'x', type: 'quantitative' as const, scale: scale(options.logX) },
      y: { field: 'low', type: 'quantitative' as const, title: y, scale: scale(options.logY) },
      y2: { field: 'high' },
    },
  }));
  const rule =
    level === undefined
      ? []
      : [
          {
            data: { values: [{ y: level.value, name: level.name }] },
            mark: { type: 'rule' as const, strokeDash: [3, 3], color: GREY },
            encoding: { y: { field: 'y', type: 'quantitative' as const } },
          },
          {
            data: { values: [{ y: level.value, name: level.name }] },
            mark: { type: 'text' as const, align: 'right' as const, dy: -6, color: GREY },
            encoding: {
              x: { value: width },
              y: { field: 'y', type: 'quantitative' as const },
              text: { field: 'name' },
            },
          },
        ];
  return chart(
    { title, width, height, data: { values }, layer: [...areas, lines, ...rule] },
    describe(series, options),
  );
}

export interface LossCurve {
  title: string;
  /** Curves by name, each the losses of steps. */
  curves: Readonly<Record<string, readonly { step: number; loss: number }[]>>;
  /** The loss of guessing, drawn as a level. */
  level?: { value: number; name: string };
  /** Draw each curve as the mean of about this many points. Default 120. */
  points?: number;
}

/** Losses against steps, thinned to means of neighbours so that long runs stay light and legible. */
export function lossCurve({ title, curves, level, points = 120 }: LossCurve): Chart {
  const series = Object.entries(curves).map(([name, steps]) => ({ name, points: thinned(steps, points) }));
  return lineChart(series, { title, x: 'step', y: 'loss', ...(level === undefined ? {} : { level }) });
}

function thinned(steps: readonly { step: number; loss: number }[], most: number): [number, number][] {
  const group = Math.max(1, Math.ceil(steps.length / most));
  const result: [number, number][] = [];
  for (let start = 0; start < steps.length; start += group) {
    const part = steps.slice(start, start + group);
    const mean = part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    result.push([part.at(-1)?.step ?? start, Number(mean.toPrecision(5))]);
  }
  return result;
}

/** A logarithmic axis ends with the data: rounded to powers of ten, a narrow range would be squeezed into a corner. */
const scale = (log: boolean | undefined): { type: 'log'; nice: false } | { zero: boolean } =>
  log === true ? { type: 'log', nice: false } : { zero: false };

function describe(series: readonly Series[], { title, x, y, level, bands = [] }: LineOptions): string {
  const each = series.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return `${name}: no points yet`;
    if (points.length === 1) return `${name}: ${y} ${number(first[1])} at ${x} ${number(first[0])}`;
    return `${name}: ${y} from ${number(first[1])} at ${x} ${number(first[0])} to ${number(last[1])} at ${x} ${number(last[0])}`;
  });
  for (const { name, points } of bands) {
    const ends = [points[0], points.at(-1)].flatMap((point) => (point === undefined ? [] : [point]));
    const range = ends.map(([at, low, high]) => `${number(low)} to ${number(high)} at ${x} ${number(at)}`);
    each.push(`${name}, a grey area: ${range.join(', ')}`);
  }
  if (level !== undefined) each.push(`${level.name}: ${number(level.value)}`);
  return `${title}. Line chart. ${each.join('; ')}.`;
}
