/** Where BERT's parameters are in a Hugging Face checkpoint. The pieces are shared with RoBERTa, ALBERT and ELECTRA. */
import {
  layerNormWeights,
  linearWeights,
  type ModelWeights,
  tableWeights,
  vectorWeights,
  type WeightMap,
} from '../checkpoints/weight-map.ts';
import type { LinearParams } from '../core/index.ts';
import type {
  BertEmbeddingsParams,
  BertLayerParams,
  BertParams,
  BertPoolerParams,
  MaskedLMHeadParams,
} from './bert.ts';
import type { BertConfig, EncoderConfig } from './bert-config.ts';
import type {
  BertForMaskedLMParams,
  BertForNextSentencePredictionParams,
  BertForPreTrainingParams,
  BertForSequenceClassificationParams,
  DenseClassifierParams,
} from './bert-heads.ts';

/** Buffers that old files carry: they count 0, 1, 2… or are zeros. */
export const ENCODER_BUFFERS = [/(^|\.)embeddings\.(position_ids|token_type_ids)$/];

/** A linear layer drawn as the config says. */
export function drawnLinear(
  prefix: string,
  out: number,
  width: number,
  config: EncoderConfig,
): WeightMap<LinearParams> {
  return linearWeights(prefix, out, width, { std: config.initializer_range });
}

/** `<prefix>.word_embeddings.weight` and so on. */
export function embeddingsWeights(prefix: string, config: EncoderConfig): WeightMap<BertEmbeddingsParams> {
  const {
    vocab_size,
    max_position_embeddings,
    type_vocab_size,
    embedding_size: width,
    initializer_range: std,
  } = config;
  const table = (
    name: string,
    rows: number,
    paddingId?: number | null,
  ): { weight: ReturnType<typeof tableWeights> } => ({
    weight: tableWeights(`${prefix}.${name}.weight`, rows, width, { std, paddingId: paddingId ?? undefined }),
  });
  return {
    wordEmbeddings: table('word_embeddings', vocab_size, config.pad_token_id),
    positionEmbeddings: table('position_embeddings', max_position_embeddings, config.position_padding_id),
    tokenTypeEmbeddings: table('token_type_embeddings', type_vocab_size),
    layerNorm: layerNormWeights(`${prefix}.LayerNorm`, width),
  };
}

/** One layer under BERT's names. */
export function layerWeights(prefix: string, config: EncoderConfig): WeightMap<BertLayerParams> {
  const { hidden_size: width, intermediate_size } = config;
  const square = (name: string): WeightMap<LinearParams> =>
    drawnLinear(`${prefix}.${name}`, width, width, config);
  return {
    attention: {
      query: square('attention.self.query'),
      key: square('attention.self.key'),
      value: square('attention.self.value'),
      output: square('attention.output.dense'),
    },
    attentionNorm: layerNormWeights(`${prefix}.attention.output.LayerNorm`, width),
    intermediate: drawnLinear(`${prefix}.intermediate.dense`, intermediate_size, width, config),
    output: drawnLinear(`${prefix}.output.dense`, width, intermediate_size, config),
    outputNorm: layerNormWeights(`${prefix}.output.LayerNorm`, width),
  };
}

/** The bare model under BERT's names, below `base`. */
export function encoderWeights(base: string, config: EncoderConfig): WeightMap<BertParams> {
  return {
    embeddings: embeddingsWeights(`${base}.embeddings`, config),
    layers: Array.from({ length: config.num_hidden_layers }, (_, i) =>
      layerWeights(`${base}.encoder.layer.${i}`, config),
    ),
  };
}

/** `<base>.pooler.dense`. */
export function poolerWeights(base: string, config: EncoderConfig): WeightMap<BertPoolerParams> {
  return { dense: drawnLinear(`${base}.pooler.dense`, config.hidden_size, config.hidden_size, config) };
}

/**
 * The masked-LM head. Unless the config unties it, the output matrix is the table of word embeddings; the bias is stored
 * beside the head, and in some files also as the output layer's.
 */
