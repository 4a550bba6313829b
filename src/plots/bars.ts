/** Bars and histograms. */

import { type Chart, COLOURS, chart } from './chart.ts';
import { number } from './text.ts';

export interface Bar {
  label: string;
  value: number;
}

export interface BarOptions {
  title: string;
  /** What the bars measure. */
  value: string;
  width?: number;
}

/** Horizontal bars in the order given, each with its number. */
export function barChart(bars: readonly Bar[], { title, value, width = 320 }: BarOptions): Chart {
  const y = { field: 'label', type: 'nominal' as const, sort: null, title: null };
  const x = { field: 'value', type: 'quantitative' as const, title: value };
  return chart(
    {
      title,
      width,
      height: { step: 22 },
      data: { values: bars.map((bar) => ({ ...bar, text: number(bar.value) })) },
      layer: [
        { mark: { type: 'bar', color: COLOURS[0] ?? 'grey' }, encoding: { x, y } },
        {
          mark: { type: 'text', align: 'left', dx: 4, color: '#757575' },
          encoding: { x, y, text: { field: 'text' } },
        },
      ],
    },
    `${title}. Bar chart of ${value}. ${bars.map((bar) => `${bar.label}: ${number(bar.value)}`).join('; ')}.`,
  );
}

export interface HistogramOptions {
  title: string;
  /** What the values are. */
  value: string;
  /** How many bins of one width. Default 20. */
  bins?: number;
}

/** How often values fall into each of some bins of one width. Values that are not finite are left out. */
export function histogram(values: Iterable<number>, { title, value, bins = 20 }: HistogramOptions): Chart {
  const finite = [...values].filter((one) => Number.isFinite(one));
  const low = finite.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  const high = finite.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY);
  const step = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const one of finite) {
    const bin = Math.min(bins - 1, Math.floor((one - low) / step));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const rows = counts.map((count, bin) => ({ from: low + bin * step, to: low + (bin + 1) * step, count }));
  const mean = finite.reduce((sum, one) => sum + one, 0) / finite.length;
  const spread = Math.sqrt(finite.reduce((sum, one) => sum + (one - mean) ** 2, 0) / finite.length);
  return chart(
    {
      title,
      width: 420,
      height: 200,
      data: { values: finite.length === 0 ? [] : rows },
      mark: { type: 'bar', color: COLOURS[0] ?? 'grey', tooltip: true },
      encoding: {
        x: { field: 'from', type: 'quantitative', bin: { binned: true }, title: value },
        x2: { field: 'to' },
        y: { field: 'count', type: 'quantitative', title: 'how many' },
      },
    },
    finite.length === 0
      ? `${title}. Histogram without values.`
      : `${title}. Histogram of ${finite.length} values of ${value} from ${number(low)} to ${number(high)}, mean ${number(mean)}, standard deviation ${number(spread)}.`,
  );
}
