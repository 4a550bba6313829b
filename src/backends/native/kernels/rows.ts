/** Sums, softmax, norms, cross entropy: what works on rows. The source of the kernels is ../ops/rows.cc. */

import * as tf from '@tensorflow/tfjs-core';
import type { KernelLibrary } from './library.ts';
import { addKernel, isFloat, missing, replaceKernel } from './replace-kernel.ts';

export function registerRows(library: KernelLibrary): void {
  replaceKernel('Sum', ({ inputs: { x }, attrs }) => x && reduce(library, x, attrs, false));
  replaceKernel('Mean', ({ inputs: { x }, attrs }) => x && reduce(library, x, attrs, true));
  replaceKernel('Softmax', ({ inputs: { logits }, attrs }) => {
    if (logits === undefined || !isFloat(logits)) return undefined;
    if (attrs?.dim !== logits.shape.length - 1) return undefined;
    const integers = [...rowsOf(logits), 1, 1, 1, 1, 1];
    return library.run('softmax', [logits, undefined], [logits.shape], integers, [0])[0];
  });
  registerNorm(library);
  registerMaskedSoftmax(library);
  registerCrossEntropy(library);
}

/** A tensor as rows of its last axis: how many, and how wide. */
function rowsOf({ shape }: tf.TensorInfo): [number, number] {
  return [tf.util.sizeFromShape(shape.slice(0, -1)), shape.at(-1) ?? 1];
}

/** Sums over leading or over trailing axes; undefined for axes between. */
function reduce(
  library: KernelLibrary,
  x: tf.TensorInfo,
  attrs: tf.NamedAttrMap | undefined,
  mean: boolean,
): tf.TensorInfo | undefined {
  if (!isFloat(x)) return undefined;
  const rank = x.shape.length;
  const axes = reducedAxes(attrs?.axis, x.shape);
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const shape = attrs?.keepDims === true ? x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) : kept;
  const outer = tf.util.sizeFromShape(kept);
  const reduced = tf.util.sizeFromShape(x.shape) / outer;
  const scale = mean ? 1 / reduced : 1;
  if (axes.every((axis) => axis >= rank - axes.length)) {
    return library.run('sum rows', [x], [shape], [outer, reduced], [scale])[0];
  }
  if (!axes.every((axis) => axis < axes.length)) return undefined;
  return library.run('sum columns', [x], [shape], [reduced, outer], [scale])[0];
}

/** The axes to add up; all unless given, none if the list is empty. */
function reducedAxes(axis: unknown, shape: number[]): number[] {
  if (typeof axis === 'number') return tf.util.parseAxisParam(axis, shape);
  if (Array.isArray(axis)) return tf.util.parseAxisParam(axis.map(Number), shape);
  return shape.map((_, i) => i);
}

function registerNorm(library: KernelLibrary): void {
  addKernel('LabNorm', ({ x = missing(), weight, bias }, attrs) =>
    library.run('norm', [x, weight, bias], [x.shape], rowsOf(x), [Number(attrs.eps)]),
  );
  addKernel('LabNormGradient', ({ x = missing(), weight, dy }, attrs) => {
    const [rows, width] = rowsOf(x);
    const integers = [rows, width, Number(attrs.centred)];
    return library.run('norm gradient', [x, weight, dy], [x.shape, [2, width]], integers, [
      Number(attrs.eps),
    ]);
  });
}

function registerMaskedSoftmax(library: KernelLibrary): void {
  addKernel('LabMaskedSoftmax', ({ scores = missing(), bias = missing() }, attrs) => {
    const [, heads = 1, queries = 1] = scores.shape;
    const integers = [...rowsOf(scores), heads, queries, ...bias.shape.slice(0, 3)];
    return library.run('softmax', [scores, bias], [scores.shape], integers, [Number(attrs.threshold)]);
  });
  addKernel('LabSoftmaxGradient', ({ p = missing(), dy }) =>
    library.run('softmax gradient', [p, dy], [p.shape], rowsOf(p)),
  );
}

function registerCrossEntropy(library: KernelLibrary): void {
  const integersOf = (logits: tf.TensorInfo, attrs: tf.NamedAttrMap): number[] => [
    ...rowsOf(logits),
    Number(attrs.ignored),
  ];
  addKernel(
    'LabCrossEntropy',
    ({ logits = missing(), labels = missing() }, attrs) =>
      library.run('cross entropy', [logits, labels], [labels.shape, labels.shape], integersOf(logits, attrs)),
    ['labels'],
  );
  addKernel(
    'LabCrossEntropyGradient',
    ({ logits = missing(), labels, logSums, dy }, attrs) =>
      library.run(
        'cross entropy gradient',
        [logits, labels, logSums, dy],
        [logits.shape],
        integersOf(logits, attrs),
      ),
    ['labels'],
  );
}
