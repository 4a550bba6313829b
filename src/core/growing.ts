/**
 * A tensor [B, G, S, d] that grows along S: the keys or the values of one attention layer.
 *
 * Where the backend can write into a tensor, there is room behind the S that count, and what is added is written there;
 * when the room is full it doubles. TensorFlow.js itself has no operation that writes, so on a backend without the
 * kernel, and while a gradient is recorded, the old is joined with the new.
 */

import * as tf from '@tensorflow/tfjs-core';
import { canWrite, write } from './fused-attention.ts';

const LEAST_ROOM = 32;
/** More is not made before it is needed, whatever is expected: most texts end before their limit. */
const MOST_EXPECTED = 1024;

export class GrowingTensor {
  readonly #expected: number;
  #tensor: tf.Tensor4D | undefined;
  /** Of the same shape as the tensor: `reorder` writes into it, and the two change places. */
  #spare: tf.Tensor4D | undefined;
  /** Whether nobody else has the tensor's numbers: one that was joined may share them with what it was made of. */
  #owned = false;
  #length = 0;

  /** @param expected the length that it is likely to reach, 0 if nobody knows */
  constructor(expected: number) {
    this.#expected = Math.min(expected, MOST_EXPECTED);
  }

  /** How many along S count. */
  get length(): number {
    return this.#length;
  }

  /** Numbers that count. */
  get size(): number {
    const [batch = 0, groups = 0, , width = 0] = this.#tensor?.shape ?? [];
    return batch * groups * this.#length * width;
  }

  /** [B, G, S or more, d], of which the first `length` along the third axis count. It changes with the next call. */
  get tensor(): tf.Tensor4D {
    if (this.#tensor === undefined) throw new Error('a cache was read before anything was added');
    return this.#tensor;
  }

  /** Adds [B, G, T, d] behind what there is. */
  append(added: tf.Tensor4D): void {
    const length = this.#length + added.shape[2];
    if (canWrite()) {
      const room = this.#owned ? this.tensor.shape[2] : 0;
      if (length > room) this.#resize(added.shape, Math.max(length, this.#expected, 2 * room, LEAST_ROOM));
      const rows = Array.from({ length: added.shape[0] }, (_, row) => row);
      write(this.tensor, added, { position: this.#length, count: added.shape[2], rows });
    } else {
      this.#replace(() =>
        this.#length > 0 ? tf.concat([this.#cut(this.#length), added], 2) : tf.clone(added),
      );
    }
    this.#length = length;
  }

  /** Takes rows of the batch, in this order and as often as named. */
  reorder(rows: readonly number[]): void {
    const sameBatch = rows.length === this.tensor.shape[0];
    if (sameBatch && rows.every((from, row) => from === row)) return;
    if (!canWrite()) {
      this.#replace(() => tf.gather(this.#cut(this.#length), tf.tensor1d([...rows], 'int32')));
      return;
    }
    if (!this.#owned) this.#resize(this.tensor.shape, this.tensor.shape[2]);
    const { tensor } = this;
    const [, groups, room, width] = tensor.shape;
    if (!sameBatch) this.#spare?.dispose();
    const spare = sameBatch ? this.#spare : undefined;
    const target = spare ?? zeros([rows.length, groups, room, width]);
    write(target, tensor, { position: 0, count: this.#length, rows: [...rows] });
    if (sameBatch) this.#spare = tensor;
    else {
      tensor.dispose();
      this.#spare = undefined;
    }
    this.#tensor = target;
  }

  /** Forgets all but the first `length`. */
  crop(length: number): void {
    if (length >= this.#length) return;
    if (!canWrite()) this.#replace(() => this.#cut(length));
    this.#length = length;
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#spare?.dispose();
    this.#tensor = undefined;
    this.#spare = undefined;
    this.#owned = false;
    this.#length = 0;
  }

  #resize([batch, groups, , width]: [number, number, number, number], room: number): void {
    const old = this.#tensor;
    const grown = zeros([batch, groups, room, width]);
    if (old) {
      const rows = Array.from({ length: batch }, (_, row) => row);
      write(grown, old, { position: 0, count: this.#length, rows });
    }
    old?.dispose();
    this.#spare?.dispose();
    this.#spare = undefined;
    this.#tensor = grown;
    this.#owned = true;
  }

  #cut(length: number): tf.Tensor4D {
    const [batch, groups, , width] = this.tensor.shape;
    return tf.slice(this.tensor, [0, 0, 0, 0], [batch, groups, length, width]);
  }

  /** Puts what `make` returns in the place of the tensor; it lives beyond every `tidy`. */
  #replace(make: () => tf.Tensor4D): void {
    const made = tf.keep(tf.tidy(make));
    this.#tensor?.dispose();
    this.#spare?.dispose();
    this.#spare = undefined;
    this.#tensor = made;
    this.#owned = false;
  }
}

function zeros(shape: [number, number, number, number]): tf.Tensor4D {
  return tf.keep(tf.zeros<tf.Rank.R4>(shape));
}
