/**
 * The classes of BERT, RoBERTa, ALBERT and ELECTRA, under Hugging Face's names: what `loadPretrained` picks from, and
 * what it can be told to load.
 */
import { z } from 'zod';
import {
  albertForMaskedLM,
  albertForMaskedLMWeights,
  albertForPreTraining,
  albertForPreTrainingWeights,
  albertForSequenceClassification,
  albertForSequenceClassificationWeights,
  albertModel,
  albertWeights,
  parseAlbertConfig,
} from './albert.ts';
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
import {
  electraForMaskedLM,
  electraForMaskedLMWeights,
  electraForPreTraining,
  electraForPreTrainingWeights,
  electraForSequenceClassification,
  electraForSequenceClassificationWeights,
  electraModel,
  electraWeights,
  parseElectraConfig,
} from './electra.ts';
import {
  parseRobertaConfig,
  robertaForMaskedLM,
  robertaForMaskedLMWeights,
  robertaForSequenceClassification,
  robertaForSequenceClassificationWeights,
  robertaModel,
  robertaWeights,
} from './roberta.ts';

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

export const BertModel = defineArchitecture({
  ...bert,
  className: 'BertModel',
  source: 'Devlin et al. 2019, section 3',
  weights: bertWeights,
  inputs: encoderInputs,
  forward: bertModel,
});

export const BertForPreTraining = defineArchitecture({
  ...bert,
  className: 'BertForPreTraining',
  source: 'Devlin et al. 2019, section 3.1',
  weights: bertForPreTrainingWeights,
  inputs: labelledInputs.extend({ nextSentenceLabel: tensorInput.optional() }),
  forward: bertForPreTraining,
});

export const BertForMaskedLM = defineArchitecture({
  ...bert,
  className: 'BertForMaskedLM',
  source: 'Devlin et al. 2019, section 3.1, task 1',
  weights: bertForMaskedLMWeights,
  inputs: labelledInputs,
  forward: bertForMaskedLM,
});

export const BertForNextSentencePrediction = defineArchitecture({
  ...bert,
  className: 'BertForNextSentencePrediction',
  source: 'Devlin et al. 2019, section 3.1, task 2',
  weights: bertForNextSentencePredictionWeights,
  inputs: labelledInputs,
  forward: bertForNextSentencePrediction,
});

export const BertForSequenceClassification = defineArchitecture({
  ...bert,
  className: 'BertForSequenceClassification',
  source: 'Devlin et al. 2019, section 4.1',
  weights: bertForSequenceClassificationWeights,
  inputs: labelledInputs,
  forward: bertForSequenceClassification,
});

const roberta = { family: 'roberta', parseConfig: parseRobertaConfig };

export const RobertaModel = defineArchitecture({
  ...roberta,
  className: 'RobertaModel',
  source: 'Liu et al. 2019, section 3.1',
  weights: robertaWeights,
  inputs: encoderInputs,
  forward: robertaModel,
});

export const RobertaForMaskedLM = defineArchitecture({
  ...roberta,
  className: 'RobertaForMaskedLM',
  source: 'Liu et al. 2019, section 4',
  weights: robertaForMaskedLMWeights,
  inputs: labelledInputs,
  forward: robertaForMaskedLM,
});

export const RobertaForSequenceClassification = defineArchitecture({
  ...roberta,
  className: 'RobertaForSequenceClassification',
  source: 'Liu et al. 2019, section 5.1',
  weights: robertaForSequenceClassificationWeights,
  inputs: labelledInputs,
  forward: robertaForSequenceClassification,
});

const albert = { family: 'albert', parseConfig: parseAlbertConfig };

export const AlbertModel = defineArchitecture({
  ...albert,
  className: 'AlbertModel',
  source: 'Lan et al. 2020, section 3.1',
  weights: albertWeights,
  inputs: encoderInputs,
  forward: albertModel,
});

export const AlbertForPreTraining = defineArchitecture({
  ...albert,
  className: 'AlbertForPreTraining',
  source: 'Lan et al. 2020, section 3.1, inter-sentence coherence loss',
  weights: albertForPreTrainingWeights,
  inputs: labelledInputs.extend({ sentenceOrderLabel: tensorInput.optional() }),
  forward: albertForPreTraining,
});

export const AlbertForMaskedLM = defineArchitecture({
  ...albert,
  className: 'AlbertForMaskedLM',
  source: 'Lan et al. 2020, section 3.1',
  weights: albertForMaskedLMWeights,
  inputs: labelledInputs,
  forward: albertForMaskedLM,
});

export const AlbertForSequenceClassification = defineArchitecture({
  ...albert,
  className: 'AlbertForSequenceClassification',
  source: 'Lan et al. 2020, section 4.1',
  weights: albertForSequenceClassificationWeights,
  inputs: labelledInputs,
  forward: albertForSequenceClassification,
});

const electra = { family: 'electra', parseConfig: parseElectraConfig };

export const ElectraModel = defineArchitecture({
  ...electra,
  className: 'ElectraModel',
  source: 'Clark et al. 2020, section 2',
  weights: electraWeights,
  inputs: encoderInputs,
  forward: electraModel,
});

export const ElectraForPreTraining = defineArchitecture({
  ...electra,
  className: 'ElectraForPreTraining',
  source: 'Clark et al. 2020, section 2, discriminator',
  weights: electraForPreTrainingWeights,
  inputs: labelledInputs,
  forward: electraForPreTraining,
});

export const ElectraForMaskedLM = defineArchitecture({
  ...electra,
  className: 'ElectraForMaskedLM',
  source: 'Clark et al. 2020, section 2, generator',
  weights: electraForMaskedLMWeights,
  inputs: labelledInputs,
  forward: electraForMaskedLM,
});

export const ElectraForSequenceClassification = defineArchitecture({
  ...electra,
  className: 'ElectraForSequenceClassification',
  source: 'Clark et al. 2020, section 3.1',
  weights: electraForSequenceClassificationWeights,
  inputs: labelledInputs,
  forward: electraForSequenceClassification,
});

export const encoderArchitectures: readonly Architecture[] = [
  BertModel,
  BertForPreTraining,
  BertForMaskedLM,
  BertForNextSentencePrediction,
  BertForSequenceClassification,
  RobertaModel,
  RobertaForMaskedLM,
  RobertaForSequenceClassification,
  AlbertModel,
  AlbertForPreTraining,
  AlbertForMaskedLM,
  AlbertForSequenceClassification,
  ElectraModel,
  ElectraForPreTraining,
  ElectraForMaskedLM,
  ElectraForSequenceClassification,
];
