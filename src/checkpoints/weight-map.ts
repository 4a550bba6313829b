/**
 * Weight maps: for a model's parameters, a tree of the same shape that says of every tensor what Hugging Face calls it,
 * how large it is, and how it is drawn at first. Loading, saving and initialising are written once, over any map.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerNormParams, LinearParams, RmsNormParams } from '../core/index.ts';

/** How a new tensor is drawn. */
export type Init = { normal: number; zeroRow?: number | undefined } | { constant: number };

/** One tensor of a model. */
export interface WeightLeaf {
  /** its name in a Hugging Face checkpoint */
  name: string;
  /** its shape here */
  shape: readonly number[];
  /** the file holds it transposed, [in, out] (the Conv1D of GPT) */
  transposed?: boolean | undefined;
  /** it is the `index`-th of `of` equal parts, stacked along our first axis, of the tensor in the file */
  part?: { index: number; of: number } | undefined;
  /** other names under which the same tensor may be in a file, instead or as an equal copy */
  aliases?: readonly string[] | undefined;
  /**
   * the name of the tensor that stands here too, as the word embeddings do in the output layer. The parameter is then
   * undefined ("one tensor, one place"), and the model reads the other one. Only a file that holds both, with
   * different numbers, makes it a tensor of its own, as transformers does.
   */
  tiedTo?: string | undefined;
  /** a file may lack it; it is drawn anew then */
  optional?: boolean | undefined;
  init: Init;
}

/** The map of parameters `P`: a leaf wherever `P` has a tensor. */
export type WeightMap<P> = P extends tf.Tensor
  ? WeightLeaf
  : P extends undefined
    ? undefined
    : { [K in keyof P]: WeightMap<P[K]> };

/** What a checkpoint of a model may hold besides the map's own tensors. */
export interface ModelWeights<P> {
  map: WeightMap<P>;
  /** names that are passed over: buffers that can be computed, and heads that this class does not have */
  ignored?: readonly RegExp[] | undefined;
  /** what stands before the names of the bare model inside a model with a head (`bert`) */
  basePrefix?: string | undefined;
}

export interface LinearWeightOptions {
  bias?: boolean | undefined;
  transposed?: boolean | undefined;
  part?: { index: number; of: number } | undefined;
  /** standard deviation of the first weights, `initializer_range` */
  std?: number | undefined;
}

/** The map of `<prefix>.weight` [out, in] and, unless `bias` is false, `<prefix>.bias` [out]. */
export function linearWeights(
  prefix: string,
  out: number,
  width: number,
  { bias = true, transposed, part, std = 0.02 }: LinearWeightOptions = {},
): WeightMap<LinearParams> {
  const weight = { name: `${prefix}.weight`, shape: [out, width], transposed, part, init: { normal: std } };
  if (!bias) return { weight };
  return { weight, bias: { name: `${prefix}.bias`, shape: [out], part, init: { constant: 0 } } };
}

/** The map of `<prefix>.weight` [D] and `<prefix>.bias` [D]. */
export function layerNormWeights(prefix: string, width: number): WeightMap<LayerNormParams> {
  return { ...rmsNormWeights(prefix, width), bias: vectorWeights(`${prefix}.bias`, width) };
}

/** The map of `<prefix>.weight` [D]. */
export function rmsNormWeights(prefix: string, width: number): WeightMap<RmsNormParams> {
  return { weight: { name: `${prefix}.weight`, shape: [width], init: { constant: 1 } } };
}

/** The map of a table [V, E]. The row of the padding token starts at zero. */
export function tableWeights(
  name: string,
  rows: number,
  width: number,
  { std = 0.02, paddingId }: { std?: number | undefined; paddingId?: number | undefined } = {},
): WeightLeaf {
  return { name, shape: [rows, width], init: { normal: std, zeroRow: paddingId } };
}

/** The map of a vector [D] that starts at zero. */
export function vectorWeights(name: string, width: number): WeightLeaf {
  return { name, shape: [width], init: { constant: 0 } };
}

function isLeaf(node: object): node is WeightLeaf {
  return 'name' in node && 'init' in node && 'shape' in node && typeof node.name === 'string';
}

/** The leaves of a map, in reading order. */
export function leavesOf(map: unknown): WeightLeaf[] {
  if (typeof map !== 'object' || map === null) return [];
  if (isLeaf(map)) return [map];
  return Object.values(map).flatMap(leavesOf);
}

/** The parameters that a map describes, with `make(leaf)` in the place of every leaf; a leaf without a tensor is left out. */
export function parametersFrom<P>(map: WeightMap<P>, make: (leaf: WeightLeaf) => tf.Tensor | undefined): P;
export function parametersFrom(map: unknown, make: (leaf: WeightLeaf) => tf.Tensor | undefined): unknown {
  if (Array.isArray(map)) return map.map((child) => parametersFrom(child, make));
  if (typeof map !== 'object' || map === null) return undefined;
  if (isLeaf(map)) return make(map);
  const children = Object.entries(map).map(([key, child]) => [key, parametersFrom(child, make)] as const);
  return Object.fromEntries(children.filter(([, child]) => child !== undefined));
}

/** Every leaf of a map that has a tensor, with it, in reading order. @throws RangeError if a tensor is not there. */
export function pairsOf<P>(map: WeightMap<P>, params: P): Array<[WeightLeaf, tf.Tensor]>;
export function pairsOf(map: unknown, params: unknown): Array<[WeightLeaf, tf.Tensor]> {
  if (typeof map !== 'object' || map === null) return [];
  if (isLeaf(map)) {
    if (params === undefined && map.tiedTo !== undefined) return [];
    if (!(params instanceof tf.Tensor)) throw new RangeError(`parameters: ${map.name} is not there`);
    return [[map, params]];
  }
  const values = new Map(Object.entries(params ?? {}));
  return Object.entries(map).flatMap(([key, child]) => pairsOf(child, values.get(key)));
}

/** Every tensor in a tree of parameters. A tensor that stands in two places (shared by reference) comes once. */
export function tensorsOf(params: unknown): tf.Tensor[] {
  const found = new Set<tf.Tensor>();
  const visit = (node: unknown): void => {
    if (node instanceof tf.Tensor) found.add(node);
    else if (typeof node === 'object' && node !== null) Object.values(node).forEach(visit);
  };
  visit(params);
  return [...found];
}
