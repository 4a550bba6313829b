import { heatMap, type Matrix } from './heatmap.ts';
import { escapeHtml } from './html.ts';
import type { MimeBundle } from './publish.ts';

const MOST_PANELS = 8;
const EDGE = 3;

/** What a tensor of any copy of TensorFlow.js has. */
interface TensorLike {
  shape: number[];
  dtype: string;
  size: number;
  isDisposed: boolean;
  data(): Promise<ArrayLike<number> | string[]>;
}

function isTensor(value: object): value is TensorLike {
  return (
    'dataId' in value &&
    'shape' in value &&
    Array.isArray(value.shape) &&
    'dtype' in value &&
    'data' in value &&
    typeof value.data === 'function' &&
    'isDisposed' in value
  );
}

/** A tensor as its shape, dtype, device, statistics and values, from rank 2 with a heat map; undefined for others. */
export async function tensorDisplay(value: object): Promise<MimeBundle | undefined> {
  if (!isTensor(value)) return undefined;
  const { shape, dtype, isDisposed } = value;
  const device = await deviceName();
  const title = `Tensor [${shape.join(', ')}] ${dtype}${device === '' ? '' : ` on ${device}`}`;
  if (isDisposed) return { 'text/plain': `${title} (disposed)` };
  const data = await value.data(); // never dataSync: it would block, and WebGPU cannot
  const values = printed(shape, (index) => element(data[index], dtype));
  if (typeof data[0] === 'string') return { 'text/plain': `${title}\n${values}` };
  const numbers: ArrayLike<number> = Float64Array.from(data, Number);
  const statistics = describe(numbers);
  const text = `${title}\n${statistics.text}\n${values}`;
  const picture = shape.length >= 2 && value.size > 0 ? pictureOf(shape, numbers, statistics.largest) : '';
  const html =
    `<div><b>${escapeHtml(title)}</b><br><span style="opacity:.75">${escapeHtml(statistics.text)}</span>` +
    `${picture}<pre style="margin:4px 0">${escapeHtml(values)}</pre></div>`;
  return { 'text/html': html, 'text/plain': text };
}

/** The backend that computes; empty if the tensor is of another copy of TensorFlow.js than ours. */
async function deviceName(): Promise<string> {
  const { getBackend } = await import('@tensorflow/tfjs-core');
  return getBackend() ?? '';
}

function describe(values: ArrayLike<number>): { text: string; largest: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  let finite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    finite += 1;
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
    squares += value * value;
  }
  if (finite === 0) return { text: values.length === 0 ? 'no elements' : 'no finite element', largest: 0 };
  const mean = sum / finite;
  const deviation = Math.sqrt(Math.max(0, squares / finite - mean * mean));
  const parts = [
    `min ${short(least)}`,
    `max ${short(most)}`,
    `mean ${short(mean)}`,
    `std ${short(deviation)}`,
  ];
  if (finite < values.length) parts.push(`${values.length - finite} not finite`);
  return { text: parts.join('   '), largest: Math.max(Math.abs(least), Math.abs(most)) };
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function element(value: number | string | undefined, dtype: string): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  return value === undefined ? '' : short(value);
}

/** Values in nested brackets, long axes shortened to their ends. */
function printed(shape: readonly number[], text: (index: number) => string): string {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const level = (axis: number, offset: number): string => {
    const size = shape[axis];
    if (size === undefined) return text(offset);
    const isLast = axis === shape.length - 1;
    const edge = isLast ? EDGE * 2 : EDGE;
    const isShort = size > 2 * edge;
    const indices = Array.from({ length: size }, (_, i) => i).filter(
      (i) => !isShort || i < edge || i >= size - edge,
    );
    const items = indices.map((i) => level(axis + 1, offset + i * (strides[axis] ?? 1)));
    if (isShort) items.splice(edge, 0, '…');
    const separator = isLast ? ', ' : `,\n${' '.repeat(axis + 1)}`;
    return `[${items.join(separator)}]`;
  };
  return level(0, 0);
}

/** The last two axes as a picture; of the axes before them, the first few matrices. */
function pictureOf(shape: readonly number[], values: ArrayLike<number>, largest: number): string {
  const rows = shape.at(-2) ?? 1;
  const columns = shape.at(-1) ?? 1;
  const total = values.length / (rows * columns);
  const count = Math.min(total, MOST_PANELS);
  const panels = Array.from({ length: count }, (_, panel): Matrix => {
    const offset = panel * rows * columns;
    return { rows, columns, at: (row, column) => values[offset + row * columns + column] ?? Number.NaN };
  });
  const { png, width, height } = heatMap(panels, largest);
  const scale = Math.max(1, Math.min(16, Math.floor(320 / Math.max(rows, columns)), Math.floor(700 / width)));
  const note =
    count < total ? `<br><span style="opacity:.75">the first ${count} of ${total} matrices</span>` : '';
  return (
    `<br><img alt="heat map" style="image-rendering:pixelated;margin:4px 0" width="${width * scale}" ` +
    `height="${height * scale}" src="data:image/png;base64,${png.toString('base64')}">${note}`
  );
}
