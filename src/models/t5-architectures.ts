/** T5's classes for the registry. */
import { z } from 'zod';
import { type Architecture, defineArchitecture, tensorInput } from './architecture.ts';
import { decodingInputs, encoderDecoderInputs } from './encoder-decoder.ts';
import { t5EncoderModel, t5ForConditionalGeneration, t5Model } from './t5.ts';
import { parseT5Config } from './t5-config.ts';
import { t5EncoderWeights, t5ForConditionalGenerationWeights, t5Weights } from './t5-weights.ts';

const t5 = { family: 't5', parseConfig: parseT5Config };

export const T5Model = defineArchitecture({
  ...t5,
  className: 'T5Model',
  source: 'Raffel et al. 2020, section 2.1',
  weights: t5Weights,
  inputs: encoderDecoderInputs,
  forward: t5Model,
});

export const T5EncoderModel = defineArchitecture({
  ...t5,
  className: 'T5EncoderModel',
  source: 'Raffel et al. 2020, section 2.1',
  weights: t5EncoderWeights,
  inputs: z.strictObject({ inputIds: tensorInput, attentionMask: tensorInput.optional() }),
  forward: t5EncoderModel,
});

export const T5ForConditionalGeneration = defineArchitecture({
  ...t5,
  className: 'T5ForConditionalGeneration',
  source: 'Raffel et al. 2020, sections 2.1 and 2.4; 1.1: Shazeer 2020',
  weights: t5ForConditionalGenerationWeights,
  inputs: encoderDecoderInputs.extend({ labels: tensorInput.optional() }),
  forward: t5ForConditionalGeneration,
  language: (params, config) => ({
    defaults: config.generation,
    vocabSize: config.vocab_size,
    maxPositions: Number.POSITIVE_INFINITY,
    encode: (inputIds, attentionMask) =>
      t5EncoderModel(params, { inputIds, attentionMask }, config).lastHiddenState,
    lastLogits: (step) =>
      t5ForConditionalGeneration(params, decodingInputs(step), config, { lastLogitsOnly: true }).logits,
  }),
});

export const t5Architectures: readonly Architecture[] = [T5Model, T5EncoderModel, T5ForConditionalGeneration];
