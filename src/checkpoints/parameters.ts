/** Parameters from a checkpoint, into a checkpoint, and drawn anew: one function each, for every weight map. */
import * as tf from '@tensorflow/tfjs-core';
import { createRng, type Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ELEMENT_TYPES, type Values } from './dtypes.ts';
import type { TensorData } from './safetensors.ts';
import { leavesOf, type ModelWeights, parametersFrom, type WeightLeaf } from './weight-map.ts';

/** The shape that a leaf's tensor has in the file. */
function shapeInFile({ shape, transposed, part }: WeightLeaf): number[] {
  const [first = 1, ...rest] = shape;
  const whole = [first * (part?.of ?? 1), ...rest];
  return transposed ? whole.toReversed() : whole;
}

/** [rows, columns] → [columns, rows] */
function transposedValues(values: Values, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j] ?? 0;
  }
  return result;
}

function tensorOf(leaf: WeightLeaf, { shape, values }: TensorData): tf.Tensor {
  const [rows = 1, columns = 1] = shape;
  const upright = leaf.transposed && shape.length === 2 ? transposedValues(values, rows, columns) : values;
  const size = leaf.shape.reduce((product, side) => product * side, 1);
  const offset = (leaf.part?.index ?? 0) * size;
  // A copy where only a part is wanted, so that the tensor does not hold on to the whole.
  const own = leaf.part ? upright.slice(offset, offset + size) : upright;
  return tf.tensor(own instanceof Float32Array ? own : Float32Array.from(own), [...leaf.shape], 'float32');
}

/**
 * The names that files in the wild use for a tensor. A file may have been saved from the bare model (`embeddings…`) or
 * from one with a head (`bert.embeddings…`), and the oldest ones call a norm's weight and bias gamma and beta, as
 * TensorFlow did.
 */
function spellings(name: string, basePrefix: string | undefined): string[] {
  const names = [name];
  if (basePrefix !== undefined) {
    const prefix = `${basePrefix}.`;
    names.push(name.startsWith(prefix) ? name.slice(prefix.length) : prefix + name);
  }
  const old = names.map((n) =>
    n.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'),
  );
  return [...new Set([...names, ...old])];
}

/** Where each leaf's tensor is in a checkpoint: the first name is read, the others are copies. */
function locate(
  leaves: readonly WeightLeaf[],
  weights: { basePrefix?: string | undefined },
  { entries }: Checkpoint,
): Map<WeightLeaf, string[]> {
  const find = (name: string): string[] => spellings(name, weights.basePrefix).filter((n) => entries.has(n));
  const tied = Map.groupBy(leaves, (leaf) => leaf.tiedTo);
  return new Map(
    leaves.map((leaf) => {
      const own = [leaf.name, ...(leaf.aliases ?? [])].flatMap(find);
      // A file may keep a tied tensor under the name of the output layer only.
      const elsewhere = own.length > 0 ? [] : (tied.get(leaf.name) ?? []).flatMap(({ name }) => find(name));
      return [leaf, [...own, ...elsewhere]];
    }),
  );
}

