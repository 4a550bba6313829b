/**
 * Values as the grader sees them: plain data, detached from any backend. What a learner's function takes and gives
 * is a tree of tensors, typed arrays, numbers, strings, booleans, null, arrays, maps and plain objects; `readValue` turns such
 * a tree into a `Value`, `materialise` turns it back into live tensors.
 */
import * as tf from '@tensorflow/tfjs-core';

const TENSOR_ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

const TYPED_ARRAYS = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
} as const;

export type TensorDtype = keyof typeof TENSOR_ARRAYS;
export type TypedArrayName = keyof typeof TYPED_ARRAYS;
export type NumericArray = InstanceType<(typeof TYPED_ARRAYS)[TypedArrayName]>;

export interface TensorValue {
  readonly kind: 'tensor';
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly values: NumericArray;
}

export interface RecordValue {
  readonly kind: 'record';
  readonly entries: ReadonlyMap<string, Value>;
}

export type Value =
  | TensorValue
  | { readonly kind: 'typed'; readonly type: TypedArrayName; readonly values: NumericArray }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Value, Value])[] }
  | RecordValue;

/** A value that cannot be compared: a function, a disposed tensor, a cycle. The message is for the learner. */
export class UnreadableValue extends Error {
  override readonly name = 'UnreadableValue';
}

/** Deeper or larger trees than these are refused: no exercise comes near, and hostile ones must cost little. */
const MAX_DEPTH = 40;
const MAX_NODES = 200_000;

export const isTensorDtype = (name: string): name is TensorDtype => name in TENSOR_ARRAYS;
export const isTypedArrayName = (name: string): name is TypedArrayName => name in TYPED_ARRAYS;

/** The typed array of a tensor's dtype over the bytes (copied, so alignment does not matter). */
export function tensorArray(dtype: TensorDtype, bytes: Uint8Array): NumericArray {
  return typedArray(TENSOR_ARRAYS[dtype].name, bytes);
}

/** A typed array by its class name over a copy of the bytes. */
export function typedArray(name: string, bytes: Uint8Array): NumericArray {
  if (!isTypedArrayName(name)) throw new UnreadableValue(`unknown array type ${name}`);
  // Not slice(): that of a Buffer shares memory.
  const copy = new Uint8Array(bytes);
  return new TYPED_ARRAYS[name](copy.buffer, 0, copy.byteLength / TYPED_ARRAYS[name].BYTES_PER_ELEMENT);
}

/** Bytes of one element of a tensor. */
export const bytesPerElement = (dtype: TensorDtype): number => TENSOR_ARRAYS[dtype].BYTES_PER_ELEMENT;

/** How many elements a shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/**
 * Reads a tree of tensors and plain data into a `Value`.
 * @param path how messages name the value, for example `result`.
 * @throws UnreadableValue for what has no place in an answer, naming where it sits.
 */
export async function readValue(source: unknown, path = 'result'): Promise<Value> {
  const budget = { nodes: MAX_NODES };
  return read(source, path, 0, budget);
}

