import * as tf from '@tensorflow/tfjs-core';
import { dropout } from './dropout.ts';
import { fusedAttention, fusedMaskedSoftmax } from './fused-attention.ts';
import { type LinearParams, linear } from './linear.ts';
import { MASKED } from './masks.ts';
import type { Rng } from './random.ts';

/** The four projections of an attention layer. With grouped queries `key` and `value` have fewer rows. */
export interface AttentionParams {
  /** [H·d, D] */
  query: LinearParams;
  /** [Hkv·d, D] */
  key: LinearParams;
  /** [Hkv·d, D] */
  value: LinearParams;
  /** [D, H·d] */
  output: LinearParams;
}

export interface DropoutOptions {
  rate: number;
  /** undefined: evaluation, nothing is dropped */
  rng: Rng | undefined;
}

export interface ScaledDotProductOptions {
  /** additive, broadcast to [B, H, T, S], after scaling */
  bias?: tf.Tensor | undefined;
  /** factor of the scores, 1/√d unless given (T5: 1) */
  scale?: number | undefined;
  /** of the probabilities */
  dropout?: DropoutOptions | undefined;
}

export interface AttentionResult {
  /** [B, H, T, d] */
  output: tf.Tensor;
  /** [B, H, T, S], before dropout */
  probabilities: tf.Tensor;
}

export type ScaledDotProductAttention = (
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options?: ScaledDotProductOptions,
) => AttentionResult;

/** [B, T, H·d] → [B, H, T, d] */
export function splitHeads(x: tf.Tensor, numHeads: number): tf.Tensor4D {
  const [batch = 0, length = 0, width = 0] = x.shape;
  if (x.rank !== 3 || width % numHeads !== 0) {
    throw new RangeError(
      `splitHeads: expected [B, T, D] with D divisible by ${numHeads} heads, got [${x.shape}]`,
    );
  }
  return tf.tidy(() => {
    const perHead: tf.Tensor4D = tf.reshape(x, [batch, length, numHeads, width / numHeads]);
    return tf.transpose(perHead, [0, 2, 1, 3]); // [B, H, T, d]
  });
}

/** [B, H, T, d] → [B, T, H·d] */
export function mergeHeads(x: tf.Tensor): tf.Tensor3D {
  const [batch = 0, numHeads = 0, length = 0, width = 0] = x.shape;
  return tf.tidy(() => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, numHeads * width]));
}

/**
 * Softmax over the last axis of scores + bias. A row whose every score is masked attends to nothing: it is 0, where a
 * plain softmax would spread 1 over what must not be seen.
 *
 * @param scores [..., S]
 * @param bias additive, broadcast to the scores
 */
export function maskedSoftmax<T extends tf.Tensor>(scores: T, bias: tf.Tensor): T {
  const composed = (): T => {
    const biased = tf.add<T>(scores, bias);
    const softmax = tf.customGrad<T>((...inputs) => {
      const save = inputs.at(-1);
      const visible = tf.cast(tf.greater(tf.max(biased, -1, true), MASKED / 2), 'float32');
      const value = tf.mul<T>(tf.softmax(biased), visible);
      if (typeof save === 'function') save([value]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
        const [p] = saved;
        if (p === undefined) throw new Error('nothing was saved');
        const weighted = tf.mul(dy, p);
        return tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)));
      };
      return { value, gradFunc };
    });
    return softmax(biased);
  };
  return fusedMaskedSoftmax(scores, bias) ?? tf.tidy(composed);
}

/**
 * softmax(q·kᵀ·scale + bias)·v (Vaswani et al., 2017, "Attention is all you need", equation 1).
 *
 * With grouped queries (Ainslie et al., 2023) k and v have Hkv heads, and query head h reads key head ⌊h·Hkv/H⌋. The
 * heads of a group are laid end to end along the query axis, so no key is ever repeated in memory.
 *
 * @param q [B, H, T, d]
 * @param k [B, Hkv, S, d]
 * @param v [B, Hkv, S, d]
 */
