/**
 * The key-value cache: what attention has already computed for the tokens it has seen, so that a new token costs one
 * step. Keys and values are stored as they enter attention, [B, Hkv, S, d]: rotated, and not repeated for the
 * query heads that share them, which is where grouped-query attention saves its memory.
 *
 * tfjs tensors cannot be written in place, on any backend, so a step joins the old tensor with the new. The cache owns
 * what it holds (`tf.keep`): it outlives every `tidy` around it and is freed by `dispose`.
 */
import * as tf from '@tensorflow/tfjs-core';

/** Keys and values, [B, Hkv, S, d] each. */
export interface KeyValue {
  key: tf.Tensor;
  value: tf.Tensor;
}

/** One layer's view of a cache: give it the new keys and values, get all of them. */
export interface LayerCache {
  update(added: KeyValue): KeyValue;
}

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

  /** The self-attention cache of a layer, counted from 0. */
  layer(index: number): LayerCache {
    return {
      update: (added) => {
        const held = this.#selfAttention[index];
        const joined = held
          ? keepBoth({
              key: tf.concat([held.key, added.key], 2),
              value: tf.concat([held.value, added.value], 2),
            })
          : keepBoth({ key: tf.clone(added.key), value: tf.clone(added.value) });
        if (held) disposeBoth(held);
        this.#selfAttention[index] = joined;
        return joined;
      },
    };
  }

  /** The encoder's keys and values for a decoder layer: computed at the first call, reused after. */
  cross(index: number, compute: () => KeyValue): KeyValue {
    const held = this.#crossAttention[index];
    if (held) return held;
    const made = tf.tidy(() => {
      const { key, value } = compute();
      return { key: tf.clone(key), value: tf.clone(value) };
    });
    const kept = keepBoth(made);
    this.#crossAttention[index] = kept;
    return kept;
  }

  /** Takes the given rows of the batch, in this order and as often as named: what beam search does each step. */
  reorder(rows: readonly number[]): void {
    const indices = tf.tensor1d([...rows], 'int32');
    this.#replaceAll((tensor) => tf.gather(tensor, indices, 0));
    indices.dispose();
  }

  /** Forgets all but the first `length` tokens. What came from the encoder stays. */
  crop(length: number): void {
    if (length >= this.length) return;
    const cut = (tensor: tf.Tensor): tf.Tensor => {
      const [batch = 0, heads = 0, , width = 0] = tensor.shape;
      return tf.slice(tensor, [0, 0, 0, 0], [batch, heads, length, width]);
    };
    this.#selfAttention = this.#selfAttention.map((held) => replaced(held, cut));
  }

  /** Frees everything held. The cache is empty afterwards and can be used again. */
  dispose(): void {
    this.#all().forEach(disposeBoth);
    this.#selfAttention = [];
    this.#crossAttention = [];
  }

  #all(): KeyValue[] {
    return [...this.#selfAttention, ...this.#crossAttention];
  }

  #replaceAll(change: (tensor: tf.Tensor) => tf.Tensor): void {
    this.#selfAttention = this.#selfAttention.map((held) => replaced(held, change));
    this.#crossAttention = this.#crossAttention.map((held) => replaced(held, change));
  }
}

function replaced(held: KeyValue, change: (tensor: tf.Tensor) => tf.Tensor): KeyValue {
  const made = keepBoth({ key: change(held.key), value: change(held.value) });
  disposeBoth(held);
  return made;
}

function keepBoth(pair: KeyValue): KeyValue {
  return { key: tf.keep(pair.key), value: tf.keep(pair.value) };
}

function disposeBoth({ key, value }: KeyValue): void {
  key.dispose();
  value.dispose();
}