export interface LoadOptions {
  /** draws the tensors that the checkpoint lacks (a new head on a pre-trained body) instead of refusing */
  initialiseMissing?: Rng | undefined;
  /** passes over tensors that the model has no place for (the head of another task) instead of refusing */
  ignoreUnused?: boolean | undefined;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/**
 * Loads a model's parameters. The caller owns the tensors.
 *
 * @throws InputError naming the tensors that are missing, that the model has no place for, or that have another shape
 * or type than the config says. Nothing stays allocated then.
 */
export async function loadParameters<P>(
  weights: ModelWeights<P>,
  checkpoint: Checkpoint,
  options: LoadOptions = {},
): Promise<P> {
  const { source, entries } = checkpoint;
  const leaves = leavesOf(weights.map);
  const places = locate(leaves, weights, checkpoint);
  const mayLack = (leaf: WeightLeaf): boolean =>
    leaf.tiedTo !== undefined || leaf.optional === true || options.initialiseMissing !== undefined;
  const missing = leaves.filter((leaf) => places.get(leaf)?.length === 0 && !mayLack(leaf));
  if (missing.length > 0)
    throw new InputError(`${source}: missing tensors: ${listed(missing.map(({ name }) => name))}`);
  for (const [leaf, names] of places) for (const name of names) checkEntry(leaf, name, checkpoint);
  const used = new Set([...places.values()].flat());
  const unused = [...entries.keys()].filter(
    (name) => !used.has(name) && !weights.ignored?.some((p) => p.test(name)),
  );
  if (unused.length > 0 && !options.ignoreUnused) {
    throw new InputError(`${source}: tensors without a place in the model: ${listed(unused)}`);
  }

  const rng = options.initialiseMissing ?? createRng(0);
  const loaded = new Map<WeightLeaf, tf.Tensor>();
  const values = new Map<string, TensorData>();
  try {
    for (const leaf of leaves) {
      const [place, ...copies] = places.get(leaf) ?? [];
      if (place === undefined) {
        if (leaf.tiedTo === undefined) loaded.set(leaf, initialTensor(leaf, rng));
        continue;
      }
      const data = values.get(place) ?? (await checkpoint.read(place));
      values.clear(); // one tensor is kept, for the parts of a fused one that follow each other
      values.set(place, data);
      for (const copy of copies) {
        if (!sameNumbers(data, await checkpoint.read(copy))) {
          throw new InputError(
            `${source}: ${place} and ${copy} should be one tensor, but their numbers differ`,
          );
        }
      }
      const original = leaves.find(({ name }) => name === leaf.tiedTo);
      const [other] = original ? (places.get(original) ?? []) : [];
      if (other !== undefined && (other === place || sameNumbers(data, await checkpoint.read(other))))
        continue;
      loaded.set(leaf, tensorOf(leaf, data));
    }
  } catch (error) {
    tf.dispose([...loaded.values()]);
    throw error;
  }
  return parametersFrom(weights.map, (leaf) => loaded.get(leaf));
}

function checkEntry(leaf: WeightLeaf, place: string, { source, entries }: Checkpoint): void {
  const entry = entries.get(place);
  const expected = shapeInFile(leaf);
  if (entry?.shape.join() !== expected.join()) {
    throw new InputError(
      `${source}: tensor ${place} has shape [${entry?.shape}], the config asks for [${expected}]`,
    );
  }
  const type = ELEMENT_TYPES.get(entry.dtype);
  if (type?.kind !== 'float' || type.decode === undefined) {
    throw new InputError(`${source}: tensor ${place} holds ${entry.dtype}, expected F32, F16, BF16 or F64`);
  }
}

function sameNumbers(a: TensorData, b: TensorData): boolean {
  return a.values.length === b.values.length && a.values.every((value, i) => Object.is(value, b.values[i]));
}

/** Draws new parameters. A tensor's numbers depend on the seed and its name, not on what else the model has. */
export function initParameters<P>(weights: ModelWeights<P>, rng: Rng): P {
  return parametersFrom(weights.map, (leaf) =>
    leaf.tiedTo === undefined ? initialTensor(leaf, rng) : undefined,
  );
}

function initialTensor({ name, shape, init, part }: WeightLeaf, rng: Rng): tf.Tensor {
  if ('constant' in init) return tf.fill([...shape], init.constant);
  const own = rng.fork(part ? `${name}#${part.index}` : name);
  const size = shape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = own.normal() * init.normal;
  const width = shape.at(-1) ?? 1;
  if (init.zeroRow !== undefined) values.fill(0, init.zeroRow * width, (init.zeroRow + 1) * width);
  return tf.tensor(values, [...shape]);
}

/**
 * Parameters, or their gradients, under Hugging Face's names and in Hugging Face's layout.
 *
 * @param pairs the leaves of a map with their tensors, as `pairsOf` gives them
 */
export async function namedValues(
  pairs: Iterable<readonly [WeightLeaf, tf.Tensor]>,
): Promise<Map<string, TensorData>> {
  const named = new Map<string, TensorData>();
  for (const [leaf, tensor] of pairs) {
    const values = Float32Array.from(await tensor.data());
    const { name, transposed, part = { index: 0, of: 1 } } = leaf;
    const whole = named.get(name) ?? {
      shape: shapeInFile(leaf),
      values: new Float32Array(values.length * part.of),
    };
    if (transposed && leaf.shape.length === 2) {
      const [rows = 1, columns = 1] = leaf.shape;
      const width = rows * part.of; // of a row in the file, where the parts lie side by side
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++)
          whole.values[j * width + part.index * rows + i] = values[i * columns + j] ?? 0;
      }
    } else whole.values.set(values, part.index * values.length);
    named.set(name, whole);
  }
  return named;
}
