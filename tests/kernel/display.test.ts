import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { stripVTControlCharacters } from 'node:util';
import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatError } from '../../src/kernel/display/error.ts';
import { formatValue, JUPYTER_DISPLAY } from '../../src/kernel/display/format.ts';
import { heatMap } from '../../src/kernel/display/heatmap.ts';

async function bundleOf(value: unknown): Promise<Record<string, unknown>> {
  return (await formatValue(value)).data;
}

test('plain values are text', async () => {
  expect(await bundleOf(1.5)).toEqual({ 'text/plain': '1.5' });
  expect(await bundleOf('a')).toEqual({ 'text/plain': "'a'" });
  expect(await bundleOf(null)).toEqual({ 'text/plain': 'null' });
  expect(await bundleOf(new Map([[1, { a: [2] }]]))).toEqual({
    'text/plain': 'Map(1) { 1 => { a: [ 2 ] } }',
  });
});

test('a value can say how it is shown, also later', async () => {
  expect(await bundleOf({ [JUPYTER_DISPLAY]: () => ({ 'text/html': '<b>me</b>' }) })).toEqual({
    'text/html': '<b>me</b>',
  });
  expect(await bundleOf({ [JUPYTER_DISPLAY]: async () => ({ 'text/latex': '$x$' }) })).toEqual({
    'text/latex': '$x$',
  });
});

test('a value with nothing to show gives an empty bundle', async () => {
  expect(await bundleOf({ [JUPYTER_DISPLAY]: () => ({}) })).toEqual({});
});

test('a value that cannot be shown does not break the cell', async () => {
  const hostile = {
    [JUPYTER_DISPLAY]() {
      throw new Error('no look');
    },
  };
  expect(await bundleOf(hostile)).toEqual({ 'text/plain': expect.stringContaining('no look') });
  const trap = new Proxy(
    {},
    {
      get() {
        throw new Error('trap');
      },
    },
  );
  expect(await bundleOf(trap)).toEqual({ 'text/plain': expect.any(String) });
});

describe('tensors', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('show shape, dtype, device, statistics and values, without a leak', async () => {
    const tensor = tf.tensor1d([1, -2, Number.NaN, 4]);
    const before = tf.memory().numTensors;
    const text = String((await bundleOf(tensor))['text/plain']);
    expect(text).toBe(
      'Tensor [4] float32 on cpu\nmin -2   max 4   mean 1   std 2.449   1 not finite\n[1, -2, NaN, 4]',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  test('are a heat map from rank 2 up', async () => {
    expect(String((await bundleOf(tf.ones([3])))['text/html'])).not.toContain('<img');
    const html = String((await bundleOf(tf.zeros([2, 3, 5, 7])))['text/html']);
    expect(html).toContain('Tensor [2, 3, 5, 7] float32 on cpu');
    expect(html).toMatch(/<img [^>]*data:image\/png;base64/);
  });

  test('of other kinds are shown too: scalar, boolean, text, empty, disposed', async () => {
    expect((await bundleOf(tf.scalar(3, 'int32')))['text/plain']).toBe(
      'Tensor [] int32 on cpu\nmin 3   max 3   mean 3   std 0\n3',
    );
    expect((await bundleOf(tf.tensor1d([true, false])))['text/plain']).toContain('[true, false]');
    expect((await bundleOf(tf.tensor1d(['a', 'b'])))['text/plain']).toContain('["a", "b"]');
    expect((await bundleOf(tf.zeros([0, 4])))['text/plain']).toContain('no elements');
    const gone = tf.zeros([2]);
    gone.dispose();
    expect((await bundleOf(gone))['text/plain']).toContain('(disposed)');
  });

  test('that are long are shortened to their ends', async () => {
    const text = String((await bundleOf(tf.range(0, 1000, 1, 'int32')))['text/plain']);
    expect(text).toContain('[0, 1, 2, 3, 4, 5, …, 994, 995, 996, 997, 998, 999]');
  });

  test('the pixels of a heat map are blue below zero, white at zero and red above', () => {
    const values = [-2, 0, 2, Number.NaN, 1, -1];
    const { png, width, height } = heatMap(
      [{ rows: 2, columns: 3, at: (r, c) => values[r * 3 + c] ?? 0 }],
      2,
    );
    expect([width, height]).toEqual([3, 2]);
    const length = png.readUInt32BE(33);
    const rows = inflateSync(png.subarray(41, 41 + length));
    expect([...rows.subarray(1, 10)]).toEqual([33, 102, 172, 247, 247, 247, 178, 24, 43]);
    expect([...rows.subarray(11, 14)]).toEqual([255, 214, 0]);
  });
});

test('an array of records is a table, escaped', async () => {
  const bundle = await bundleOf([
    { name: '<b>', loss: 0.123456789 },
    { name: 'x', loss: 2 },
  ]);
  expect(bundle['text/html']).toContain('<th>loss</th>');
  expect(bundle['text/html']).toContain('&lt;b&gt;');
  expect(bundle['text/html']).toContain('0.123457');
  expect(await bundleOf([{ a: 1 }])).not.toHaveProperty('text/html');
  expect(await bundleOf([{ a: [1] }, { a: [2] }])).not.toHaveProperty('text/html');
});

test('a Vega-Lite specification is a chart with a picture for where nothing draws it', async () => {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: 'two bars',
    data: { values: [{ a: 1 }, { a: 2 }] },
    mark: 'bar',
    encoding: { x: { field: 'a', type: 'quantitative' } },
  };
  const bundle = await bundleOf(spec);
  expect(bundle['application/vnd.vegalite.v5+json']).toEqual(spec);
  expect(bundle['image/svg+xml']).toMatch(/^<svg/);
  expect(bundle['text/plain']).toBe('two bars');
});

test('long text is folded, and none of it is lost', async () => {
  const bundle = await bundleOf(Array.from({ length: 900 }, (_, i) => ({ i, nested: [i] })));
  const html = String(bundle['text/html']);
  expect(html).toMatch(/<summary[^>]*>\d+ more lines<\/summary>/);
  expect(html).toContain('i: 899');
  expect(String(bundle['text/plain'])).toContain('i: 899');
});

test('an error shows the lines around its place', () => {
  const error = { name: 'Error', message: 'no', stack: 'Error: no\n    at f (In[2]:2:3)\n    at In[3]:1:1' };
  const sources = new Map([['In[2]', 'one\ntwo\nthree']]);
  const lines = formatError(error, sources).traceback.join('\n').split('\n');
  const plain = lines.map((line) => stripVTControlCharacters(line));
  expect(plain).toEqual([
    'Error: no',
    '  1 | one',
    '> 2 | two',
    '    |   ^',
    '  3 | three',
    '    at f (In[2]:2:3)',
    '    at In[3]:1:1',
  ]);
});