export function scaledDotProductAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: ScaledDotProductOptions = {},
): AttentionResult {
  const [batch, heads, queries, width] = q.shape;
  const [, groups, keys, keyWidth] = k.shape;
  if (width !== keyWidth || heads % groups !== 0 || v.shape[1] !== groups || v.shape[2] !== keys) {
    throw new RangeError(`attention: shapes do not fit: q [${q.shape}], k [${k.shape}], v [${v.shape}]`);
  }
  const scale = options.scale ?? 1 / Math.sqrt(width);
  const rows = (heads / groups) * queries; // query rows that share one key head
  return tf.tidy(() => {
    const scaled = tf.reshape(scale === 1 ? q : tf.mul(q, scale), [batch, groups, rows, width]);
    const raw: tf.Tensor4D = tf.reshape(tf.matMul(scaled, k, false, true), [batch, heads, queries, keys]);
    const probabilities = options.bias === undefined ? tf.softmax(raw) : maskedSoftmax(raw, options.bias);
    const kept = dropout(probabilities, options.dropout?.rate ?? 0, options.dropout?.rng);
    const mixed: tf.Tensor4D = tf.matMul(tf.reshape(kept, [batch, groups, rows, keys]), v);
    const output: tf.Tensor4D = tf.reshape(mixed, [batch, heads, queries, v.shape[3]]);
    return { output, probabilities };
  });
}

export interface KeyValue {
  /** [B, Hkv, S, d] */
  key: tf.Tensor4D;
  /** [B, Hkv, S, d] */
  value: tf.Tensor4D;
  /** How many of the S count: a cache has room behind them. All unless given. */
  length?: number | undefined;
}

/** The keys and values that count, without the room behind them. */
export function withoutRoom({ key, value, length }: KeyValue): KeyValue {
  const [batch, heads, room] = key.shape;
  if (length === undefined || length === room) return { key, value };
  const cut = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 0, 0, 0], [batch, heads, length, x.shape[3]]);
  return { key: cut(key), value: cut(value) };
}

export interface MultiHeadOptions extends ScaledDotProductOptions {
  numHeads: number;
  /** fewer than `numHeads` for grouped and multi-query attention */
  numKeyValueHeads?: number | undefined;
  /** [B, S, D]: where keys and values come from; `x` itself unless given (cross-attention: the encoder's output) */
  keyValue?: tf.Tensor | undefined;
  /** turns queries and keys [B, H, T, d] by their positions (rotary embedding) */
  rotate?: ((heads: tf.Tensor4D) => tf.Tensor4D) | undefined;
  /**
   * Stands between the projections and the attention. It gets a function that projects (and rotates) this call's keys
   * and values, and returns the ones to attend to: a self-attention cache appends them, a cross-attention cache calls
   * the function once and then returns what it kept.
   */
  cache?: ((compute: () => KeyValue) => KeyValue) | undefined;
  /** the attention itself, `scaledDotProductAttention` unless replaced */
  attention?: ScaledDotProductAttention | undefined;
}

/**
 * Multi-head attention (Vaswani et al., 2017, section 3.2.2). The head width is the query projection's output divided by
 * the number of heads, which need not be D/H (T5, LLaMA).
 *
 * @param x [B, T, D]
 * @returns [B, T, D]
 */
export function multiHeadAttention(
  params: AttentionParams,
  x: tf.Tensor,
  options: MultiHeadOptions,
): tf.Tensor {
  const { numHeads, numKeyValueHeads = numHeads } = options;
  const { rotate = (heads) => heads, cache = (compute) => compute() } = options;
  const attend = options.attention ?? scaledDotProductAttention;
  return tf.tidy(() => {
    const source = options.keyValue ?? x;
    const q = rotate(splitHeads(linear(params.query, x), numHeads)); // [B, H, T, d]
    const held = cache(() => ({
      key: rotate(splitHeads(linear(params.key, source), numKeyValueHeads)), // [B, Hkv, S, d]
      value: splitHeads(linear(params.value, source), numKeyValueHeads), // [B, Hkv, S, d]
    }));
    return linear(params.output, mergeHeads(outputOf(attend, q, held, options)));
  });
}

/** The output [B, H, T, d] alone: a backend may compute it in one piece where the formula is ours and nothing is drawn. */
function outputOf(
  attend: ScaledDotProductAttention,
  q: tf.Tensor4D,
  held: KeyValue,
  options: ScaledDotProductOptions,
): tf.Tensor {
  const { bias, scale = 1 / Math.sqrt(q.shape[3]) } = options;
  const draws = options.dropout?.rng !== undefined && options.dropout.rate > 0;
  const keys = held.length ?? held.key.shape[2];
  const fused =
    attend === scaledDotProductAttention && !draws
      ? fusedAttention(q, held.key, held.value, { bias, scale, keys })
      : undefined;
  if (fused !== undefined) return fused;
  const { key, value } = withoutRoom(held);
  return attend(q, key, value, options).output;
}
