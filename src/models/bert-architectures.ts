/** BERT's classes for the registry. */
import { z } from 'zod';
import { type Architecture, defineArchitecture, tensorInput } from './architecture.ts';
import { bertModel } from './bert.ts';
import { parseBertConfig } from './bert-config.ts';
import {
  bertForMaskedLM,
  bertForNextSentencePrediction,
  bertForPreTraining,
  bertForSequenceClassification,
} from './bert-heads.ts';
import {
  bertForMaskedLMWeights,
  bertForNextSentencePredictionWeights,
  bertForPreTrainingWeights,
  bertForSequenceClassificationWeights,
  bertWeights,
} from './bert-weights.ts';

/** The inputs of every encoder. */
export const encoderInputs = z.strictObject({
  inputIds: tensorInput,
  attentionMask: tensorInput.optional(),
  tokenTypeIds: tensorInput.optional(),
  positionIds: tensorInput.optional(),
});

/** The inputs of an encoder with a head. */
export const labelledInputs = encoderInputs.extend({ labels: tensorInput.optional() });

const bert = { family: 'bert', parseConfig: parseBertConfig };

export const bertArchitectures: readonly Architecture[] = [
  defineArchitecture({
    ...bert,
    className: 'BertModel',
    source: 'Devlin et al. 2019, section 3',
    weights: bertWeights,
    inputs: encoderInputs,
    forward: bertModel,
  }),
  defineArchitecture({
    ...bert,
    className: 'BertForPreTraining',
    source: 'Devlin et al. 2019, section 3.1',
    weights: bertForPreTrainingWeights,
    inputs: labelledInputs.extend({ nextSentenceLabel: tensorInput.optional() }),
    forward: bertForPreTraining,
  }),
  defineArchitecture({
    ...bert,
    className: 'BertForMaskedLM',
    source: 'Devlin et al. 2019, section 3.1, task 1',
    weights: bertForMaskedLMWeights,
    inputs: labelledInputs,
    forward: bertForMaskedLM,
  }),
  defineArchitecture({
    ...bert,
    className: 'BertForNextSentencePrediction',
    source: 'Devlin et al. 2019, section 3.1, task 2',
    weights: bertForNextSentencePredictionWeights,
    inputs: labelledInputs,
    forward: bertForNextSentencePrediction,
  }),
  defineArchitecture({
    ...bert,
    className: 'BertForSequenceClassification',
    source: 'Devlin et al. 2019, section 4.1',
    weights: bertForSequenceClassificationWeights,
    inputs: labelledInputs,
    forward: bertForSequenceClassification,
  }),
];
