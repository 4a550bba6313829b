/** Comparing what came with what was expected: element by element, with the place of the first and the worst difference. */
import { nameOf, shapeText } from './values.js';
/** For whole numbers, text and labels. */
export const EXACT = { absolute: 0, relative: 0, reason: 'whole numbers are exact' };
/** For a few float32 operations on values near 1. */
export const FLOAT32 = {
  absolute: 1e-5,
  relative: 1e-5,
  reason: 'float32 keeps 7 digits; another order of operations costs the last one or two',
};
/** Whether one number is as expected. NaN equals only NaN, an infinity only itself. */
export function close(expected, got, tolerance) {
  if (Object.is(expected, got) || expected === got) return true;
  if (!Number.isFinite(expected) || !Number.isFinite(got)) return false;
  return Math.abs(got - expected) <= tolerance.absolute + tolerance.relative * Math.abs(expected);
}
/** The first difference in reading order, or undefined where there is none. */
export function compare(expected, got, tolerance, path = 'result') {
  if (expected.kind === 'tensor' && got.kind === 'tensor')
    return compareTensors(expected, got, tolerance, path);
  if (expected.kind === 'typed' && got.kind === 'typed') {
    if (expected.type !== got.type) return { kind: 'dtype', path, expected: expected.type, got: got.type };
    if (expected.values.length !== got.values.length)
      return lengths(path, expected.values.length, got.values.length);
    return compareElements(expected.values, got.values, [expected.values.length], tolerance, path);
  }
  if (expected.kind === 'list' && got.kind === 'list') {
    if (expected.items.length !== got.items.length)
      return lengths(path, expected.items.length, got.items.length);
    return firstOf(expected.items.entries(), (i, item) =>
      compare(item, got.items[i] ?? { kind: 'undefined' }, tolerance, `${path}[${i}]`),
    );
  }
  if (expected.kind === 'record' && got.kind === 'record')
    return compareEntries(expected.entries, got.entries, tolerance, path);
  if (expected.kind === 'map' && got.kind === 'map') {
    return compareEntries(byKey(expected.entries), byKey(got.entries), tolerance, path);
  }
  if (expected.kind === 'number' && got.kind === 'number') {
    return close(expected.value, got.value, tolerance) ? undefined : scalar(path, expected.value, got.value);
  }
  if (
    (expected.kind === 'string' && got.kind === 'string') ||
    (expected.kind === 'boolean' && got.kind === 'boolean')
  ) {
    return expected.value === got.value ? undefined : scalar(path, expected.value, got.value);
  }
  return expected.kind === got.kind
    ? undefined
    : { kind: 'type', path, expected: nameOf(expected), got: nameOf(got) };
}
/** Whether two values agree everywhere, within the tolerance. */
export const agree = (expected, got, tolerance) => compare(expected, got, tolerance) === undefined;
function compareTensors(expected, got, tolerance, path) {
  if (expected.shape.length !== got.shape.length || expected.shape.some((n, axis) => n !== got.shape[axis])) {
    return { kind: 'shape', path, expected: shapeText(expected.shape), got: shapeText(got.shape) };
  }
  if (expected.dtype !== got.dtype) return { kind: 'dtype', path, expected: expected.dtype, got: got.dtype };
  return compareElements(expected.values, got.values, expected.shape, tolerance, path);
}
function compareElements(expected, got, shape, tolerance, path) {
  let wrong = 0;
  let first = -1;
  let worst = -1;
  let worstBy = -1;
  for (const [i, want] of expected.entries()) {
    const came = got[i] ?? Number.NaN;
    if (close(want, came, tolerance)) continue;
    wrong++;
    if (first < 0) first = i;
    // A NaN or an infinity where a number belongs is worse than any distance.
    const by =
      Number.isFinite(came) && Number.isFinite(want) ? Math.abs(came - want) : Number.POSITIVE_INFINITY;
    if (by > worstBy) {
      worst = i;
      worstBy = by;
    }
  }
  if (wrong === 0) return undefined;
  const element = (at) => ({
    index: unravel(at, shape),
    expected: expected[at] ?? Number.NaN,
    got: got[at] ?? Number.NaN,
  });
  return {
    kind: 'elements',
    path,
    shape,
    wrong,
    total: expected.length,
    first: element(first),
    worst: element(worst),
  };
}
/** The place of a flat offset in a row-major tensor of the shape. */
export function unravel(offset, shape) {
  let rest = offset;
  return [...shape].reverse().reduce((index, size) => {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
    return index;
  }, []);
}
function compareEntries(expected, got, tolerance, path) {
  const missing = [...expected.keys()].filter((key) => !got.has(key));
  const extra = [...got.keys()].filter((key) => !expected.has(key));
  if (missing.length + extra.length > 0) {
    const list = (keys) => `{${[...keys].slice(0, 12).join(', ')}}`;
    return { kind: 'keys', path, expected: list(expected.keys()), got: list(got.keys()) };
  }
  return firstOf(expected, (key, value) =>
    compare(value, got.get(key) ?? { kind: 'undefined' }, tolerance, `${path}.${key}`),
  );
}
/** Maps are compared without regard to order; their keys are strings, numbers or booleans. */
function byKey(entries) {
  return new Map(
    entries.map(([key, item]) => ['value' in key ? JSON.stringify(key.value) : nameOf(key), item]),
  );
}
function firstOf(entries, test) {
  for (const [key, value] of entries) {
    const difference = test(key, value);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
const lengths = (path, expected, got) => ({
  kind: 'length',
  path,
  expected: `${expected}`,
  got: `${got}`,
});
const scalar = (path, expected, got) => ({
  kind: 'scalar',
  path,
  expected: scalarText(expected),
  got: scalarText(got),
});
function scalarText(value) {
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string'
    ? JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)
    : String(value);
}
/** A number as people read it: whole numbers whole, others with seven digits. */
export function numberText(value) {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const text = value.toPrecision(7);
  return text.includes('e') ? text : String(Number(text));
}
