/**
 * RoBERTa (Liu et al., 2019, "RoBERTa: A robustly optimized BERT pretraining approach"): BERT's encoder, trained
 * otherwise. What differs in the model: positions count the tokens that are not padding, no head needs a pooler because
 * there is no next-sentence task, and a classifier reads the first token through a layer of its own.
 */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import type { ModelWeights, WeightMap } from '../checkpoints/weight-map.ts';
import { tanh } from '../core/index.ts';
import { InputError } from '../errors.ts';
import { type BertInputs, type BertParams, bertModel, type EncoderOptions } from './bert.ts';
import { type EncoderConfig, encoderConfig, encoderFields } from './bert-config.ts';
import {
  type BertForMaskedLMParams,
  bertForMaskedLM,
  type DenseClassificationParams,
  denseClassification,
  type HeadOutput,
  type LabelledInputs,
  withGeluHead,
} from './bert-heads.ts';
import {
  denseClassifierWeights,
  ENCODER_BUFFERS,
  encoderWeights,
  maskedLMHeadWeights,
  poolerWeights,
} from './bert-weights.ts';

const schema = z.object({ ...encoderFields, pad_token_id: z.int().nonnegative().default(1) });

export interface RobertaConfig extends EncoderConfig {
  pad_token_id: number;
}

/** Reads RoBERTa's config.json. @throws InputError naming the field that is missing or wrong. */
export function parseRobertaConfig(json: unknown): RobertaConfig {
  const { pad_token_id, ...fields } = parseWith(schema, json, 'config.json');
  return { ...encoderConfig({ ...fields, pad_token_id }), pad_token_id, position_padding_id: pad_token_id };
}

/**
 * The position of every token: how many tokens that are not padding stand up to it, plus the padding id; all padding
 * stands at the padding id. So the first token is at position padding id + 1, wherever the padding is.
 *
 * @param inputIds int32 [B, T]
 * @returns int32 [B, T]
 */
export function robertaPositionIds(inputIds: tf.Tensor, padTokenId: number): tf.Tensor {
  return tf.tidy(() => {
    const isToken = tf.cast(tf.notEqual(inputIds, tf.scalar(padTokenId, 'int32')), 'int32');
    const count = tf.mul(tf.cumsum(isToken, 1), isToken);
    return tf.cast(tf.add(count, tf.scalar(padTokenId, 'int32')), 'int32');
  });
}

/** The inputs with the positions that RoBERTa gives them, unless they have their own. */
function placed<I extends BertInputs>(inputs: I, config: RobertaConfig): I {
  if (inputs.positionIds !== undefined) return inputs;
  const { pad_token_id, max_position_embeddings } = config;
  const [, length = 0] = inputs.inputIds.shape;
  const room = max_position_embeddings - pad_token_id - 1; // the positions up to the padding id are not for tokens
  if (length > room) throw new InputError(`inputIds: ${length} tokens, the model has room for ${room}`);
  return { ...inputs, positionIds: robertaPositionIds(inputs.inputIds, pad_token_id) };
}

/** RobertaModel: hidden states [B, T, D] and, if there is a pooler, the pooled first token [B, D]. */
export function robertaModel(
  params: BertParams,
  inputs: BertInputs,
  config: RobertaConfig,
  options: EncoderOptions = {},
): { lastHiddenState: tf.Tensor; poolerOutput?: tf.Tensor } {
  return tf.tidy(() => bertModel(params, placed(inputs, config), config, options));
}

/** RobertaForMaskedLM: `logits` [B, T, V]. */
export function robertaForMaskedLM(
  params: BertForMaskedLMParams,
  inputs: LabelledInputs,
  config: RobertaConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => bertForMaskedLM(params, placed(inputs, config), config, withGeluHead(options)));
}

export type RobertaForSequenceClassificationParams = DenseClassificationParams;

/** RobertaForSequenceClassification: `logits` [B, num_labels]; the loss follows the config's `problem_type`. */
export function robertaForSequenceClassification(
  params: RobertaForSequenceClassificationParams,
  inputs: LabelledInputs,
  config: RobertaConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => denseClassification(params, placed(inputs, config), tanh, config, options));
}

const LM_HEAD = /^lm_head\./;
const CLASSIFIER = /^classifier\./;
const POOLER = /^(roberta\.)?pooler\./;

function modelWeights<P>(map: WeightMap<P>, ...passedOver: RegExp[]): ModelWeights<P> {
  return { map, basePrefix: 'roberta', ignored: [...ENCODER_BUFFERS, ...passedOver] };
}

export function robertaWeights(config: RobertaConfig): ModelWeights<BertParams> {
  const map = { ...encoderWeights('roberta', config), pooler: poolerWeights('roberta', config) };
  return modelWeights<BertParams>(map, LM_HEAD, CLASSIFIER);
}

export function robertaForMaskedLMWeights(config: RobertaConfig): ModelWeights<BertForMaskedLMParams> {
  const predictions = maskedLMHeadWeights(
    {
      dense: 'lm_head.dense',
      layerNorm: 'lm_head.layer_norm',
      decoder: 'lm_head.decoder',
      bias: 'lm_head.bias',
      table: 'roberta.embeddings.word_embeddings.weight',
    },
    config,
  );
  const unusedBias = config.tie_word_embeddings ? [] : [/^lm_head\.bias$/];
  return modelWeights<BertForMaskedLMParams>(
    { ...encoderWeights('roberta', config), predictions },
    POOLER,
    ...unusedBias,
  );
}

export function robertaForSequenceClassificationWeights(
  config: RobertaConfig,
): ModelWeights<RobertaForSequenceClassificationParams> {
  const classifier = denseClassifierWeights(config);
  const map = { ...encoderWeights('roberta', config), classifier };
  return modelWeights<RobertaForSequenceClassificationParams>(map, POOLER, LM_HEAD);
}
