import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import {
  architectureFigure,
  attentionMap,
  barChart,
  type Chart,
  heatmap,
  histogram,
  JUPYTER_DISPLAY,
  lineChart,
  lossCurve,
  maskChart,
  svgOf,
  VEGA_LITE_MIME,
} from '../../src/plots/index.ts';

const steps = Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, loss: 6 - i / 200 }));

const charts: Record<string, Chart> = {
  loss: lossCurve({
    title: 'Training',
    curves: { 'masked LM': steps, 'next sentence': steps },
    level: { value: 6.2, name: 'guessing' },
  }),
  attention: attentionMap(
    [
      [
        [0.9, 0.1],
        [0.2, 0.8],
      ],
      [
        [0.5, 0.5],
        [0, 1],
      ],
    ],
    { title: 'Attention', queries: ['a', 'a'] },
  ),
  masks: maskChart(
    {
      encoder: [
        [1, 1],
        [1, 1],
      ],
      decoder: [
        [1, 0],
        [1, 1],
      ],
    },
    { title: 'Masks' },
  ),
  interval: lineChart(
    [
      {
        name: 'fit',
        points: [
          [10, 3],
          [1000, 1],
        ],
      },
    ],
    {
      title: 'A law',
      x: 'parameters',
      y: 'loss',
      logX: true,
      logY: true,
      bands: [
        {
          name: '95% interval',
          points: [
            [10, 2.5, 3.5],
            [1000, 0.5, 1.5],
          ],
        },
      ],
    },
  ),
  bars: barChart([{ label: 'grass', value: 0.81234 }], { title: 'Blank', value: 'probability' }),
  histogram: histogram([1, 2, 2, 3, Number.NaN], { title: 'Values', value: 'size', bins: 3 }),
};

describe.each(Object.entries(charts))('the chart %s', (_name, one) => {
  it('comes as Vega-Lite 5, as a picture and as text', async () => {
    const bundle = await one[JUPYTER_DISPLAY]();
    expect(Object.keys(bundle).sort()).toEqual([VEGA_LITE_MIME, 'image/svg+xml', 'text/plain']);
    expect(one.spec.$schema).toMatch(/vega-lite\/v5\.json$/);
    expect(bundle['image/svg+xml']).toMatch(/^<svg /);
    expect(bundle['text/plain']).toBe(one.alternative);
  });

  it('survives the journey as JSON', () => {
    expect(JSON.parse(JSON.stringify(one.spec))).toEqual(one.spec);
  });

  it('has no background and no black text, so that it reads on white and on black', async () => {
    const svg = await svgOf(one);
    expect(one.spec.config?.background).toBe('transparent');
    expect(svg).not.toMatch(/<text[^>]*fill="(#000|#000000|black)"/);
  });
});

it('a loss curve is thinned to means and says where it begins and ends', () => {
  const { spec, alternative } = lossCurve({ title: 'T', curves: { a: steps }, points: 100 });
  const data = 'data' in spec && spec.data !== null && 'values' in (spec.data ?? {}) ? spec.data : undefined;
  expect(JSON.stringify(data).match(/"series"/g)).toHaveLength(100);
  expect(alternative).toContain('from 5.978 at step 10 to 1.028 at step 1000');
});

it('two lines differ in dash as well as in colour', () => {
  expect(JSON.stringify(charts.loss?.spec)).toContain('strokeDash');
});

it('an interval is an area behind its line, and in words', () => {
  const layers = JSON.stringify(charts.interval?.spec).match(/"type":"(area|line)"/g);
  expect(layers).toEqual(['"type":"area"', '"type":"line"']);
  expect(charts.interval?.alternative).toContain(
    '95% interval, a grey area: 2.5 to 3.5 at parameters 10, 0.5 to 1.5 at parameters 1000',
  );
});

it('a mask says in words who sees whom', () => {
  expect(charts.masks?.alternative).toContain('decoder: query 1 sees keys 1, query 2 sees keys 1, 2');
});

it('a token that comes twice keeps two rows', async () => {
  expect(charts.attention?.alternative).toContain('head 2: 2 by 2, largest 1 at 2 a / 2 a');
});

it('rows and columns of a heat map are counted from 1, or from 0 where positions are', () => {
  const options = { title: 'M', rows: 'r', columns: 'c' };
  const largestAt = (countFrom?: 0 | 1): string =>
    heatmap({ m: [[1, 2]] }, { ...options, ...(countFrom === undefined ? {} : { countFrom }) }).alternative;
  expect(largestAt()).toContain('largest 2 at 1 / 2');
  expect(largestAt(0)).toContain('largest 2 at 0 / 1');
});

it('a histogram leaves out what is not a number and counts the rest', () => {
  expect(charts.histogram?.alternative).toContain('4 values of size from 1 to 3, mean 2');
});

describe('an architecture figure', () => {
  const figure = architectureFigure({
    title: 'A <layer>',
    rows: [
      [{ label: 'attention', shape: '[B, T, D]' }],
      [{ label: 'add & norm' }],
      [{ label: 'head' }, { label: 'other head' }],
    ],
    groups: [{ from: 0, to: 1, label: '× L' }],
    residuals: [{ from: 0, to: 1 }],
  });
  it('is well-formed and escapes its labels', () => {
    expect(figure.svg).toContain('A &#60;layer&#62;');
    expect(figure.svg).toContain('add &#38; norm');
    expect(figure.svg.match(/<line /g)).toHaveLength(3);
  });
  it('says in words what it shows', () => {
    expect(figure.alternative).toBe(
      'A <layer>, from the bottom up: attention, giving [B, T, D]; add & norm; head, beside other head. attention up to add & norm: × L. what enters attention is added at add & norm.',
    );
  });
  it('refuses a group of rows that are not there', () => {
    const wrong = () =>
      architectureFigure({ title: 'x', rows: [[{ label: 'a' }]], groups: [{ from: 0, to: 1, label: 'l' }] });
    expect(wrong).toThrow(InputError);
    expect(wrong).toThrow('rows 0 to 1 are not among its 1 rows');
  });
});
