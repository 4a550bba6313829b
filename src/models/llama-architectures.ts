/** LLaMA's classes for the registry. */
import { z } from 'zod';
import { type Architecture, defineArchitecture, tensorInput } from './architecture.ts';
import { llamaForCausalLM, llamaForSequenceClassification, llamaModel } from './llama.ts';
import { parseLlamaConfig } from './llama-config.ts';
import {
  llamaForCausalLMWeights,
  llamaForSequenceClassificationWeights,
  llamaWeights,
} from './llama-weights.ts';

const inputs = z.strictObject({
  inputIds: tensorInput,
  attentionMask: tensorInput.optional(),
  positionIds: tensorInput.optional(),
});
const labelled = inputs.extend({ labels: tensorInput.optional() });

const llama = { family: 'llama', parseConfig: parseLlamaConfig };

export const LlamaModel = defineArchitecture({
  ...llama,
  className: 'LlamaModel',
  source: 'Touvron et al. 2023, section 2.2',
  weights: llamaWeights,
  inputs,
  forward: llamaModel,
});

export const LlamaForCausalLM = defineArchitecture({
  ...llama,
  className: 'LlamaForCausalLM',
  source: 'Touvron et al. 2023, section 2',
  weights: llamaForCausalLMWeights,
  inputs: labelled,
  forward: llamaForCausalLM,
  language: (params, config) => ({
    defaults: config.generation,
    vocabSize: config.vocab_size,
    maxPositions: Number.POSITIVE_INFINITY,
    lastLogits: ({ ids, ...step }) =>
      llamaForCausalLM(params, { inputIds: ids, ...step }, config, { lastLogitsOnly: true }).logits,
  }),
});

export const LlamaForSequenceClassification = defineArchitecture({
  ...llama,
  className: 'LlamaForSequenceClassification',
  source: 'Touvron et al. 2023, section 2.2, with the head of Radford et al. 2018, section 3.2',
  weights: llamaForSequenceClassificationWeights,
  inputs: labelled,
  forward: llamaForSequenceClassification,
});

export const llamaArchitectures: readonly Architecture[] = [
  LlamaModel,
  LlamaForCausalLM,
  LlamaForSequenceClassification,
];