async function read(source: unknown, path: string, depth: number, budget: { nodes: number }): Promise<Value> {
  if (depth > MAX_DEPTH)
    throw new UnreadableValue(`${path} is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
  if (--budget.nodes < 0) throw new UnreadableValue(`${path} is too large: more than ${MAX_NODES} values`);
  if (source === null) return { kind: 'null' };
  switch (typeof source) {
    case 'number':
      return { kind: 'number', value: source };
    case 'string':
      return { kind: 'string', value: source };
    case 'boolean':
      return { kind: 'boolean', value: source };
    case 'undefined':
      return { kind: 'undefined' };
    case 'object':
      break;
    default:
      throw new UnreadableValue(
        `${path} is a ${typeof source}; expected tensors, numbers, strings, arrays or plain objects`,
      );
  }
  if (source instanceof tf.Tensor) return readTensor(source, path);
  if (ArrayBuffer.isView(source)) return readTypedArray(source, path);
  if (source instanceof Promise)
    throw new UnreadableValue(`${path} is a Promise: await it before you return it`);
  if (source instanceof Map) {
    const entries: (readonly [Value, Value])[] = [];
    for (const [key, item] of source) {
      const name = `${path}.get(${JSON.stringify(key)})`;
      entries.push([
        await read(key, `a key of ${path}`, depth + 1, budget),
        await read(item, name, depth + 1, budget),
      ]);
    }
    return { kind: 'map', entries };
  }
  if (source instanceof Set) throw new UnreadableValue(`${path} is a Set; expected an array`);
  if (Array.isArray(source)) {
    const items: Value[] = [];
    for (let i = 0; i < source.length; i++)
      items.push(await read(source[i], `${path}[${i}]`, depth + 1, budget));
    return { kind: 'list', items };
  }
  const entries = new Map<string, Value>();
  for (const [key, item] of Object.entries(source)) {
    // A key that is present but undefined means the same as an absent one, as in a call with options.
    if (item !== undefined) entries.set(key, await read(item, `${path}.${key}`, depth + 1, budget));
  }
  return { kind: 'record', entries };
}

async function readTensor(tensor: tf.Tensor, path: string): Promise<Value> {
  if (tensor.isDisposed) throw new UnreadableValue(`${path} is a tensor that was already disposed`);
  const { dtype } = tensor;
  if (!isTensorDtype(dtype))
    throw new UnreadableValue(`${path} is a tensor of ${dtype}; expected float32, int32 or bool`);
  const data = await tensor.data();
  // Copied: on the cpu backend data() is the tensor's own memory.
  return { kind: 'tensor', dtype, shape: [...tensor.shape], values: TENSOR_ARRAYS[dtype].from(data) };
}

function readTypedArray(view: ArrayBufferView, path: string): Value {
  for (const [name, type] of Object.entries(TYPED_ARRAYS)) {
    if (isTypedArrayName(name) && view instanceof type)
      return { kind: 'typed', type: name, values: view.slice() };
  }
  throw new UnreadableValue(`${path} is a ${view.constructor.name}; expected a Float32Array or Int32Array`);
}

/** Live data for a value: tensors on the current backend, everything else plain. The caller disposes the tensors. */
export function materialise(value: Value): unknown {
  switch (value.kind) {
    case 'tensor':
      return tensorOf(value);
    case 'typed':
      return value.values.slice();
    case 'number':
    case 'string':
    case 'boolean':
      return value.value;
    case 'null':
      return null;
    case 'undefined':
      return undefined;
    case 'list':
      return value.items.map(materialise);
    case 'map':
      return new Map(value.entries.map(([key, item]) => [materialise(key), materialise(item)]));
    case 'record':
      return Object.fromEntries([...value.entries].map(([key, item]) => [key, materialise(item)]));
  }
}

function tensorOf(value: TensorValue): tf.Tensor {
  const values = value.values.slice();
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array) {
    return tf.tensor(values, [...value.shape], value.dtype);
  }
  throw new UnreadableValue(`a ${value.dtype} tensor cannot hold a ${values.constructor.name}`);
}

/** A tensor in a tree of live data, with the path that messages call it by. */
export interface PlacedTensor {
  readonly path: string;
  readonly tensor: tf.Tensor;
}

/** The tensors of a tree, in order, each once. */
export function tensorsIn(tree: unknown, path = ''): PlacedTensor[] {
  const found = new Map<number, PlacedTensor>();
  const visit = (node: unknown, at: string, depth: number): void => {
    if (typeof node !== 'object' || node === null || depth > MAX_DEPTH || ArrayBuffer.isView(node)) return;
    if (node instanceof tf.Tensor) {
      if (!found.has(node.id)) found.set(node.id, { path: at, tensor: node });
    } else if (node instanceof Map) {
      for (const [key, item] of node) visit(item, `${at}.get(${JSON.stringify(key)})`, depth + 1);
    } else if (Array.isArray(node)) {
      for (const [i, item] of node.entries()) visit(item, `${at}[${i}]`, depth + 1);
    } else {
      for (const [key, item] of Object.entries(node))
        visit(item, at === '' ? key : `${at}.${key}`, depth + 1);
    }
  };
  visit(tree, path, 0);
  return [...found.values()];
}

/** Disposes every tensor of a tree that is still alive. */
export function disposeTree(tree: unknown): void {
  for (const { tensor } of tensorsIn(tree)) if (!tensor.isDisposed) tensor.dispose();
}

/** What a value is, in a few words: `float32 tensor [2, 5, 12]`, `number`, `array of 3`. */
export function nameOf(value: Value): string {
  switch (value.kind) {
    case 'tensor':
      return `${value.dtype} tensor ${shapeText(value.shape)}`;
    case 'typed':
      return `${value.type} of ${value.values.length}`;
    case 'list':
      return `array of ${value.items.length}`;
    case 'map':
      return `Map of ${value.entries.length}`;
    case 'record':
      return `object ${keysText(value.entries.keys(), 8)}`;
    default:
      return value.kind;
  }
}

/** Names of fields, shortened: they can be as long as a stranger likes. */
export const keysText = (keys: Iterable<string>, most: number): string =>
  `{${[...keys]
    .slice(0, most)
    .map((key) => (key.length > 40 ? `${key.slice(0, 40)}…` : key))
    .join(', ')}}`;

export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
