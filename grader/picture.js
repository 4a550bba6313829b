/** A small picture of where a tensor is wrong: one cell an element, last axis across, all others down. */
import { close } from './compare.js';

const MAX_ROWS = 40;
const MAX_COLUMNS = 64;
/** The picture of a difference between tensors at the top of the result or one level down; undefined for anything else. */
export function pictureOf(expected, got, difference, tolerance) {
  if (difference.kind !== 'elements') return undefined;
  const want = find(expected, difference.path);
  const came = find(got, difference.path);
  if (want === undefined || came === undefined || want.shape.length === 0) return undefined;
  const columns = want.shape.at(-1) ?? 1;
  const rows = columns === 0 ? 0 : want.values.length / columns;
  const largest = Math.abs(difference.worst.got - difference.worst.expected);
  const cell = (i) => {
    const [a, b] = [want.values[i] ?? 0, came.values[i] ?? 0];
    if (close(a, b, tolerance)) return '0';
    if (!Number.isFinite(b) || !Number.isFinite(a)) return '5';
    return Number.isFinite(largest) ? `${Math.max(1, Math.ceil((4 * Math.abs(b - a)) / largest))}` : '2';
  };
  return {
    path: difference.path,
    shape: want.shape,
    rows: Array.from({ length: Math.min(rows, MAX_ROWS) }, (_, row) =>
      Array.from({ length: Math.min(columns, MAX_COLUMNS) }, (_, column) =>
        cell(row * columns + column),
      ).join(''),
    ),
    cropped: rows > MAX_ROWS || columns > MAX_COLUMNS,
  };
}
function find(value, path) {
  if (value.kind === 'tensor') return value;
  const [, field, item] = /^result(?:\.([^.[\]]+)|\[(\d+)\])$/.exec(path) ?? [];
  const inner =
    value.kind === 'record' && field !== undefined
      ? value.entries.get(field)
      : value.kind === 'list' && item !== undefined
        ? value.items[Number(item)]
        : undefined;
  return inner?.kind === 'tensor' ? inner : undefined;
}
