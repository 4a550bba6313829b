/** BERT's heads: each model on top of `bertModel`, with its loss where labels are given. */
import * as tf from '@tensorflow/tfjs-core';
import { type Activation, crossEntropy, dropout, type LinearParams, linear } from '../core/index.ts';
import {
  type BertInputs,
  type BertParams,
  bertModel,
  componentsOf,
  type EncoderOptions,
  firstToken,
  type MaskedLMHeadParams,
  maskedLMHead,
  pooled,
} from './bert.ts';
import type { BertConfig } from './bert-config.ts';
import { sequenceClassificationLoss } from './classification.ts';

export interface BertForMaskedLMParams extends BertParams {
  predictions: MaskedLMHeadParams;
}

export interface BertForPreTrainingParams extends BertForMaskedLMParams {
  /** D → 2 */
  seqRelationship: LinearParams;
}

export interface BertForNextSentencePredictionParams extends BertParams {
  /** D → 2 */
  seqRelationship: LinearParams;
}

export interface BertForSequenceClassificationParams extends BertParams {
  /** D → num_labels */
  classifier: LinearParams;
}

/** Inputs of a head that can compute its loss. */
export interface LabelledInputs extends BertInputs {
  /** int32 [B, T] with −100 where there is nothing to predict, or the classes [B] of a head that classifies */
  labels?: tf.Tensor | undefined;
}

/** A head's logits, and its loss where labels were given. */
export type HeadOutput = {
  logits: tf.Tensor;
  loss?: tf.Scalar;
};

/** BertForMaskedLM: `logits` [B, T, V] (section 3.1, task 1). */
export function bertForMaskedLM(
  params: BertForMaskedLMParams,
  { labels, ...inputs }: LabelledInputs,
  config: BertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = bertModel(params, inputs, config, options);
    const head = componentsOf(options).maskedLMHead;
    const table = params.embeddings.wordEmbeddings.weight;
    const logits = head(params.predictions, lastHiddenState, table, config, options);
    return labels === undefined ? { logits } : { logits, loss: crossEntropy(logits, labels) };
  });
}

/** BertForNextSentencePrediction: `logits` [B, 2], 0 = the second segment follows the first (section 3.1, task 2). */
export function bertForNextSentencePrediction(
  params: BertForNextSentencePredictionParams,
  { labels, ...inputs }: LabelledInputs,
  config: BertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => {
    const logits = linear(params.seqRelationship, pooled(bertModel(params, inputs, config, options)));
    return labels === undefined
      ? { logits }
      : { logits, loss: crossEntropy(logits, tf.reshape(labels, [-1])) };
  });
}

/** BertForPreTraining: both tasks at once. The loss is the sum of the two, where both kinds of labels are given. */
export function bertForPreTraining(
  params: BertForPreTrainingParams,
  { labels, nextSentenceLabel, ...inputs }: LabelledInputs & { nextSentenceLabel?: tf.Tensor | undefined },
  config: BertConfig,
  options: EncoderOptions = {},
): { predictionLogits: tf.Tensor; seqRelationshipLogits: tf.Tensor; loss?: tf.Scalar } {
  return tf.tidy(() => {
    const output = bertModel(params, inputs, config, options);
    const head = componentsOf(options).maskedLMHead;
    const table = params.embeddings.wordEmbeddings.weight;
    const predictionLogits = head(params.predictions, output.lastHiddenState, table, config, options);
    const seqRelationshipLogits = linear(params.seqRelationship, pooled(output)); // [B, 2]
    if (labels === undefined || nextSentenceLabel === undefined)
      return { predictionLogits, seqRelationshipLogits };
    const nextSentenceLoss = crossEntropy(seqRelationshipLogits, tf.reshape(nextSentenceLabel, [-1]));
    const loss: tf.Scalar = tf.add(crossEntropy(predictionLogits, labels), nextSentenceLoss);
    return { predictionLogits, seqRelationshipLogits, loss };
  });
}

/** BertForSequenceClassification: `logits` [B, num_labels]; the loss follows the config's `problem_type`. */
export function bertForSequenceClassification(
  params: BertForSequenceClassificationParams,
  { labels, ...inputs }: LabelledInputs,
  config: BertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => {
    const rate = config.classifier_dropout ?? config.hidden_dropout_prob;
    const features = dropout(pooled(bertModel(params, inputs, config, options)), rate, options.rng);
    return withClassLoss(linear(params.classifier, features), labels, config);
  });
}

export interface DenseClassifierParams {
  /** D → D */
  dense: LinearParams;
  /** D → num_labels */
  output: LinearParams;
}

export interface DenseClassificationParams extends BertParams {
  classifier: DenseClassifierParams;
}

/**
 * RoBERTa's and ELECTRA's classification, `logits` [B, num_labels]: the first token through a layer of its own, in the
 * place of BERT's pooler. The loss follows the config's `problem_type`.
 *
 * @param between stands between the two layers
 */
export function denseClassification(
  params: DenseClassificationParams,
  { labels, ...inputs }: LabelledInputs,
  between: Activation,
  config: BertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  const rate = config.classifier_dropout ?? config.hidden_dropout_prob;
  const { rng } = options;
  return tf.tidy(() => {
    const first = firstToken(bertModel(params, inputs, config, options).lastHiddenState); // [B, D]
    const inner = between(linear(params.classifier.dense, dropout(first, rate, rng)));
    return withClassLoss(linear(params.classifier.output, dropout(inner, rate, rng)), labels, config);
  });
}

/** A classifier's logits, with their loss where there are labels. */
function withClassLoss(logits: tf.Tensor, labels: tf.Tensor | undefined, config: BertConfig): HeadOutput {
  return labels === undefined
    ? { logits }
    : { logits, loss: sequenceClassificationLoss(logits, labels, config) };
}

/** Options under which the masked-LM head uses GELU whatever `hidden_act` says, as RoBERTa's and ELECTRA's do. */
export function withGeluHead(options: EncoderOptions): EncoderOptions {
  const head: typeof maskedLMHead = (params, hidden, table, config, own) =>
    maskedLMHead(params, hidden, table, { ...config, hidden_act: 'gelu' }, own);
  return { ...options, components: { maskedLMHead: head, ...options.components } };
}
