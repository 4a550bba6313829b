/**
 * The key-value cache: what attention has already computed for the tokens it has seen, so that a new token costs one
 * step. Keys and values are stored as they enter attention, [B, Hkv, S, d]: rotated, and not repeated for the
 * query heads that share them, which is where grouped-query attention saves its memory.
 *
 * tfjs tensors cannot be written in place, on any backend, so a step joins the old tensor with the new. The cache owns
 * what it holds (`tf.keep`): it outlives every `tidy` around it and is freed by `dispose`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { KeyValue } from './attention.ts';

/** What stands between an attention layer's projections and its scores (`MultiHeadOptions.cache`). */
export type LayerCache = (compute: () => KeyValue) => KeyValue;

export class KeyValueCache {
  #selfAttention: KeyValue[] = [];
  #crossAttention: KeyValue[] = [];

  /** Tokens held: the position of the next one. Reads the first layer, so take it before the layers run. */
  get length(): number {
    return this.#selfAttention[0]?.key.shape[2] ?? 0;
  }

  /** Bytes held, four for every number. */
  get bytes(): number {
    return this.#all().reduce((sum, { key, value }) => sum + 4 * (key.size + value.size), 0);
  }

  /** The self-attention cache of a layer, counted from 0: appends what it is given and returns all of it. */
  layer(index: number): LayerCache {
    return (compute) => {
      const held = this.#selfAttention[index];
      const joined = keptPair(() => {
        const added = compute();
        return held
          ? { key: tf.concat([held.key, added.key], 2), value: tf.concat([held.value, added.value], 2) }
          : added;
      });
      if (held) disposePair(held);
      this.#selfAttention[index] = joined;
      return joined;
    };
  }

  /** The encoder's keys and values for a decoder layer: computed at the first call, reused after. */
  cross(index: number): LayerCache {
    return (compute) => {
      const held = this.#crossAttention[index] ?? keptPair(compute);
      this.#crossAttention[index] = held;
      return held;
    };
  }

  /** Takes the given rows of the batch, in this order and as often as named: what beam search does each step. */
  reorder(rows: readonly number[]): void {
    const indices = tf.tensor1d([...rows], 'int32');
    const take = (tensor: tf.Tensor4D): tf.Tensor4D => tf.gather(tensor, indices, 0);
    this.#selfAttention = this.#selfAttention.map((held) => replaced(held, take));
    this.#crossAttention = this.#crossAttention.map((held) => replaced(held, take));
    indices.dispose();
  }

  /** Forgets all but the first `length` tokens. What came from the encoder stays. */
  crop(length: number): void {
    if (length >= this.length) return;
    const cut = (tensor: tf.Tensor4D): tf.Tensor4D => {
      const [batch, heads, , width] = tensor.shape;
      return tf.slice(tensor, [0, 0, 0, 0], [batch, heads, length, width]);
    };
    this.#selfAttention = this.#selfAttention.map((held) => replaced(held, cut));
  }

  /** Frees everything held. The cache is empty afterwards and can be used again. */
  dispose(): void {
    this.#all().forEach(disposePair);
    this.#selfAttention = [];
    this.#crossAttention = [];
  }

  #all(): KeyValue[] {
    return [...this.#selfAttention, ...this.#crossAttention];
  }
}

/** Runs `make` and keeps its pair beyond every `tidy`. Cloned first: what `make` returns may be someone else's. */
function keptPair(make: () => KeyValue): KeyValue {
  const { key, value } = tf.tidy(() => {
    const made = make();
    return { key: tf.clone(made.key), value: tf.clone(made.value) };
  });
  return { key: tf.keep(key), value: tf.keep(value) };
}

function replaced(held: KeyValue, change: (tensor: tf.Tensor4D) => tf.Tensor4D): KeyValue {
  const made = keptPair(() => ({ key: change(held.key), value: change(held.value) }));
  disposePair(held);
  return made;
}

function disposePair({ key, value }: KeyValue): void {
  key.dispose();
  value.dispose();
}
