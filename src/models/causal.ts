/** What decoder-only families share: positions after a cache, the causal bias with padding, the next-token loss. */
import * as tf from '@tensorflow/tfjs-core';
import { type LinearParams, linear } from '../core/linear.ts';
import { crossEntropy, IGNORED } from '../core/losses.ts';
import { causalBias, paddingBias } from '../core/masks.ts';
import { InputError } from '../errors.ts';
import { type ClassificationConfig, lastTokenLogits, sequenceClassificationLoss } from './classification.ts';

/**
 * Positions past, past + 1, …, int32 [1, T], for ids [B, T].
 * @param available positions that the model has vectors for
 */
export function defaultPositions(inputIds: tf.Tensor, past: number, available: number): tf.Tensor2D {
  const length = requireMatrix('inputIds', inputIds);
  if (past + length > available) {
    throw new InputError(`inputIds: ${past + length} tokens, the model has ${available} positions`);
  }
  return tf.tidy(() => tf.reshape(tf.range(past, past + length, 1, 'int32'), [1, length]));
}

/**
 * The bias [1 or B, 1, T, S] under which the tokens [B, T] see themselves and the tokens before, S = past + T, but no
 * padding.
 * @param attentionMask [B, S]
 */
export function causalAttentionBias(
  inputIds: tf.Tensor,
  past: number,
  attentionMask: tf.Tensor | undefined,
): tf.Tensor {
  const keys = past + requireMatrix('inputIds', inputIds);
  const length = keys - past;
  if (attentionMask) checkMask(inputIds, past, attentionMask);
  return tf.tidy(() => {
    const causal = causalBias(length, keys);
    return attentionMask ? tf.add(causal, paddingBias(attentionMask)) : causal;
  });
}

/** The length T of ids [B, T]. @throws InputError if they are of another rank */
export function requireMatrix(name: string, ids: tf.Tensor): number {
  const [, length] = ids.shape;
  if (ids.rank === 2 && length !== undefined) return length;
  throw new InputError(`${name}: expected [B, T], got [${ids.shape}]`);
}

function checkMask(inputIds: tf.Tensor, past: number, mask: tf.Tensor): void {
  const [batch = 0, length = 0] = inputIds.shape;
  if (mask.rank === 2 && mask.shape[0] === batch && mask.shape[1] === past + length) return;
  throw new InputError(
    `attentionMask: expected [${batch}, ${past + length}] (tokens in the cache and new ones), got [${mask.shape}]`,
  );
}

/**
 * GPT's own masks: it sets the scores of the future to −10⁴, where those of padding are far lower. A query with padding
 * alone before it thus spreads evenly over the tokens after it, where elsewhere it attends to nothing: nobody reads it,
 * but comparisons do, and the loss of the token after it. A query of zeros makes the spread even.
 * @param attentionMask [B, S]
 */
export function softCausalMasks(
  inputIds: tf.Tensor,
  past: number,
  attentionMask: tf.Tensor,
): { bias: tf.Tensor; sighted: tf.Tensor } {
  const [batch = 0, length = 0] = inputIds.shape;
  checkMask(inputIds, past, attentionMask);
  return tf.tidy(() => {
    const future = tf.maximum(causalAttentionBias(inputIds, past, undefined), -1e4);
    const bias = tf.add(future, paddingBias(attentionMask));
    const tokensSoFar = tf.cumsum(tf.cast(attentionMask, 'float32'), 1); // [B, S]
    const sighted = tf.cast(tf.greater(tf.slice(tokensSoFar, [0, past], [batch, length]), 0), 'float32');
    return { bias, sighted: tf.reshape(sighted, [batch, 1, length, 1]) };
  });
}

/**
 * Cross entropy of every token given those before it: the logits at t are scored by the label at t + 1, and this
 * is the only place that shifts.
 * @param logits [B, T, V]
 * @param labels int32 [B, T], the tokens themselves, −100 where nothing is scored
 */
export function nextTokenLoss(logits: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const [batch = 0, length = 0] = labels.shape;
    const next = tf.slice(labels, [0, 1], [batch, length - 1]);
    const none = tf.fill([batch, 1], IGNORED, 'int32');
    return crossEntropy(logits, tf.concat([next, none], 1));
  });
}

/** The last position of [B, T, C] alone, [B, 1, C]: all that generation needs of the logits. */
export function lastOnly(x: tf.Tensor): tf.Tensor {
  const [batch = 0, length = 0, width = 0] = x.shape;
  return tf.slice(x, [0, length - 1, 0], [batch, 1, width]);
}

/** What a head returns: logits, and the loss where labels were given. */
export type CausalHeadOutput = { logits: tf.Tensor; loss?: tf.Scalar };

/**
 * Logits of the next token at every position, [B, T, D] → [B, T, V], and the loss if there are labels.
 * @param table [V, D]
 * @param labels int32 [B, T], the tokens themselves, −100 where nothing is scored
 * @param lastLogitsOnly only the logits of the last position, [B, 1, V]
 */
export function nextTokenHead(
  table: tf.Tensor,
  hidden: tf.Tensor,
  labels: tf.Tensor | undefined,
  lastLogitsOnly = false,
): CausalHeadOutput {
  return tf.tidy(() => {
    const logits = linear({ weight: table }, lastLogitsOnly ? lastOnly(hidden) : hidden);
    return labels ? { logits, loss: nextTokenLoss(logits, labels) } : { logits };
  });
}

/** Class logits [B, C] from the last token that is not padding, and the loss if there are labels. */
export function lastTokenClassifier(
  score: LinearParams,
  hidden: tf.Tensor,
  { inputIds, labels }: { inputIds: tf.Tensor; labels?: tf.Tensor | undefined },
  config: ClassificationConfig & { pad_token_id?: number | null | undefined },
): CausalHeadOutput {
  return tf.tidy(() => {
    const logits = lastTokenLogits(linear(score, hidden), inputIds, config.pad_token_id);
    return labels ? { logits, loss: sequenceClassificationLoss(logits, labels, config) } : { logits };
  });
}
