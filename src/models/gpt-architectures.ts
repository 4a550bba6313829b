/** GPT's and GPT-2's classes for the registry. */
import { z } from 'zod';
import type { LanguageModel } from '../generation/decoding.ts';
import { type Architecture, defineArchitecture, tensorInput } from './architecture.ts';
import { type GptLMHeadParams, gpt2ForSequenceClassification, gptLMHeadModel, gptModel } from './gpt.ts';
import { type GptConfig, parseGpt2Config, parseOpenAIGptConfig } from './gpt-config.ts';
import { gptForSequenceClassificationWeights, gptLMHeadWeights, gptWeights } from './gpt-weights.ts';

const inputs = z.strictObject({
  inputIds: tensorInput,
  attentionMask: tensorInput.optional(),
  positionIds: tensorInput.optional(),
  tokenTypeIds: tensorInput.optional(),
});
const labelled = inputs.extend({ labels: tensorInput.optional() });

const gpt = { family: 'openai-gpt', parseConfig: parseOpenAIGptConfig };
const gpt2 = { family: 'gpt2', parseConfig: parseGpt2Config };

function language(params: GptLMHeadParams, config: GptConfig): LanguageModel {
  return {
    defaults: config.generation,
    vocabSize: config.vocab_size,
    maxPositions: config.n_positions,
    lastLogits: ({ ids, ...step }) =>
      gptLMHeadModel(params, { inputIds: ids, ...step }, config, { lastLogitsOnly: true }).logits,
  };
}

export const OpenAIGPTModel = defineArchitecture({
  ...gpt,
  className: 'OpenAIGPTModel',
  source: 'Radford et al. 2018, section 3.1',
  weights: gptWeights,
  inputs,
  forward: gptModel,
});

export const OpenAIGPTLMHeadModel = defineArchitecture({
  ...gpt,
  className: 'OpenAIGPTLMHeadModel',
  source: 'Radford et al. 2018, section 3.1, equation 1',
  weights: gptLMHeadWeights,
  inputs: labelled,
  forward: gptLMHeadModel,
  language,
});

export const GPT2Model = defineArchitecture({
  ...gpt2,
  className: 'GPT2Model',
  source: 'Radford et al. 2019, section 2.3',
  weights: gptWeights,
  inputs,
  forward: gptModel,
});

export const GPT2LMHeadModel = defineArchitecture({
  ...gpt2,
  className: 'GPT2LMHeadModel',
  source: 'Radford et al. 2019, section 2',
  weights: gptLMHeadWeights,
  inputs: labelled,
  forward: gptLMHeadModel,
  language,
});

export const GPT2ForSequenceClassification = defineArchitecture({
  ...gpt2,
  className: 'GPT2ForSequenceClassification',
  source: 'Radford et al. 2018, section 3.2',
  weights: gptForSequenceClassificationWeights,
  inputs: labelled,
  forward: gpt2ForSequenceClassification,
});

export const gptArchitectures: readonly Architecture[] = [
  OpenAIGPTModel,
  OpenAIGPTLMHeadModel,
  GPT2Model,
  GPT2LMHeadModel,
  GPT2ForSequenceClassification,
];
