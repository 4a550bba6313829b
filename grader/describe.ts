/**
 * What a wrong output looks like beside the right one, when no known mistake explains it: transposed, scaled, one position
 * off, right but for padding. Each finding is a sentence to the learner; only those that hold exactly are made.
 */
import { close, compare, type Difference, numberText, type Tolerance } from './compare.ts';
import { type NumericArray, shapeText, sizeOf, type TensorValue, type Value } from './values.ts';

/** Plain words for a difference: where, what was expected, what came. */
export function differenceText(difference: Difference): string {
  const { path } = difference;
  switch (difference.kind) {
    case 'type':
      return `${path} should be ${article(difference.expected)} but is ${article(difference.got)}.`;
    case 'shape':
      return `${path} should have shape ${difference.expected} but has ${difference.got}.`;
    case 'dtype':
      return `${path} should be ${difference.expected} but is ${difference.got}.`;
    case 'length':
      return `${path} should have ${difference.expected} elements but has ${difference.got}.`;
    case 'keys':
      return `${path} should have the fields ${difference.expected} but has ${difference.got}.`;
    case 'scalar':
      return `${path} should be ${difference.expected} but is ${difference.got}.`;
    case 'elements': {
      const { first, wrong, total, shape } = difference;
      if (total === 1)
        return `${path} should be ${numberText(first.expected)} but is ${numberText(first.got)}.`;
      return (
        `${path} has the right shape ${shapeText(shape)}, but ${wrong} of its ${total} elements are wrong; ` +
        `the first is at [${first.index.join(', ')}]: expected ${numberText(first.expected)}, got ${numberText(first.got)}.`
      );
    }
  }
}

function article(noun: string): string {
  if (noun === 'undefined' || noun === 'null') return noun;
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** The same without any number of the inputs or outputs: what may be said about a hidden case. */
export function discreetText(difference: Difference): string {
  switch (difference.kind) {
    case 'elements':
      return `${difference.path} has the right shape, but some of its elements are wrong.`;
    case 'scalar':
      return `${difference.path} is not the expected value.`;
    case 'length':
      return `${difference.path} does not have the expected number of elements.`;
    case 'keys':
      return `${difference.path} does not have the expected fields.`;
    case 'shape':
      return `${difference.path} does not have the expected shape.`;
    case 'dtype':
      return `${difference.path} should be ${difference.expected}.`;
    case 'type':
      // Not what it is instead: the names of its fields are the author's.
      return `${difference.path} is another kind of value than it should be.`;
  }
}

/** What else is known of the case: which positions [B, T] are tokens (1) and which padding (0). */
export interface DescribeContext {
  readonly padding?: TensorValue;
}

/**
 * Sentences on how the output differs, most telling first; empty where nothing fits.
 * @param expected, got whole results; the tensors at the place of the difference are looked at.
 */
export function describe(
  expected: Value,
  got: Value,
  tolerance: Tolerance,
  context: DescribeContext = {},
): string[] {
  const difference = compare(expected, got, tolerance);
  if (difference === undefined) return [];
  const want = tensorAt(expected, difference.path);
  const came = tensorAt(got, difference.path);
  if (want === undefined || came === undefined) return [];
  const findings: (string | undefined)[] =
    difference.kind === 'shape'
      ? [transposed(want, came, tolerance), sameButReshaped(want, came, tolerance), batchOrRank(want, came)]
      : difference.kind === 'elements'
        ? [
            notNumbers(came),
            butForPadding(want, came, tolerance, context.padding),
            scaled(want, came, tolerance),
            telling(want, came, tolerance),
            shifted(want, came, tolerance),
            offByOne(want, came, tolerance),
            samePlaces(want, came, tolerance),
          ]
        : [];
  return findings.filter((finding) => finding !== undefined);
}

/** The tensor a difference's path speaks of. Paths are `result`, `result.logits`, `result[0].x`. */
function tensorAt(root: Value, path: string): TensorValue | undefined {
  let value: Value | undefined = root;
  for (const [, field, item] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)) {
    if (value?.kind === 'record' && field !== undefined) value = value.entries.get(field);
    else if (value?.kind === 'list' && item !== undefined) value = value.items[Number(item)];
    else return undefined;
  }
  return value?.kind === 'tensor' ? value : undefined;
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => rest.toSpliced(at, 0, n - 1)),
  );
}