export function maskedLMHeadWeights(
  names: { dense: string; layerNorm: string; decoder: string; bias: string; table: string },
  config: EncoderConfig,
): WeightMap<MaskedLMHeadParams> {
  const {
    vocab_size,
    embedding_size,
    hidden_size,
    initializer_range: std,
    tie_word_embeddings: tied,
  } = config;
  const decoder = tableWeights(`${names.decoder}.weight`, vocab_size, embedding_size, { std });
  const outputBias = `${names.decoder}.bias`;
  const bias = tied
    ? { ...vectorWeights(names.bias, vocab_size), aliases: names.bias === outputBias ? [] : [outputBias] }
    : vectorWeights(outputBias, vocab_size);
  return {
    dense: drawnLinear(names.dense, embedding_size, hidden_size, config),
    layerNorm: layerNormWeights(names.layerNorm, embedding_size),
    bias,
    decoder: tied ? { ...decoder, tiedTo: names.table } : decoder,
  };
}

/** `classifier.dense` and `classifier.out_proj`. */
export function denseClassifierWeights(config: EncoderConfig): WeightMap<DenseClassifierParams> {
  return {
    dense: drawnLinear('classifier.dense', config.hidden_size, config.hidden_size, config),
    output: drawnLinear('classifier.out_proj', config.num_labels, config.hidden_size, config),
  };
}

function predictions(config: BertConfig): WeightMap<MaskedLMHeadParams> {
  return maskedLMHeadWeights(
    {
      dense: 'cls.predictions.transform.dense',
      layerNorm: 'cls.predictions.transform.LayerNorm',
      decoder: 'cls.predictions.decoder',
      bias: 'cls.predictions.bias',
      table: 'bert.embeddings.word_embeddings.weight',
    },
    config,
  );
}

/** What every class passes over, besides the heads it does not have. */
function modelWeights<P>(map: WeightMap<P>, ...otherHeads: RegExp[]): ModelWeights<P> {
  return { map, basePrefix: 'bert', ignored: [...ENCODER_BUFFERS, ...otherHeads] };
}

function body(config: BertConfig): WeightMap<BertParams> {
  return encoderWeights('bert', config);
}

function pooledBody(config: BertConfig): WeightMap<BertParams> {
  return { ...body(config), pooler: poolerWeights('bert', config) };
}

/** Published checkpoints carry the heads of pre-training, whatever class they name. */
const PREDICTIONS = /^cls\.predictions\./;
const RELATIONSHIP = /^cls\.seq_relationship\./;
const POOLER = /^(bert\.)?pooler\./;

export function bertWeights(config: BertConfig): ModelWeights<BertParams> {
  return modelWeights<BertParams>(pooledBody(config), PREDICTIONS, RELATIONSHIP);
}

export function bertForMaskedLMWeights(config: BertConfig): ModelWeights<BertForMaskedLMParams> {
  const map = { ...body(config), predictions: predictions(config) };
  const unusedBias = config.tie_word_embeddings ? [] : [/^cls\.predictions\.bias$/];
  return modelWeights<BertForMaskedLMParams>(map, POOLER, RELATIONSHIP, ...unusedBias);
}

function seqRelationship(config: BertConfig): WeightMap<LinearParams> {
  return drawnLinear('cls.seq_relationship', 2, config.hidden_size, config);
}

export function bertForPreTrainingWeights(config: BertConfig): ModelWeights<BertForPreTrainingParams> {
  const map = {
    ...pooledBody(config),
    predictions: predictions(config),
    seqRelationship: seqRelationship(config),
  };
  const unusedBias = config.tie_word_embeddings ? [] : [/^cls\.predictions\.bias$/];
  return modelWeights<BertForPreTrainingParams>(map, ...unusedBias);
}

export function bertForNextSentencePredictionWeights(
  config: BertConfig,
): ModelWeights<BertForNextSentencePredictionParams> {
  const map = { ...pooledBody(config), seqRelationship: seqRelationship(config) };
  return modelWeights<BertForNextSentencePredictionParams>(map, PREDICTIONS);
}

export function bertForSequenceClassificationWeights(
  config: BertConfig,
): ModelWeights<BertForSequenceClassificationParams> {
  const classifier = drawnLinear('classifier', config.num_labels, config.hidden_size, config);
  return modelWeights<BertForSequenceClassificationParams>(
    { ...pooledBody(config), classifier },
    PREDICTIONS,
    RELATIONSHIP,
  );
}
