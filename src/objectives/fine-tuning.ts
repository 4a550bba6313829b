/** Fine-tuning: instructions with their answers, and GPT-1's loss for classification. */

import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy, IGNORED } from '../core/losses.ts';
import { InputError } from '../errors.ts';
import { nextTokenLoss } from '../models/causal.ts';

export interface SupervisedRow {
  inputIds: number[];
  attentionMask: number[];
  labels: number[];
}

/**
 * Prompt and answer as one row for supervised fine-tuning (Ouyang et al., 2022, §3.5): only the answer and the end
 * token after it are learned, the prompt's labels are −100. Cut to `maxTokens` at the end, padded to `padTo` on the
 * right; padding is −100, also where it has the same id as the end token.
 */
export function supervisedRow(
  prompt: readonly number[],
  answer: readonly number[],
  options: { endId: number; padId?: number; maxTokens?: number; padTo?: number },
): SupervisedRow {
  const { endId, padId = endId, maxTokens = Number.POSITIVE_INFINITY, padTo } = options;
  const inputIds = [...prompt, ...answer, endId].slice(0, maxTokens);
  if (padTo !== undefined && padTo < inputIds.length) {
    throw new InputError(
      `supervisedRow: ${inputIds.length} tokens do not fit into ${padTo}; set maxTokens to cut them`,
    );
  }
  const padding = new Array<number>(padTo === undefined ? 0 : padTo - inputIds.length);
  return {
    inputIds: [...inputIds, ...padding.fill(padId)],
    attentionMask: [...inputIds.map(() => 1), ...padding.fill(0)],
    labels: [...inputIds.map((id, i) => (i < prompt.length ? IGNORED : id)), ...padding.fill(IGNORED)],
  };
}

/**
 * Labels for a row that is put together already: −100 for the prompt, and for everything after the first end token of
 * the answer. That end token is kept: a model that never learns it never stops.
 */
export function supervisedLabels(inputIds: readonly number[], promptLength: number, endId: number): number[] {
  if (!(promptLength >= 0 && promptLength <= inputIds.length)) {
    throw new InputError(
      `supervisedLabels: a prompt of ${promptLength} tokens in a row of ${inputIds.length}`,
    );
  }
  const end = inputIds.indexOf(endId, promptLength);
  return inputIds.map((id, i) => (i < promptLength || (end !== -1 && i > end) ? IGNORED : id));
}

/**
 * GPT-1's loss of fine-tuning: the task's own + weight · the language model's, on the same text
 * (Radford et al., 2018, eq. 5, λ = 0.5).
 *
 * @param outputs `classLogits` [B, C], `logits` [B, T, V]
 * @param classes int32 [B]
 * @param labels int32 [B, T], the tokens, −100 for padding; the loss shifts them
 */
export function classificationAndLmLoss(
  outputs: { classLogits: tf.Tensor; logits: tf.Tensor },
  classes: tf.Tensor,
  labels: tf.Tensor,
  weight = 0.5,
): { loss: tf.Scalar; classification: tf.Scalar; languageModel: tf.Scalar } {
  const classification = crossEntropy(outputs.classLogits, classes);
  const languageModel = nextTokenLoss(outputs.logits, labels);
  return {
    loss: tf.tidy(() => tf.add<tf.Scalar>(classification, tf.mul(languageModel, weight))),
    classification,
    languageModel,
  };
}
