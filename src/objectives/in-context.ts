/** In-context learning: tasks told in the prompt, answers chosen by their likelihood (Brown et al., 2020, §2). */

import * as tf from '@tensorflow/tfjs-core';
import { IGNORED, tokenLosses } from '../core/losses.ts';
import { InputError } from '../errors.ts';

export interface FewShotOptions {
  /** Says what the task is. */
  instruction?: string;
  /** Between question and answer. Default a line `A: `. */
  answerPrefix?: string;
  questionPrefix?: string;
  /** Between examples. Default an empty line. */
  separator?: string;
}

/** A prompt with k solved examples before the question: 0-shot, 1-shot or k-shot. It ends where the answer begins. */
export function fewShotPrompt(
  examples: readonly { question: string; answer: string }[],
  question: string,
  options: FewShotOptions = {},
): string {
  const { instruction, questionPrefix = 'Q: ', answerPrefix = '\nA:', separator = '\n\n' } = options;
  const solved = examples.map((one) => `${questionPrefix}${one.question}${answerPrefix} ${one.answer}`);
  return [
    ...(instruction === undefined ? [] : [instruction]),
    ...solved,
    `${questionPrefix}${question}${answerPrefix}`,
  ].join(separator);
}

export interface CandidateScore {
  /** The sum of ln p(token) over the tokens of the answer, each given all before it. */
  logLikelihood: number;
  /** The same for each token, which does not favour short answers. */
  perToken: number;
}

/**
 * How likely each candidate is as the answer to a prompt. Only the answer's tokens are scored: those of the prompt are
 * the same for all and say nothing (Brown et al., 2020, §2.4).
 *
 * @param forward logits [B, T, V] of a causal language model for ids and mask, int32 [B, T], padded on the right
 * @param prompt ids, at least one
 * @param candidates ids of each answer, at least one token each
 */
export async function scoreCandidates(
  forward: (inputIds: tf.Tensor2D, attentionMask: tf.Tensor2D) => tf.Tensor,
  prompt: readonly number[],
  candidates: readonly (readonly number[])[],
): Promise<CandidateScore[]> {
  if (prompt.length === 0) throw new InputError('scoreCandidates: the prompt has no token to predict from');
  if (candidates.some((candidate) => candidate.length === 0)) {
    throw new InputError('scoreCandidates: a candidate has no token');
  }
  if (candidates.length === 0) return [];
  const length = prompt.length + candidates.reduce((longest, { length: own }) => Math.max(longest, own), 0);
  const row = (values: readonly number[], filler: number): number[] => [
    ...values,
    ...new Array<number>(length - values.length).fill(filler),
  ];
  const matrix = (rows: number[][]): tf.Tensor2D => tf.tensor2d(rows, [rows.length, length], 'int32');
  const losses = tf.tidy(() => {
    const inputIds = matrix(candidates.map((candidate) => row([...prompt, ...candidate], 0)));
    const mask = matrix(candidates.map((candidate) => row([...prompt, ...candidate].fill(1), 0)));
    // The logits at t speak of token t + 1: the first token of the answer is predicted at the end of the prompt.
    const before = new Array<number>(prompt.length - 1).fill(IGNORED);
    const labels = matrix(candidates.map((candidate) => row([...before, ...candidate], IGNORED)));
    return tf.sum(tokenLosses(forward(inputIds, mask), labels), -1);
  });
  const values = await losses.data();
  losses.dispose();
  return candidates.map((candidate, i) => {
    const logLikelihood = -(values[i] ?? Number.NaN);
    return { logLikelihood, perToken: logLikelihood / candidate.length };
  });
}
