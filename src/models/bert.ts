/**
 * BERT (Devlin et al., 2019, "BERT: Pre-training of deep bidirectional transformers for language understanding").
 *
 * Reading order: embeddings, one layer, the stack, the model, the masked-LM head; what is trained on top is in
 * bert-heads.ts. RoBERTa, ALBERT and ELECTRA call the same functions with other arguments. Axes: B batch, T tokens, D model width, E embedding width, H heads, V vocabulary.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type AttentionParams,
  activation,
  dropout,
  embed,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
  multiHeadAttention,
  paddingBias,
  type Rng,
  type ScaledDotProductAttention,
  scaledDotProductAttention,
} from '../core/index.ts';
import { InputError } from '../errors.ts';
import type { EncoderConfig } from './bert-config.ts';

export interface BertInputs {
  /** int32 [B, T] */
  inputIds: tf.Tensor;
  /** [B, T], 1 = token, 0 = padding; all tokens unless given */
  attentionMask?: tf.Tensor | undefined;
  /** int32 [B, T], the segment of each token; 0 unless given */
  tokenTypeIds?: tf.Tensor | undefined;
  /** int32 [B, T] or [1, T]; 0, 1, 2… unless given */
  positionIds?: tf.Tensor | undefined;
}

export interface EncoderOptions {
  /** draws the dropout of training; without it the model is evaluated */
  rng?: Rng | undefined;
  /** functions to run in place of the library's own */
  components?: Partial<BertComponents> | undefined;
}

export interface BertEmbeddingsParams {
  /** [V, E] */
  wordEmbeddings: { weight: tf.Tensor };
  /** [max_position_embeddings, E] */
  positionEmbeddings: { weight: tf.Tensor };
  /** [type_vocab_size, E] */
  tokenTypeEmbeddings: { weight: tf.Tensor };
  layerNorm: LayerNormParams;
}

export interface FeedForwardParams {
  /** D → intermediate_size */
  intermediate: LinearParams;
  /** intermediate_size → D */
  output: LinearParams;
}

export interface BertLayerParams extends FeedForwardParams {
  attention: AttentionParams;
  attentionNorm: LayerNormParams;
  outputNorm: LayerNormParams;
}

export interface BertPoolerParams {
  dense: LinearParams;
}

export interface BertParams {
  embeddings: BertEmbeddingsParams;
  /** E → D, where embeddings are factorised (ALBERT, and ELECTRA if E ≠ D) */
  projection?: LinearParams | undefined;
  layers: BertLayerParams[];
  /** heads that only look at tokens leave it out */
  pooler?: BertPoolerParams | undefined;
}

/** Every function that `options.components` can replace, with the types a replacement must have. */
export interface BertComponents {
  embeddings: typeof bertEmbeddings;
  encoder: typeof bertEncoder;
  layer: typeof bertLayer;
  attention: typeof multiHeadAttention;
  scaledDotProductAttention: ScaledDotProductAttention;
  feedForward: typeof bertFeedForward;
  activation: typeof activation;
  layerNorm: (params: LayerNormParams, x: tf.Tensor, eps: number) => tf.Tensor;
  pooler: typeof bertPooler;
  maskedLMHead: typeof maskedLMHead;
}

export const bertComponents: BertComponents = {
  embeddings: bertEmbeddings,
  encoder: bertEncoder,
  layer: bertLayer,
  attention: multiHeadAttention,
  scaledDotProductAttention,
  feedForward: bertFeedForward,
  activation,
  layerNorm,
  pooler: bertPooler,
  maskedLMHead,
};

/** The functions to run: the caller's where given, else the library's. */
export function componentsOf(options: EncoderOptions): BertComponents {
  return { ...bertComponents, ...options.components };
}

/**
 * The sum of word, segment and position, normalised (section 3, figure 2).
 *
 * @returns [B, T, E]
 */
export function bertEmbeddings(
  params: BertEmbeddingsParams,
  inputs: BertInputs,
  config: EncoderConfig,
  options: EncoderOptions = {},
): tf.Tensor {
  const { inputIds } = inputs;
  const [, length = 0] = inputIds.shape;
  return tf.tidy(() => {
    const positionIds = inputs.positionIds ?? tf.range(0, length, 1, 'int32'); // [T]
    const tokenTypeIds = inputs.tokenTypeIds ?? tf.zerosLike(inputIds);
    const words = embed(params.wordEmbeddings.weight, inputIds, {
      paddingId: config.pad_token_id ?? undefined,
    }); // [B, T, E]
    const segments = embed(params.tokenTypeEmbeddings.weight, tokenTypeIds); // [B, T, E]
    const positions = embed(params.positionEmbeddings.weight, positionIds, {
      paddingId: config.position_padding_id,
    }); // [T, E]
    const sum = tf.add(tf.add(words, segments), positions);
    const normed = componentsOf(options).layerNorm(params.layerNorm, sum, config.layer_norm_eps);
    return dropout(normed, config.hidden_dropout_prob, options.rng);
  });
}

/** Two linear layers with an activation between them, [B, T, D] → [B, T, D]. */
export function bertFeedForward(
  params: FeedForwardParams,
  x: tf.Tensor,
  config: EncoderConfig,
  options: EncoderOptions = {},
): tf.Tensor {
  const act = componentsOf(options).activation(config.hidden_act);
  return tf.tidy(() => linear(params.output, act(linear(params.intermediate, x))));
}

