/**
 * ELECTRA (Clark et al., 2020, "ELECTRA: Pre-training text encoders as discriminators rather than generators"): two
 * encoders like BERT's. The generator is a small masked LM (section 2); the discriminator tells for every token whether the
 * generator put it there. Embeddings may be narrower than the model, E ≠ D, and are projected then; there is no pooler.
 */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import {
  layerNormWeights,
  type ModelWeights,
  tableWeights,
  vectorWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import { binaryCrossEntropy, gelu, type LinearParams, linear } from '../core/index.ts';
import { type BertInputs, type BertParams, bertModel, componentsOf, type EncoderOptions } from './bert.ts';
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
import { denseClassifierWeights, drawnLinear, ENCODER_BUFFERS, encoderWeights } from './bert-weights.ts';
import { size } from './config.ts';

const schema = z.object({
  ...encoderFields,
  embedding_size: size.default(128),
  pad_token_id: z.int().nullish().default(0),
});

export type ElectraConfig = EncoderConfig;

/** Reads ELECTRA's config.json. @throws InputError naming the field that is missing or wrong. */
export function parseElectraConfig(json: unknown): ElectraConfig {
  return encoderConfig(parseWith(schema, json, 'config.json'));
}

/** ElectraModel: hidden states [B, T, D]. */
export function electraModel(
  params: BertParams,
  inputs: BertInputs,
  config: ElectraConfig,
  options: EncoderOptions = {},
): { lastHiddenState: tf.Tensor } {
  return bertModel(params, inputs, config, options);
}

/** ElectraForMaskedLM, the generator: `logits` [B, T, V]. */
export function electraForMaskedLM(
  params: BertForMaskedLMParams,
  inputs: LabelledInputs,
  config: ElectraConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return bertForMaskedLM(params, inputs, config, withGeluHead(options));
}

export interface ElectraForPreTrainingParams extends BertParams {
  discriminator: {
    /** D → D */
    dense: LinearParams;
    /** D → 1 */
    prediction: LinearParams;
  };
}

/**
 * ElectraForPreTraining, the discriminator: `logits` [B, T], above 0 where it takes the token for a replaced one. The loss
 * is over every token that is not padding, not only over those that were masked (section 3.4).
 *
 * @param inputs `labels` are int32 [B, T], 1 = replaced
 */
export function electraForPreTraining(
  params: ElectraForPreTrainingParams,
  { labels, ...inputs }: LabelledInputs,
  config: ElectraConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = bertModel(params, inputs, config, options);
    const act = componentsOf(options).activation(config.hidden_act);
    const inner = act(linear(params.discriminator.dense, lastHiddenState));
    const logits = tf.squeeze(linear(params.discriminator.prediction, inner), [-1]); // [B, T]
    if (labels === undefined) return { logits };
    return { logits, loss: binaryCrossEntropy(logits, labels, inputs.attentionMask) };
  });
}

export type ElectraForSequenceClassificationParams = DenseClassificationParams;

/** ElectraForSequenceClassification: `logits` [B, num_labels]; the loss follows the config's `problem_type`. */
export function electraForSequenceClassification(
  params: ElectraForSequenceClassificationParams,
  inputs: LabelledInputs,
  config: ElectraConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return tf.tidy(() => denseClassification(params, inputs, gelu, config, options));
}

const GENERATOR = /^generator_(predictions|lm_head)\./;
const DISCRIMINATOR = /^discriminator_predictions\./;

function modelWeights<P>(map: WeightMap<P>, ...otherHeads: RegExp[]): ModelWeights<P> {
  return { map, basePrefix: 'electra', ignored: [...ENCODER_BUFFERS, ...otherHeads] };
}

function body(config: ElectraConfig): WeightMap<BertParams> {
  const { embedding_size, hidden_size } = config;
  const encoder = encoderWeights('electra', config);
  if (embedding_size === hidden_size) return encoder;
  return {
    ...encoder,
    projection: drawnLinear('electra.embeddings_project', hidden_size, embedding_size, config),
  };
}

export function electraWeights(config: ElectraConfig): ModelWeights<BertParams> {
  return modelWeights<BertParams>(body(config), GENERATOR, DISCRIMINATOR);
}

export function electraForMaskedLMWeights(config: ElectraConfig): ModelWeights<BertForMaskedLMParams> {
  const {
    vocab_size,
    embedding_size,
    hidden_size,
    initializer_range: std,
    tie_word_embeddings: tied,
  } = config;
  const decoder = tableWeights('generator_lm_head.weight', vocab_size, embedding_size, { std });
  const predictions = {
    dense: drawnLinear('generator_predictions.dense', embedding_size, hidden_size, config),
    layerNorm: layerNormWeights('generator_predictions.LayerNorm', embedding_size),
    bias: vectorWeights('generator_lm_head.bias', vocab_size),
    decoder: tied ? { ...decoder, tiedTo: 'electra.embeddings.word_embeddings.weight' } : decoder,
  };
  return modelWeights<BertForMaskedLMParams>({ ...body(config), predictions }, DISCRIMINATOR);
}

export function electraForPreTrainingWeights(
  config: ElectraConfig,
): ModelWeights<ElectraForPreTrainingParams> {
  const { hidden_size: width } = config;
  const discriminator = {
    dense: drawnLinear('discriminator_predictions.dense', width, width, config),
    prediction: drawnLinear('discriminator_predictions.dense_prediction', 1, width, config),
  };
  return modelWeights<ElectraForPreTrainingParams>({ ...body(config), discriminator }, GENERATOR);
}

export function electraForSequenceClassificationWeights(
  config: ElectraConfig,
): ModelWeights<ElectraForSequenceClassificationParams> {
  const map = { ...body(config), classifier: denseClassifierWeights(config) };
  return modelWeights<ElectraForSequenceClassificationParams>(map, GENERATOR, DISCRIMINATOR);
}