/** The values of a row-major tensor with its axes in another order. */
function transpose(tensor: TensorValue, order: readonly number[]): NumericArray {
  const { shape, values } = tensor;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const outShape = order.map((axis) => shape[axis] ?? 1);
  const outStrides = order.map((axis) => strides[axis] ?? 1);
  const out = values.slice();
  for (let i = 0; i < out.length; i++) {
    let rest = i;
    let from = 0;
    for (let axis = outShape.length - 1; axis >= 0; axis--) {
      const size = outShape[axis] ?? 1;
      from += (rest % size) * (outStrides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    out[i] = values[from] ?? 0;
  }
  return out;
}

const sameValues = (a: NumericArray, b: NumericArray, tolerance: Tolerance): boolean =>
  a.length === b.length && a.every((value, i) => close(value, b[i] ?? Number.NaN, tolerance));

function transposed(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  const rank = want.shape.length;
  if (rank < 2 || rank > 5 || rank !== came.shape.length) return undefined;
  for (const order of permutations(rank)) {
    if (order.some((axis, i) => want.shape[axis] !== came.shape[i])) continue;
    if (sameValues(transpose(want, order), came.values, tolerance)) {
      return `The values are right, but the axes are in the wrong order: your axes ${shapeText(order.map((_, i) => i))} are the expected ${shapeText(order)}. Transpose before you return.`;
    }
  }
  const sorted = (shape: readonly number[]): string => [...shape].sort((a, b) => a - b).join();
  if (sorted(want.shape) === sorted(came.shape)) {
    return 'The shape has the right sizes in the wrong order: a transpose is missing or one too many.';
  }
  return undefined;
}

function sameButReshaped(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  return sameValues(want.values, came.values, tolerance)
    ? `The values are right and in the right order; only the shape is not: reshape to ${shapeText(want.shape)}.`
    : undefined;
}

function batchOrRank(want: TensorValue, came: TensorValue): string | undefined {
  if (want.shape.length === came.shape.length) return undefined;
  return `Expected ${want.shape.length} axes, got ${came.shape.length}: look for a reduction without keepDims, or an axis that was added or squeezed.`;
}

function notNumbers(came: TensorValue): string | undefined {
  const nan = came.values.filter((value) => Number.isNaN(value)).length;
  if (nan > 0) {
    return `${nan} of ${came.values.length} elements are NaN: look for 0/0, the logarithm or root of a negative number, or a softmax over a row that is masked everywhere.`;
  }
  const infinite = came.values.filter((value) => !Number.isFinite(value)).length;
  return infinite > 0
    ? `${infinite} of ${came.values.length} elements are infinite: look for a division by 0, the logarithm of 0, or an exponent that is too large.`
    : undefined;
}

/** The mask covers the first two axes of the result. */
function butForPadding(
  want: TensorValue,
  came: TensorValue,
  tolerance: Tolerance,
  padding?: TensorValue,
): string | undefined {
  if (padding === undefined || padding.shape.some((n, axis) => want.shape[axis] !== n)) return undefined;
  const inner = sizeOf(want.shape.slice(padding.shape.length));
  const right = want.values.every(
    (value, i) =>
      padding.values[Math.floor(i / inner)] === 0 || close(value, came.values[i] ?? Number.NaN, tolerance),
  );
  return right ? 'Every real token is right; only the padding positions are wrong.' : undefined;
}

/** One factor, the same everywhere, between what came and what was expected. */
function scaled(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  let dot = 0;
  let norm = 0;
  for (const [i, value] of want.values.entries()) {
    dot += value * (came.values[i] ?? 0);
    norm += value * value;
  }
  const factor = dot / norm;
  if (want.values.length < 3 || norm === 0 || !Number.isFinite(factor) || Math.abs(factor) < 1e-6)
    return undefined;
  const widened = {
    ...tolerance,
    absolute: 4 * tolerance.absolute * Math.max(1, Math.abs(factor)),
    relative: 1e-4,
  };
  if (!want.values.every((value, i) => close(value * factor, came.values[i] ?? Number.NaN, widened)))
    return undefined;
  if (Math.abs(factor + 1) < 1e-4)
    return 'Every element has the wrong sign: your result is −1 times the expected one.';
  return `Your result is ${numberText(Number(factor.toPrecision(5)))} times the expected one, everywhere: a factor is missing or one too many.`;
}

/** Factors that say where a single number went wrong. */
const TELLING: readonly (readonly [factor: number, why: string])[] = [
  [-1, 'Your result has the wrong sign.'],
  [2, 'Your result is twice the expected one.'],
  [0.5, 'Your result is half the expected one.'],
  [1 / Math.LN2, 'Your result is in bits: take the natural logarithm, not that to base 2.'],
  [1 / Math.LN10, 'Your result is in decimal digits: take the natural logarithm, not that to base 10.'],
];

/** A single number cannot show that a factor is the same everywhere; some factors speak for themselves. */
function telling(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  const [expected, got] = [want.values[0], came.values[0]];
  if (want.values.length !== 1 || expected === undefined || got === undefined || expected === 0)
    return undefined;
  return TELLING.find(([factor]) => close(expected * factor, got, tolerance))?.[1];
}

function shifted(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  const [first, firstWant] = [came.values[0], want.values[0]];
  if (first === undefined || firstWant === undefined || want.values.length < 3) return undefined;
  const by = first - firstWant;
  const widened = { ...tolerance, absolute: 4 * tolerance.absolute + 1e-6 };
  if (!want.values.every((value, i) => close(value + by, came.values[i] ?? Number.NaN, widened)))
    return undefined;
  return `Your result is the expected one plus ${numberText(Number(by.toPrecision(5)))}, everywhere.`;
}

/** What came at position i is what belongs at i ± 1, along one axis. */
function offByOne(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  for (const [axis, size] of want.shape.entries()) {
    if (size < 3) continue;
    const inner = sizeOf(want.shape.slice(axis + 1));
    for (const step of [1, -1]) {
      let compared = 0;
      const fits = came.values.every((value, i) => {
        const position = Math.floor(i / inner) % size;
        if (position + step < 0 || position + step >= size) return true;
        compared++;
        return close(want.values[i + step * inner] ?? Number.NaN, value, tolerance);
      });
      if (fits && compared > 1) {
        const which = step === 1 ? 'one position too early' : 'one position too late';
        return `Everything is ${which} along axis ${axis}: what stands at position i belongs at i ${step === 1 ? '+' : '−'} 1.`;
      }
    }
  }
  return undefined;
}

/** All wrong elements share one index of one axis. */
function samePlaces(want: TensorValue, came: TensorValue, tolerance: Tolerance): string | undefined {
  const wrong = [...want.values.keys()].filter(
    (i) => !close(want.values[i] ?? Number.NaN, came.values[i] ?? Number.NaN, tolerance),
  );
  for (const [axis, size] of want.shape.entries()) {
    if (size < 2) continue;
    const inner = sizeOf(want.shape.slice(axis + 1));
    const at = new Set(wrong.map((i) => Math.floor(i / inner) % size));
    const [only] = at;
    if (at.size === 1 && only !== undefined) {
      const place = only === 0 ? 'the first' : only === size - 1 ? 'the last' : `number ${only}`;
      return `Only ${place} along axis ${axis} is wrong; the other ${size - 1} are right.`;
    }
  }
  return undefined;
}
