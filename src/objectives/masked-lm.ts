/** The masked language model: hide some tokens, predict them (Devlin et al., 2019, §3.1, Task 1). */

import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy, IGNORED } from '../core/losses.ts';
import { createRng, type Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import type { EncodedBatch } from '../tokenizers/encoding.ts';
import { sample } from './sampling.ts';

export interface MaskingOptions {
  rng: Rng;
  /** The id of [MASK]. */
  maskId: number;
  /** Random replacements are drawn from the ids 0 … vocabSize − 1 … */
  vocabSize: number;
  /** … without these: the ids of special tokens. */
  specialIds?: Iterable<number>;
  /** The share of tokens to predict. Default 0.15. */
  probability?: number;
  /** Of the chosen tokens, the share that becomes [MASK]. Default 0.8. */
  maskFraction?: number;
  /** Of the chosen tokens, the share that becomes a random token; the rest stays. Default 0.1. */
  randomFraction?: number;
}

/** Inputs with some tokens hidden, and what they were: `IGNORED` (−100) wherever nothing was chosen. */
export interface MaskedTokens {
  inputIds: number[];
  labels: number[];
}

/**
 * Chooses `probability` of a sequence's own tokens (rounded, at least one) and hides them 80/10/10. Tokens with a 1 in
 * `specialTokensMask`, which padding has too, are never chosen.
 */
export function maskTokens(
  inputIds: readonly number[],
  specialTokensMask: readonly number[],
  options: MaskingOptions,
): MaskedTokens {
  const { rng, maskId, probability = 0.15, maskFraction = 0.8, randomFraction = 0.1 } = options;
  if (inputIds.length !== specialTokensMask.length) {
    throw new InputError(
      `maskTokens: ${inputIds.length} ids need a special tokens mask as long, got ${specialTokensMask.length}`,
    );
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new InputError(`maskTokens: probability must lie between 0 and 1, got ${probability}`);
  }
  if (!(maskFraction >= 0 && randomFraction >= 0 && maskFraction + randomFraction <= 1 + 1e-12)) {
    throw new InputError(
      `maskTokens: maskFraction and randomFraction must share at most 1, got ${maskFraction} and ${randomFraction}`,
    );
  }
  const candidates = inputIds.flatMap((_, position) => (specialTokensMask[position] === 0 ? [position] : []));
  const wanted = probability === 0 ? 0 : Math.max(1, Math.round(probability * candidates.length));
  const chosen = sample(candidates, Math.min(wanted, candidates.length), rng);
  const replacement = randomToken(options);

  const masked = [...inputIds];
  const labels = new Array<number>(inputIds.length).fill(IGNORED);
  for (const position of chosen) {
    const original = inputIds[position] ?? maskId;
    labels[position] = original;
    const fate = rng.next();
    if (fate < maskFraction) masked[position] = maskId;
    else if (fate < maskFraction + randomFraction) masked[position] = replacement(rng);
  }
  return { inputIds: masked, labels };
}

/** The rows of a padded batch, each masked by `maskTokens`. */
export function maskBatch(
  batch: Pick<EncodedBatch, 'inputIds' | 'specialTokensMask'>,
  options: MaskingOptions,
): { inputIds: number[][]; labels: number[][] } {
  const rows = batch.inputIds.map((ids, row) => maskTokens(ids, batch.specialTokensMask[row] ?? [], options));
  return { inputIds: rows.map((row) => row.inputIds), labels: rows.map((row) => row.labels) };
}

/**
 * Dynamic masking (Liu et al., 2019, §4.1): a new mask every time a sequence is seen. The mask is a function of
 * (seed, epoch, index) and nothing else, so that it is the same whatever was drawn before, and on every machine.
 */
export function dynamicMask(
  inputIds: readonly number[],
  specialTokensMask: readonly number[],
  place: { seed: number | string; epoch: number; index: number },
  options: Omit<MaskingOptions, 'rng'>,
): MaskedTokens {
  const rng = createRng(place.seed).fork(`epoch ${place.epoch}`).fork(`sequence ${place.index}`);
  return maskTokens(inputIds, specialTokensMask, { ...options, rng });
}

/**
 * BERT's pre-training loss, the sum of the mean masked-LM loss and the mean next-sentence loss
 * (Devlin et al., 2019, Appendix A.2).
 *
 * @param outputs `predictionLogits` [B, T, V], `seqRelationshipLogits` [B, 2]
 * @param labels int32 [B, T], −100 where nothing is to be predicted
 * @param nextSentenceLabels int32 [B], 0 = is next
 */
export function pretrainingLoss(
  outputs: { predictionLogits: tf.Tensor; seqRelationshipLogits: tf.Tensor },
  labels: tf.Tensor,
  nextSentenceLabels: tf.Tensor,
): { loss: tf.Scalar; maskedLm: tf.Scalar; nextSentence: tf.Scalar } {
  const maskedLm = crossEntropy(outputs.predictionLogits, labels);
  const nextSentence = crossEntropy(outputs.seqRelationshipLogits, nextSentenceLabels);
  return { loss: tf.add<tf.Scalar>(maskedLm, nextSentence), maskedLm, nextSentence };
}

function randomToken({ vocabSize, specialIds = [] }: MaskingOptions): (rng: Rng) => number {
  const excluded = new Set([...specialIds].filter((id) => id >= 0 && id < vocabSize));
  if (!(vocabSize > excluded.size)) {
    throw new InputError(`maskTokens: the vocabulary of ${vocabSize} tokens has no ordinary token to draw`);
  }
  return (rng) => {
    for (;;) {
      const id = rng.integer(vocabSize);
      if (!excluded.has(id)) return id;
    }
  };
}
