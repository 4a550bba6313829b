/** Attention as one kernel, its gradient, and the cache that decoding writes into. */

import type * as tf from '@tensorflow/tfjs-core';
import { missing, registerFusedKernel } from './fused.ts';
import type { NativeLibrary } from './native-library.ts';
import { addressOf } from './replace-kernel.ts';

export function registerAttention(library: NativeLibrary): void {
  const { backend, call } = library;
  const at = (tensor: tf.TensorInfo | undefined): number => (tensor ? addressOf(library, tensor) : 0);
  const make = (shape: readonly number[]): tf.TensorInfo => backend.makeOutput([...shape], 'float32');

  registerFusedKernel('LabAttention', ({ q = missing(), k = missing(), v = missing(), bias }, attrs) => {
    const { batch, heads, groups, queries, width, depth, room, biasSizes } = sizesOf(q, k, v, bias);
    const made = [make([batch, heads, queries, depth]), make([batch, heads, queries])];
    const addresses = [q, k, v, bias, ...made].map(at);
    const sizes = [batch, heads, groups, queries, Number(attrs.keys), room, width, depth, ...biasSizes];
    call('attention', ...addresses, ...sizes, Number(attrs.scale), Number(attrs.threshold));
    return made;
  });

  const gradient = (
    { q = missing(), k = missing(), v = missing(), bias, y, logSums, dy }: Record<string, tf.TensorInfo>,
    attrs: tf.NamedAttrMap,
    made: { inputs?: tf.TensorInfo[]; scores?: tf.TensorInfo },
  ): void => {
    const { batch, heads, groups, queries, width, depth, room, biasSizes } = sizesOf(q, k, v, bias);
    const [dq, dk, dv] = made.inputs ?? [];
    const addresses = [q, k, v, bias, y, logSums, dy, dq, dk, dv, made.scores].map(at);
    const sizes = [batch, heads, groups, queries, room, width, depth, ...biasSizes];
    call('attention_gradient', ...addresses, ...sizes, Number(attrs.scale), Number(attrs.threshold));
  };
  registerFusedKernel('LabAttentionGradient', (given, attrs) => {
    const inputs = [given.q, given.k, given.v].map((x = missing()) => make(x.shape));
    gradient(given, attrs, { inputs });
    return inputs;
  });
  registerFusedKernel('LabAttentionBiasGradient', (given, attrs) => {
    const { q = missing(), k = missing() } = given;
    const scores = make([...q.shape.slice(0, 3), k.shape[2] ?? 0]);
    gradient(given, attrs, { scores });
    return [scores];
  });

  registerFusedKernel('LabCacheWrite', ({ buffer = missing(), update = missing() }, attrs) => {
    const [, groups = 0, room = 0, width = 0] = buffer.shape;
    const length = update.shape[2] ?? 0;
    const { position, count, rows } = attrs;
    if (!Array.isArray(rows)) throw new TypeError('LabCacheWrite: rows must be a list');
    for (const [row, from] of rows.entries()) {
      const source = at(update) + 4 * Number(from) * groups * length * width;
      const target = at(buffer) + 4 * (row * groups * room + Number(position)) * width;
      call('copy_blocks', source, target, groups, Number(count) * width, length * width, room * width);
    }
    backend.incRef(buffer.dataId);
    return [{ dataId: buffer.dataId, shape: buffer.shape, dtype: buffer.dtype }];
  });
}

interface Sizes {
  batch: number;
  heads: number;
  groups: number;
  queries: number;
  /** Of queries and keys. */
  width: number;
  /** Of values. */
  depth: number;
  /** Keys that there is room for. */
  room: number;
  biasSizes: number[];
}

function sizesOf(
  q: tf.TensorInfo,
  k: tf.TensorInfo,
  v: tf.TensorInfo,
  bias: tf.TensorInfo | undefined,
): Sizes {
  const [batch = 0, heads = 0, queries = 0, width = 0] = q.shape;
  const [, groups = 0, room = 0] = k.shape;
  return {
    batch,
    heads,
    groups,
    queries,
    width,
    room,
    depth: v.shape[3] ?? 0,
    biasSizes: bias?.shape.slice(0, 3) ?? [1, 1, 1],
  };
}
