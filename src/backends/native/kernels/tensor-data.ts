/**
 * What the backend of tfjs-node knows of each tensor, for kernels that make and read tensors without it.
 *
 * Several tensors of TensorFlow.js may share one of TensorFlow's under different shapes: reshaping then costs nothing.
 * TensorFlow's own operations must see the shape that they are meant to, so before one runs, an alias of that shape is
 * made of each input whose shape differs. It lives as long as the data.
 */

import * as tf from '@tensorflow/tfjs-core';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js';

/** What the backend keeps by `dataId`. */
interface Entry {
  readonly shape: number[];
  /** TensorFlow's number of the type. */
  readonly dtype: number;
  /** Numbers that TensorFlow has not got yet, else null. */
  values: unknown;
  /** The addon's number of the tensor, -1 before there is one. */
  id: number;
  refCount: number;
  aliases?: Map<string, number>;
}

interface Addon {
  readonly slots: Float64Array;
  alias(): void;
}

export interface TensorData {
  /** The addon's number of the tensor that holds the numbers, under whatever shape. */
  id(tensor: tf.TensorInfo): number;
  /** A new tensor, float32, that the addon has made. */
  adopt(id: number, shape: number[]): tf.TensorInfo;
}

interface EntryMap {
  has(dataId: object): boolean;
  get(dataId: object): Entry;
  set(dataId: object, entry: Entry): void;
}

type InputTensorIds = (tensors: readonly tf.TensorInfo[]) => number[];

function isEntryMap(value: unknown): value is EntryMap {
  return value instanceof tf.DataStorage;
}

function isInputTensorIds(value: unknown): value is InputTensorIds {
  return typeof value === 'function';
}

export function openTensorData(backend: NodeJSKernelBackend, addon: Addon): TensorData {
  const entries: unknown = Reflect.get(backend, 'tensorMap');
  const original: unknown = Reflect.get(backend, 'getInputTensorIds');
  if (!isEntryMap(entries) || !isInputTensorIds(original)) {
    throw new Error('the backend of tfjs-node is not the one that the lab’s kernels were written for');
  }
  const idsOf: InputTensorIds = original.bind(backend);
  const { binding } = backend;

  function aliasOf(entry: Entry, shape: number[]): number {
    entry.aliases ??= new Map();
    const key = shape.join();
    const known = entry.aliases.get(key);
    if (known !== undefined) return known;
    addon.slots.set([entry.id, shape.length, ...shape]);
    addon.alias();
    const id = addon.slots[0] ?? -1;
    entry.aliases.set(key, id);
    return id;
  }

  // Number by number, what TensorFlow's operations are called with.
  const withShapes: InputTensorIds = (tensors) =>
    idsOf(tensors).map((id, i) => {
      const tensor = tensors[i];
      if (tensor?.dataId === undefined) return id; // an Int64Scalar, which is no tensor
      const entry = entries.get(tensor.dataId);
      return tf.util.arraysEqual(entry.shape, tensor.shape) ? id : aliasOf(entry, tensor.shape);
    });

  const dispose = backend.disposeData.bind(backend);
  Object.assign(backend, {
    getInputTensorIds: withShapes,
    disposeData: (dataId: object, force?: boolean) => {
      const entry = entries.has(dataId) ? entries.get(dataId) : undefined;
      const gone = dispose(dataId, force);
      if (gone && entry?.aliases) for (const id of entry.aliases.values()) binding.deleteTensor(id);
      return gone;
    },
  });

  return {
    id: (tensor) => {
      const entry = entries.get(tensor.dataId);
      if (entry.values !== null) idsOf([tensor]);
      return entry.id;
    },
    adopt: (id, shape) => {
      const dataId = {};
      entries.set(dataId, { shape, dtype: binding.TF_FLOAT, id, values: null, refCount: 1 });
      return { dataId, shape, dtype: 'float32' };
    },
  };
}