/**
 * One layer, with the norm after each residual sum ("post-LN"), not before:
 *
 *     x ─┬─▶ attention ─▶ dropout ─▶(+)─▶ norm ─┬─▶ feed-forward ─▶ dropout ─▶(+)─▶ norm ─▶
 *        └───────────────────────────▲          └──────────────────────────────▲
 *
 * @param x [B, T, D]
 * @param bias additive, [B, 1, 1, T], 0 for tokens and MASKED for padding; nothing is masked without it
 * @returns [B, T, D]
 */
export function bertLayer(
  params: BertLayerParams,
  x: tf.Tensor,
  bias: tf.Tensor | undefined,
  config: EncoderConfig,
  options: EncoderOptions = {},
): tf.Tensor {
  const { attention, scaledDotProductAttention, feedForward, layerNorm } = componentsOf(options);
  const { hidden_dropout_prob: rate, layer_norm_eps: eps } = config;
  const { rng } = options;
  return tf.tidy(() => {
    const attended = attention(params.attention, x, {
      numHeads: config.num_attention_heads,
      bias,
      dropout: { rate: config.attention_probs_dropout_prob, rng },
      attention: scaledDotProductAttention,
    });
    const middle = layerNorm(params.attentionNorm, tf.add(x, dropout(attended, rate, rng)), eps);
    const fed = feedForward(params, middle, config, options);
    return layerNorm(params.outputNorm, tf.add(middle, dropout(fed, rate, rng)), eps);
  });
}

/** The layers one after the other, [B, T, D] → [B, T, D]. A layer may come more than once (ALBERT). */
export function bertEncoder(
  layers: readonly BertLayerParams[],
  x: tf.Tensor,
  bias: tf.Tensor | undefined,
  config: EncoderConfig,
  options: EncoderOptions = {},
): tf.Tensor {
  const { layer } = componentsOf(options);
  return tf.tidy(() => layers.reduce((hidden, params) => layer(params, hidden, bias, config, options), x));
}

/** The first token of the last layer through a linear layer and tanh, [B, T, D] → [B, D]. */
export function bertPooler(params: BertPoolerParams, hidden: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.tanh(linear(params.dense, firstToken(hidden))));
}

/** [B, T, D] → [B, D] */
export function firstToken(hidden: tf.Tensor): tf.Tensor {
  const [batch = 0, , width = 0] = hidden.shape;
  return tf.tidy(() => tf.reshape(tf.slice(hidden, [0, 0, 0], [batch, 1, width]), [batch, width]));
}

function checkInputs(inputs: BertInputs, config: EncoderConfig): void {
  const { inputIds, attentionMask, tokenTypeIds } = inputs;
  const shape = inputIds.shape;
  if (inputIds.rank !== 2) throw new InputError(`inputIds: expected [B, T], got [${shape}]`);
  const [, length = 0] = shape;
  if (length > config.max_position_embeddings) {
    throw new InputError(
      `inputIds: ${length} tokens, the model has ${config.max_position_embeddings} positions`,
    );
  }
  for (const [name, tensor] of Object.entries({ attentionMask, tokenTypeIds })) {
    if (tensor && tensor.shape.join() !== shape.join()) {
      throw new InputError(`${name}: expected [${shape}] as inputIds, got [${tensor.shape}]`);
    }
  }
}

/** BertModel: hidden states [B, T, D] and, if there is a pooler, the pooled first token [B, D]. */
export function bertModel(
  params: BertParams,
  inputs: BertInputs,
  config: EncoderConfig,
  options: EncoderOptions = {},
): { lastHiddenState: tf.Tensor; poolerOutput?: tf.Tensor } {
  checkInputs(inputs, config);
  const { embeddings, encoder, pooler } = componentsOf(options);
  return tf.tidy(() => {
    const bias = inputs.attentionMask && paddingBias(inputs.attentionMask); // [B, 1, 1, T]
    const embedded = embeddings(params.embeddings, inputs, config, options); // [B, T, E]
    const x = params.projection ? linear(params.projection, embedded) : embedded; // [B, T, D]
    const lastHiddenState = encoder(params.layers, x, bias, config, options);
    if (params.pooler === undefined) return { lastHiddenState };
    return { lastHiddenState, poolerOutput: pooler(params.pooler, lastHiddenState) };
  });
}

/** The pooled output of a model that must have a pooler. */
export function pooled(output: { poolerOutput?: tf.Tensor }): tf.Tensor {
  if (output.poolerOutput === undefined) throw new InputError('this head needs parameters with a pooler');
  return output.poolerOutput;
}

export interface MaskedLMHeadParams {
  /** D → E */
  dense: LinearParams;
  layerNorm: LayerNormParams;
  /** [V] */
  bias: tf.Tensor;
  /** [V, E]; absent when it is the table of word embeddings */
  decoder?: tf.Tensor | undefined;
}

/**
 * Logits over the vocabulary, [B, T, D] → [B, T, V]: the hidden state is transformed and compared with every word's
 * embedding (appendix A.2; the output matrix is the table itself, Press and Wolf, 2017).
 *
 * @param table [V, E]
 */
export function maskedLMHead(
  params: MaskedLMHeadParams,
  hidden: tf.Tensor,
  table: tf.Tensor,
  config: Pick<EncoderConfig, 'hidden_act' | 'layer_norm_eps'>,
  options: EncoderOptions = {},
): tf.Tensor {
  const { activation, layerNorm } = componentsOf(options);
  return tf.tidy(() => {
    const transformed = activation(config.hidden_act)(linear(params.dense, hidden));
    const normed = layerNorm(params.layerNorm, transformed, config.layer_norm_eps); // [B, T, E]
    return linear({ weight: params.decoder ?? table, bias: params.bias }, normed);
  });
}
