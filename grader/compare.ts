/** Comparing what came with what was expected: element by element, with the place of the first and the worst difference. */
import { keysText, type NumericArray, nameOf, shapeText, type TensorValue, type Value } from './values.ts';

/** |got − expected| may be `absolute + relative · |expected|`; the reason says why not less and not more. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  readonly reason: string;
}

/** For whole numbers, text and labels. */
export const EXACT: Tolerance = { absolute: 0, relative: 0, reason: 'whole numbers are exact' };

/** For a few float32 operations on values near 1. */
export const FLOAT32: Tolerance = {
  absolute: 1e-5,
  relative: 1e-5,
  reason: 'float32 keeps 7 digits; another order of operations costs the last one or two',
};

/** One wrong element. `index` is its place in the tensor, one number an axis. */
export interface WrongElement {
  readonly index: readonly number[];
  readonly expected: number;
  readonly got: number;
}

/** How two values differ, at the first place where they do. */
export type Difference =
  | {
      readonly kind: 'type' | 'shape' | 'dtype' | 'length' | 'keys';
      readonly path: string;
      readonly expected: string;
      readonly got: string;
    }
  | { readonly kind: 'scalar'; readonly path: string; readonly expected: string; readonly got: string }
  | {
      readonly kind: 'elements';
      readonly path: string;
      readonly shape: readonly number[];
      readonly wrong: number;
      readonly total: number;
      readonly first: WrongElement;
      readonly worst: WrongElement;
    };

/** Whether one number is as expected. NaN equals only NaN, an infinity only itself. */
export function close(expected: number, got: number, tolerance: Tolerance): boolean {
  if (Object.is(expected, got) || expected === got) return true;
  if (!Number.isFinite(expected) || !Number.isFinite(got)) return false;
  return Math.abs(got - expected) <= tolerance.absolute + tolerance.relative * Math.abs(expected);
}

/** The first difference in reading order, or undefined where there is none. */
export function compare(
  expected: Value,
  got: Value,
  tolerance: Tolerance,
  path = 'result',
): Difference | undefined {
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
export const agree = (expected: Value, got: Value, tolerance: Tolerance): boolean =>
  compare(expected, got, tolerance) === undefined;

function compareTensors(
  expected: TensorValue,
  got: TensorValue,
  tolerance: Tolerance,
  path: string,
): Difference | undefined {
  if (expected.shape.length !== got.shape.length || expected.shape.some((n, axis) => n !== got.shape[axis])) {
    return { kind: 'shape', path, expected: shapeText(expected.shape), got: shapeText(got.shape) };
  }
  if (expected.dtype !== got.dtype) return { kind: 'dtype', path, expected: expected.dtype, got: got.dtype };
  return compareElements(expected.values, got.values, expected.shape, tolerance, path);
}

function compareElements(
  expected: NumericArray,
  got: NumericArray,
  shape: readonly number[],
  tolerance: Tolerance,
  path: string,
): Difference | undefined {
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
  const element = (at: number): WrongElement => ({
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
export function unravel(offset: number, shape: readonly number[]): number[] {
  let rest = offset;
  return [...shape].reverse().reduce<number[]>((index, size) => {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
    return index;
  }, []);
}

function compareEntries(
  expected: ReadonlyMap<string, Value>,
  got: ReadonlyMap<string, Value>,
  tolerance: Tolerance,
  path: string,
): Difference | undefined {
  const missing = [...expected.keys()].filter((key) => !got.has(key));
  const extra = [...got.keys()].filter((key) => !expected.has(key));
  if (missing.length + extra.length > 0) {
    return {
      kind: 'keys',
      path,
      expected: keysText(expected.keys(), 12),
      got: keysText(got.keys(), 12),
    };
  }
  return firstOf(expected, (key, value) =>
    compare(value, got.get(key) ?? { kind: 'undefined' }, tolerance, `${path}.${key}`),
  );
}

/** Maps are compared without regard to order; their keys are strings, numbers or booleans. */
function byKey(entries: readonly (readonly [Value, Value])[]): Map<string, Value> {
  return new Map(
    entries.map(([key, item]) => ['value' in key ? JSON.stringify(key.value) : nameOf(key), item]),
  );
}

function firstOf<K, V>(
  entries: Iterable<[K, V]>,
  test: (key: K, value: V) => Difference | undefined,
): Difference | undefined {
  for (const [key, value] of entries) {
    const difference = test(key, value);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

const lengths = (path: string, expected: number, got: number): Difference => ({
  kind: 'length',
  path,
  expected: `${expected}`,
  got: `${got}`,
});

const scalar = (
  path: string,
  expected: number | string | boolean,
  got: number | string | boolean,
): Difference => ({
  kind: 'scalar',
  path,
  expected: scalarText(expected),
  got: scalarText(got),
});

function scalarText(value: number | string | boolean): string {
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string'
    ? JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)
    : String(value);
}

/** A number as people read it: whole numbers whole, others with seven digits. */
export function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const text = value.toPrecision(7);
  return text.includes('e') ? text : String(Number(text));
}
