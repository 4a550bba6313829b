/**
 * The key-value cache: what attention has already computed for the tokens it has seen, so that a new token costs one
 * step. Keys and values are stored as they enter attention, [B, Hkv, S, d]: rotated, and not repeated for the
 * query heads that share them, which is where grouped-query attention saves its memory.
 *
 * The cache owns what it holds: it outlives every `tidy` around it and is freed by `dispose`. What a layer's cache
 * returns is to be read at once, because the next token may be written into the same memory (growing.ts).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { KeyValue } from './attention.ts';
import { GrowingTensor } from './growing.ts';

/** What stands between an attention layer's projections and its scores (`MultiHeadOptions.cache`). */
export type LayerCache = (compute: () => KeyValue) => KeyValue;

export interface CacheOptions {
  /** The tokens that are likely to come: room for so many is made at once. It grows beyond where more come. */
  expectedLength?: number | undefined;
}

export class KeyValueCache {
  readonly #expected: number;
  #selfAttention: GrowingPair[] = [];
  #crossAttention: GrowingPair[] = [];

  constructor({ expectedLength = 0 }: CacheOptions = {}) {
    this.#expected = expectedLength;
  }

  /** Tokens held: the position of the next one. Reads the first layer, so take it before the layers run. */
  get length(): number {
    return this.#selfAttention[0]?.key.length ?? 0;
  }

  /** Bytes held, four for every number, without the room behind them. */
  get bytes(): number {
    return this.#all().reduce((sum, { key, value }) => sum + 4 * (key.size + value.size), 0);
  }

  /** The self-attention cache of a layer, counted from 0: appends what it is given and returns all of it. */
  layer(index: number): LayerCache {
    return (compute) => {
      const held = this.#selfAttention[index] ?? pair(this.#expected);
      this.#selfAttention[index] = held;
      return append(held, compute);
    };
  }

  /** The encoder's keys and values for a decoder layer: computed at the first call, reused after. */
  cross(index: number): LayerCache {
    return (compute) => {
      const held = this.#crossAttention[index];
      if (held) return read(held);
      const made = pair(1); // room for no more than what comes
      this.#crossAttention[index] = made;
      return append(made, compute);
    };
  }

  /** Takes the given rows of the batch, in this order and as often as named: what beam search does each step. */
  reorder(rows: readonly number[]): void {
    for (const { key, value } of this.#all()) {
      key.reorder(rows);
      value.reorder(rows);
    }
  }

  /** Forgets all but the first `length` tokens. What came from the encoder stays. */
  crop(length: number): void {
    for (const { key, value } of this.#selfAttention) {
      key.crop(length);
      value.crop(length);
    }
  }

  /** Frees everything held. The cache is empty afterwards and can be used again. */
  dispose(): void {
    for (const { key, value } of this.#all()) {
      key.dispose();
      value.dispose();
    }
    this.#selfAttention = [];
    this.#crossAttention = [];
  }

  #all(): GrowingPair[] {
    return [...this.#selfAttention, ...this.#crossAttention];
  }
}

interface GrowingPair {
  readonly key: GrowingTensor;
  readonly value: GrowingTensor;
}

function pair(expected: number): GrowingPair {
  return { key: new GrowingTensor(expected), value: new GrowingTensor(expected) };
}

function append(held: GrowingPair, compute: () => KeyValue): KeyValue {
  tf.tidy(() => {
    const { key, value } = compute();
    held.key.append(key);
    held.value.append(value);
  });
  return read(held);
}

function read({ key, value }: GrowingPair): KeyValue {
  return { key: key.tensor, value: value.tensor, length: key.length };
}
