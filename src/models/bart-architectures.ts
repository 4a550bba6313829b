/** BART's classes for the registry. */
import { type Architecture, defineArchitecture, tensorInput } from './architecture.ts';
import {
  bartEncoder,
  bartForConditionalGeneration,
  bartForSequenceClassification,
  bartModel,
} from './bart.ts';
import { parseBartConfig } from './bart-config.ts';
import {
  bartForConditionalGenerationWeights,
  bartForSequenceClassificationWeights,
  bartWeights,
} from './bart-weights.ts';
import { decodingInputs, encoderDecoderInputs } from './encoder-decoder.ts';

const labelled = encoderDecoderInputs.extend({ labels: tensorInput.optional() });

const bart = { family: 'bart', parseConfig: parseBartConfig };

export const BartModel = defineArchitecture({
  ...bart,
  className: 'BartModel',
  source: 'Lewis et al. 2020, section 2.1',
  weights: bartWeights,
  inputs: encoderDecoderInputs,
  forward: bartModel,
});

export const BartForConditionalGeneration = defineArchitecture({
  ...bart,
  className: 'BartForConditionalGeneration',
  source: 'Lewis et al. 2020, section 3.3',
  weights: bartForConditionalGenerationWeights,
  inputs: labelled,
  forward: bartForConditionalGeneration,
  language: (params, config) => ({
    defaults: config.generation,
    vocabSize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    encode: (inputIds, attentionMask) => bartEncoder(params, { inputIds, attentionMask }, config),
    lastLogits: (step) =>
      bartForConditionalGeneration(params, decodingInputs(step), config, { lastLogitsOnly: true }).logits,
  }),
});

export const BartForSequenceClassification = defineArchitecture({
  ...bart,
  className: 'BartForSequenceClassification',
  source: 'Lewis et al. 2020, section 3.1',
  weights: bartForSequenceClassificationWeights,
  inputs: labelled.extend({ inputIds: tensorInput }),
  forward: bartForSequenceClassification,
});

export const bartArchitectures: readonly Architecture[] = [
  BartModel,
  BartForConditionalGeneration,
  BartForSequenceClassification,
];
