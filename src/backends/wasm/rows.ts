/** Sums, softmax and the gradient of a table look-up: what works on rows. */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';
import { addressOf, isFloat, replaceKernel } from './replace-kernel.ts';

export function registerRows(library: NativeLibrary): void {
  replaceKernel('Sum', ({ inputs: { x }, attrs }) => x && reduce(library, x, attrs, false));
  replaceKernel('Mean', ({ inputs: { x }, attrs }) => x && reduce(library, x, attrs, true));
  replaceKernel('Softmax', ({ inputs: { logits }, attrs }) => {
    if (logits === undefined || !isFloat(logits)) return undefined;
    const { rows, width } = rowsOf(logits);
    if (attrs?.dim !== logits.shape.length - 1 || rows * width === 0) return undefined;
    const y = library.backend.makeOutput(logits.shape, 'float32');
    const addresses = [addressOf(library, logits), 0, addressOf(library, y)];
    library.call('softmax', ...addresses, rows, width, 1, 1, 1, 1, 1, 0);
    return y;
  });
  replaceKernel('UnsortedSegmentSum', ({ inputs: { x, segmentIds }, attrs }) => {
    const count = attrs?.numSegments;
    if (x === undefined || segmentIds === undefined || typeof count !== 'number') return undefined;
    if (!isFloat(x) || segmentIds.dtype !== 'int32') return undefined;
    const [rows = 0, ...rest] = x.shape;
    const y = library.backend.makeOutput([count, ...rest], 'float32');
    const addresses = [addressOf(library, x), addressOf(library, segmentIds), addressOf(library, y)];
    library.call('segment_sum', ...addresses, rows, tf.util.sizeFromShape(rest), count);
    return y;
  });
}

/** A tensor as rows of its last axis. */
export function rowsOf({ shape }: tf.TensorInfo): { rows: number; width: number } {
  return { rows: tf.util.sizeFromShape(shape.slice(0, -1)), width: shape.at(-1) ?? 1 };
}

/** Sums over leading or over trailing axes; undefined for axes between. */
function reduce(
  library: NativeLibrary,
  x: tf.TensorInfo,
  attrs: tf.NamedAttrMap | undefined,
  mean: boolean,
): tf.TensorInfo | undefined {
  const rank = x.shape.length;
  const size = tf.util.sizeFromShape(x.shape);
  if (!isFloat(x) || size === 0) return undefined;
  const axes = reducedAxes(attrs?.axis, x.shape);
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const shape = attrs?.keepDims === true ? x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) : kept;
  const outer = tf.util.sizeFromShape(kept);
  const reduced = size / outer;
  const scale = mean ? 1 / reduced : 1;
  const trailing = axes.every((axis) => axis >= rank - axes.length);
  if (!trailing && !axes.every((axis) => axis < axes.length)) return undefined;
  const y = library.backend.makeOutput(shape, 'float32');
  const addresses = [addressOf(library, x), addressOf(library, y)];
  if (trailing) library.call('sum_rows', ...addresses, outer, reduced, scale);
  else library.call('sum_columns', ...addresses, reduced, outer, scale);
  return y;
}

/** The axes to add up; all unless given, none if the list is empty. */
function reducedAxes(axis: unknown, shape: number[]): number[] {
  if (typeof axis === 'number') return tf.util.parseAxisParam(axis, shape);
  if (Array.isArray(axis)) return tf.util.parseAxisParam(axis.map(Number), shape);
  return shape.map((_, i) => i);
}
