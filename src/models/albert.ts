/**
 * ALBERT (Lan et al., 2020, "ALBERT: A lite BERT for self-supervised learning of language representations"): BERT with
 * few parameters. The embeddings are E wide and projected to D (section 3.1, factorised embedding parameterisation), the
 * layers of a group are one and the same (cross-layer sharing), and the second task is to tell the order of two sentences.
 */
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { layerNormWeights, type ModelWeights, type WeightMap } from '../checkpoints/weight-map.ts';
import { crossEntropy, dropout, type LinearParams, linear } from '../core/index.ts';
import {
  type BertEmbeddingsParams,
  type BertInputs,
  type BertLayerParams,
  type BertParams,
  type BertPoolerParams,
  bertModel,
  componentsOf,
  type EncoderOptions,
  type MaskedLMHeadParams,
  pooled,
} from './bert.ts';
import { type EncoderConfig, encoderConfig, encoderFields } from './bert-config.ts';
import {
  bertForMaskedLM,
  bertForSequenceClassification,
  type HeadOutput,
  type LabelledInputs,
} from './bert-heads.ts';
import { drawnLinear, ENCODER_BUFFERS, embeddingsWeights, maskedLMHeadWeights } from './bert-weights.ts';
import { activationName, rate, size } from './config.ts';

const schema = z.object({
  ...encoderFields,
  embedding_size: size.default(128),
  // Bounds for what a hostile file can make us build.
  num_hidden_groups: size.max(100).default(1),
  inner_group_num: size.max(100).default(1),
  hidden_act: activationName.default('gelu_new'),
  hidden_dropout_prob: rate.default(0),
  attention_probs_dropout_prob: rate.default(0),
  classifier_dropout_prob: rate.default(0.1),
  pad_token_id: z.int().nullish().default(0),
});

export interface AlbertConfig extends EncoderConfig {
  num_hidden_groups: number;
  inner_group_num: number;
}

/** Reads ALBERT's config.json. @throws InputError naming the field that is missing or wrong. */
export function parseAlbertConfig(json: unknown): AlbertConfig {
  const fields = parseWith(schema, json, 'config.json');
  const { num_hidden_groups, inner_group_num, classifier_dropout_prob } = fields;
  return {
    ...encoderConfig(fields),
    num_hidden_groups,
    inner_group_num,
    classifier_dropout: classifier_dropout_prob,
  };
}

export interface AlbertParams {
  /** E wide */
  embeddings: BertEmbeddingsParams;
  /** E → D */
  projection: LinearParams;
  /** the inner layers of each group, used by every layer that belongs to the group */
  groups: BertLayerParams[][];
  pooler?: BertPoolerParams | undefined;
}

/**
 * BERT's parameters that ALBERT's stand for: layer i runs the inner layers of group ⌊i·G/L⌋, by reference, so that the
 * gradients of all its uses add up in one place.
 */
export function albertLayers<P extends AlbertParams>(params: P, config: AlbertConfig): P & BertParams {
  const perGroup = config.num_hidden_layers / config.num_hidden_groups;
  const layers = Array.from(
    { length: config.num_hidden_layers },
    (_, i) => params.groups[Math.floor(i / perGroup)] ?? [],
  );
  return { ...params, layers: layers.flat() };
}

/** AlbertModel: hidden states [B, T, D] and, if there is a pooler, the pooled first token [B, D]. */
export function albertModel(
  params: AlbertParams,
  inputs: BertInputs,
  config: AlbertConfig,
  options: EncoderOptions = {},
): { lastHiddenState: tf.Tensor; poolerOutput?: tf.Tensor } {
  return bertModel(albertLayers(params, config), inputs, config, options);
}

export interface AlbertForMaskedLMParams extends AlbertParams {
  /** dense goes D → E, and E is compared with the table */
  predictions: MaskedLMHeadParams;
}

/** AlbertForMaskedLM: `logits` [B, T, V]. */
export function albertForMaskedLM(
  params: AlbertForMaskedLMParams,
  inputs: LabelledInputs,
  config: AlbertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return bertForMaskedLM(albertLayers(params, config), inputs, config, options);
}

export interface AlbertForPreTrainingParams extends AlbertForMaskedLMParams {
  /** D → num_labels: 0 = in order, 1 = swapped */
  sentenceOrder: LinearParams;
}

/** AlbertForPreTraining: masked words and sentence order. The loss is their sum, where both labels are given. */
export function albertForPreTraining(
  params: AlbertForPreTrainingParams,
  { labels, sentenceOrderLabel, ...inputs }: LabelledInputs & { sentenceOrderLabel?: tf.Tensor | undefined },
  config: AlbertConfig,
  options: EncoderOptions = {},
): { predictionLogits: tf.Tensor; sopLogits: tf.Tensor; loss?: tf.Scalar } {
  return tf.tidy(() => {
    const output = albertModel(params, inputs, config, options);
    const table = params.embeddings.wordEmbeddings.weight;
    const head = componentsOf(options).maskedLMHead;
    const predictionLogits = head(params.predictions, output.lastHiddenState, table, config, options);
    const features = dropout(pooled(output), config.classifier_dropout ?? 0, options.rng);
    const sopLogits = linear(params.sentenceOrder, features);
    if (labels === undefined || sentenceOrderLabel === undefined) return { predictionLogits, sopLogits };
    const orderLoss = crossEntropy(sopLogits, tf.reshape(sentenceOrderLabel, [-1]));
    const loss: tf.Scalar = tf.add(crossEntropy(predictionLogits, labels), orderLoss);
    return { predictionLogits, sopLogits, loss };
  });
}

export interface AlbertForSequenceClassificationParams extends AlbertParams {
  /** D → num_labels */
  classifier: LinearParams;
}

/** AlbertForSequenceClassification: `logits` [B, num_labels]; the loss follows the config's `problem_type`. */
export function albertForSequenceClassification(
  params: AlbertForSequenceClassificationParams,
  inputs: LabelledInputs,
  config: AlbertConfig,
  options: EncoderOptions = {},
): HeadOutput {
  return bertForSequenceClassification(albertLayers(params, config), inputs, config, options);
}

const HEADS = { predictions: /^predictions\./, order: /^sop_classifier\./, pooler: /^(albert\.)?pooler\./ };

function modelWeights<P>(map: WeightMap<P>, ...otherHeads: RegExp[]): ModelWeights<P> {
  return { map, basePrefix: 'albert', ignored: [...ENCODER_BUFFERS, ...otherHeads] };
}

/** BERT's layer under ALBERT's names. */
function layerWeights(prefix: string, config: AlbertConfig): WeightMap<BertLayerParams> {
  const { hidden_size: width, intermediate_size } = config;
  const square = (name: string): WeightMap<LinearParams> =>
    drawnLinear(`${prefix}.${name}`, width, width, config);
  return {
    attention: {
      query: square('attention.query'),
      key: square('attention.key'),
      value: square('attention.value'),
      output: square('attention.dense'),
    },
    attentionNorm: layerNormWeights(`${prefix}.attention.LayerNorm`, width),
    intermediate: drawnLinear(`${prefix}.ffn`, intermediate_size, width, config),
    output: drawnLinear(`${prefix}.ffn_output`, width, intermediate_size, config),
    outputNorm: layerNormWeights(`${prefix}.full_layer_layer_norm`, width),
  };
}

function body(config: AlbertConfig): WeightMap<AlbertParams> {
  const { num_hidden_groups, inner_group_num, hidden_size, embedding_size } = config;
  const group = (g: number): WeightMap<BertLayerParams>[] =>
    Array.from({ length: inner_group_num }, (_, i) =>
      layerWeights(`albert.encoder.albert_layer_groups.${g}.albert_layers.${i}`, config),
    );
  return {
    embeddings: embeddingsWeights('albert.embeddings', config),
    projection: drawnLinear(
      'albert.encoder.embedding_hidden_mapping_in',
      hidden_size,
      embedding_size,
      config,
    ),
    groups: Array.from({ length: num_hidden_groups }, (_, g) => group(g)),
  };
}

function pooledBody(config: AlbertConfig): WeightMap<AlbertParams> {
  const { hidden_size: width } = config;
  return { ...body(config), pooler: { dense: drawnLinear('albert.pooler', width, width, config) } };
}

function predictions(config: AlbertConfig): WeightMap<MaskedLMHeadParams> {
  return maskedLMHeadWeights(
    {
      dense: 'predictions.dense',
      layerNorm: 'predictions.LayerNorm',
      decoder: 'predictions.decoder',
      bias: 'predictions.bias',
      table: 'albert.embeddings.word_embeddings.weight',
    },
    config,
  );
}

function unusedBias(config: AlbertConfig): RegExp[] {
  return config.tie_word_embeddings ? [] : [/^predictions\.bias$/];
}

export function albertWeights(config: AlbertConfig): ModelWeights<AlbertParams> {
  return modelWeights<AlbertParams>(pooledBody(config), HEADS.predictions, HEADS.order);
}

export function albertForMaskedLMWeights(config: AlbertConfig): ModelWeights<AlbertForMaskedLMParams> {
  const map = { ...body(config), predictions: predictions(config) };
  return modelWeights<AlbertForMaskedLMParams>(map, HEADS.pooler, HEADS.order, ...unusedBias(config));
}

export function albertForPreTrainingWeights(config: AlbertConfig): ModelWeights<AlbertForPreTrainingParams> {
  const sentenceOrder = drawnLinear(
    'sop_classifier.classifier',
    config.num_labels,
    config.hidden_size,
    config,
  );
  const map = { ...pooledBody(config), predictions: predictions(config), sentenceOrder };
  return modelWeights<AlbertForPreTrainingParams>(map, ...unusedBias(config));
}

export function albertForSequenceClassificationWeights(
  config: AlbertConfig,
): ModelWeights<AlbertForSequenceClassificationParams> {
  const classifier = drawnLinear('classifier', config.num_labels, config.hidden_size, config);
  const map = { ...pooledBody(config), classifier };
  return modelWeights<AlbertForSequenceClassificationParams>(map, HEADS.predictions, HEADS.order);
}
