/**
 * BART (Lewis et al., 2020): an encoder-decoder with learned positions and a norm after each part, trained to undo noise.
 *
 *   encoder   x ─┬─ attention ─ + ─ norm ─┬─ feed-forward ─ + ─ norm ─→
 *                └──────────────┘         └─────────────────┘
 *   decoder   the same with attention to the encoder's states between the two
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation } from '../core/activations.ts';
import {
  type AttentionParams,
  multiHeadAttention,
  type ScaledDotProductAttention,
  scaledDotProductAttention,
} from '../core/attention.ts';
import type { LayerCache } from '../core/cache.ts';
import { dropout } from '../core/dropout.ts';
import { embed } from '../core/embeddings.ts';
import { type LinearParams, linear } from '../core/linear.ts';
import { crossEntropy } from '../core/losses.ts';
import { type LayerNormParams, layerNorm } from '../core/norm.ts';
import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import type { BartConfig } from './bart-config.ts';
import { causalAttentionBias, defaultPositions, lastOnly } from './causal.ts';
import { lastPosition, rowsAt, sequenceClassificationLoss } from './classification.ts';
import { type EncoderDecoderInputs, shiftRight, sourceBias } from './encoder-decoder.ts';

/** Rows 0 and 1 of a position table are never used: position 0 is row 2. */
const POSITION_OFFSET = 2;
/** Of PyTorch's layer norm; no configuration changes it. */
const LAYER_NORM_EPS = 1e-5;

export interface BartBlockParams {
  attention: AttentionParams;
  attentionNorm: LayerNormParams;
  /** In a decoder only, both. */
  crossAttention?: AttentionParams;
  crossNorm?: LayerNormParams;
  feedForward: { up: LinearParams; down: LinearParams };
  feedForwardNorm: LayerNormParams;
}

export interface BartStackParams {
  /** [V, D]; absent where the table is shared. */
  tokens?: tf.Tensor2D;
  /** [max_position_embeddings + 2, D] */
  positions: tf.Tensor2D;
  embeddingNorm: LayerNormParams;
  blocks: BartBlockParams[];
}

export interface BartParams {
  /** [V, D], the table of encoder and decoder. */
  shared: tf.Tensor2D;
  encoder: BartStackParams;
  decoder: BartStackParams;
}

export interface BartForConditionalGenerationParams extends BartParams {
  /** [V, D]; absent where the head is tied to `shared`. */
  head?: tf.Tensor2D;
  /** [1, V], added to the logits; no gradient is asked for it. */
  finalLogitsBias: tf.Tensor2D;
}

export interface BartForSequenceClassificationParams extends BartParams {
  classifier: { dense: LinearParams; output: LinearParams };
}

export interface BartOptions {
  /** Draws the dropout of training; evaluation without. */
  rng?: Rng | undefined;
  /** Functions to use in place of the library's own. */
  components?: Partial<BartComponents> | undefined;
  /** Logits of the last position only, [B, 1, V]. */
  lastLogitsOnly?: boolean | undefined;
}

/** What a block works with beside its parameters and input. */
export interface BartContext {
  config: BartConfig;
  /** Heads of this stack's attention. */
  numHeads: number;
  /** [1 or B, 1, T or 1, S] */
  bias: tf.Tensor | undefined;
  /** The encoder's output [B, S, D] and its padding bias [B, 1, 1, S], in a decoder. */
  encoder?: { states: tf.Tensor; bias: tf.Tensor | undefined } | undefined;
  cache?: LayerCache | undefined;
  crossCache?: LayerCache | undefined;
  rng: Rng | undefined;
  components: BartComponents;
}

export interface BartComponents {
  embeddings: typeof bartEmbeddings;
  block: (params: BartBlockParams, x: tf.Tensor, context: BartContext) => tf.Tensor;
  attention: typeof multiHeadAttention;
  scaledDotProductAttention: ScaledDotProductAttention;
  feedForward: (params: BartBlockParams['feedForward'], x: tf.Tensor, context: BartContext) => tf.Tensor;
  layerNorm: typeof layerNorm;
}

/** The library's components, each of which `options.components` can replace. */
export const bartComponents: BartComponents = {
  embeddings: bartEmbeddings,
  block: bartBlock,
  attention: multiHeadAttention,
  scaledDotProductAttention,
  feedForward: bartFeedForward,
  layerNorm,
};

/**
 * The decoder's states [B, T, D] and the encoder's [B, S, D]: BartModel. Without `decoderInputIds` the decoder
 * reads the encoder's tokens, shifted (section 3: both ends see the same text).
 */
export function bartModel(
  params: BartParams,
  inputs: EncoderDecoderInputs,
  config: BartConfig,
  options: BartOptions = {},
): { lastHiddenState: tf.Tensor; encoderLastHiddenState: tf.Tensor } {
  return tf.tidy(() => {
    const { inputIds, cache } = inputs;
    const decoderInputIds = inputs.decoderInputIds ?? (inputIds && shiftRight(inputIds, config));
    if (!decoderInputIds) throw new InputError('bart: inputIds or decoderInputIds must be given');
    const encoded = inputs.encoderOutputs ?? bartEncoder(params, inputs, config, options);
    const past = cache?.length ?? 0;
    const bias = causalAttentionBias(decoderInputIds, past, inputs.decoderAttentionMask);
    const encoderBias = sourceBias(encoded, inputs.attentionMask);
    const stack = { config, options, numHeads: config.decoder_attention_heads, past };
    const lastHiddenState = bartStack(params.shared, params.decoder, decoderInputIds, stack, (layer) => ({
      bias,
      encoder: { states: encoded, bias: encoderBias },
      cache: cache?.layer(layer),
      crossCache: cache?.cross(layer),
    }));
    return { lastHiddenState, encoderLastHiddenState: encoded };
  });
}

/** The encoder's states [B, S, D]. */
export function bartEncoder(
  params: Omit<BartParams, 'decoder'>,
  { inputIds, attentionMask }: Pick<EncoderDecoderInputs, 'inputIds' | 'attentionMask'>,
  config: BartConfig,
  options: BartOptions = {},
): tf.Tensor {
  if (!inputIds) throw new InputError('bart: inputIds or encoderOutputs must be given');
  return tf.tidy(() => {
    const bias = sourceBias(inputIds, attentionMask);
    const stack = { config, options, numHeads: config.encoder_attention_heads, past: 0 };
    return bartStack(params.shared, params.encoder, inputIds, stack, () => ({ bias }));
  });
}

/** Embeds the tokens [B, T] and runs the layers over them. */
function bartStack(
  shared: tf.Tensor2D,
  params: BartStackParams,
  ids: tf.Tensor,
  stack: { config: BartConfig; options: BartOptions; numHeads: number; past: number },
  contextOf: (layer: number) => Pick<BartContext, 'bias' | 'encoder' | 'cache' | 'crossCache'>,
): tf.Tensor {
  const { config, numHeads, past } = stack;
  const { rng } = stack.options;
  const components = { ...bartComponents, ...stack.options.components };
  const sum = components.embeddings(params.tokens ?? shared, params.positions, ids, past, config);
  let x = dropout(components.layerNorm(params.embeddingNorm, sum, LAYER_NORM_EPS), config.dropout, rng);
  for (const [layer, block] of params.blocks.entries()) {
    x = components.block(block, x, { config, numHeads, rng, components, ...contextOf(layer) });
  }
  return x;
}

/** The token's vector, scaled by √D where the configuration says so, and the position's, [B, T, D], before the norm. */
export function bartEmbeddings(
  tokens: tf.Tensor2D,
  positions: tf.Tensor2D,
  ids: tf.Tensor,
  past: number,
  config: BartConfig,
): tf.Tensor {
  return tf.tidy(() => {
    const found = embed(tokens, ids, { paddingId: config.pad_token_id ?? undefined });
    const scaled = config.scale_embedding ? tf.mul(found, Math.sqrt(config.d_model)) : found;
    const places = defaultPositions(ids, past, positions.shape[0] - POSITION_OFFSET);
    return tf.add(scaled, embed(positions, tf.add(places, tf.scalar(POSITION_OFFSET, 'int32'))));
  });
}

/** One layer, [B, T, D] → [B, T, D]; with cross-attention where the parameters have it. */
export function bartBlock(params: BartBlockParams, x: tf.Tensor, context: BartContext): tf.Tensor {
  const { config, components, encoder, numHeads, rng } = context;
  const normed = (norm: LayerNormParams, residual: tf.Tensor, part: tf.Tensor): tf.Tensor =>
    components.layerNorm(norm, tf.add(residual, dropout(part, config.dropout, rng)), LAYER_NORM_EPS);
  const attend = {
    numHeads,
    dropout: { rate: config.attention_dropout, rng },
    attention: components.scaledDotProductAttention,
  };
  return tf.tidy(() => {
    const { bias, cache } = context;
    let y = normed(
      params.attentionNorm,
      x,
      components.attention(params.attention, x, { ...attend, bias, cache }),
    );
    const { crossAttention, crossNorm } = params;
    if (crossAttention && crossNorm && encoder) {
      const source = { bias: encoder.bias, keyValue: encoder.states, cache: context.crossCache };
      y = normed(crossNorm, y, components.attention(crossAttention, y, { ...attend, ...source }));
    }
    return normed(params.feedForwardNorm, y, components.feedForward(params.feedForward, y, context));
  });
}

/** Two linear layers with the activation between, [B, T, D] → [B, T, D]. */
export function bartFeedForward(
  params: BartBlockParams['feedForward'],
  x: tf.Tensor,
  { config, rng }: BartContext,
): tf.Tensor {
  return tf.tidy(() => {
    const inner = activation(config.activation_function)(linear(params.up, x)); // [B, T, F]
    return linear(params.down, dropout(inner, config.activation_dropout, rng));
  });
}

/**
 * Logits [B, T, V] of the decoder's tokens, and with `labels` (int32 [B, T], −100 not scored) the loss:
 * BartForConditionalGeneration. Labels without `decoderInputIds` are shifted to make them.
 */
export function bartForConditionalGeneration(
  params: BartForConditionalGenerationParams,
  inputs: EncoderDecoderInputs & { labels?: tf.Tensor | undefined },
  config: BartConfig,
  options: BartOptions = {},
): { logits: tf.Tensor; encoderLastHiddenState: tf.Tensor; loss?: tf.Scalar } {
  return tf.tidy(() => {
    const { labels } = inputs;
    const decoderInputIds = inputs.decoderInputIds ?? (labels && shiftRight(labels, config));
    const outputs = bartModel(params, { ...inputs, decoderInputIds }, config, options);
    const states = options.lastLogitsOnly ? lastOnly(outputs.lastHiddenState) : outputs.lastHiddenState;
    const logits = tf.add(linear({ weight: params.head ?? params.shared }, states), params.finalLogitsBias);
    const { encoderLastHiddenState } = outputs;
    return { logits, encoderLastHiddenState, ...(labels && { loss: crossEntropy(logits, labels) }) };
  });
}

/**
 * Class logits [B, C] from the decoder's state at the last end-of-sequence token, and with `labels` the loss:
 * BartForSequenceClassification.
 */
export function bartForSequenceClassification(
  params: BartForSequenceClassificationParams,
  inputs: EncoderDecoderInputs & { inputIds: tf.Tensor; labels?: tf.Tensor | undefined },
  config: BartConfig,
  options: BartOptions = {},
): { logits: tf.Tensor; encoderLastHiddenState: tf.Tensor; loss?: tf.Scalar } {
  const { labels } = inputs;
  const { rng } = options;
  const rate = config.classifier_dropout;
  return tf.tidy(() => {
    const { lastHiddenState, encoderLastHiddenState } = bartModel(params, inputs, config, options);
    const [eos] = [config.eos_token_id].flat();
    if (typeof eos !== 'number')
      throw new InputError('config: eos_token_id must be set to classify with BART');
    const last = lastPosition(tf.equal(inputs.inputIds, eos));
    const sentence = dropout(rowsAt(lastHiddenState, last), rate, rng); // [B, D]
    const inner = tf.tanh(linear(params.classifier.dense, sentence));
    const logits = linear(params.classifier.output, dropout(inner, rate, rng));
    const loss = labels && sequenceClassificationLoss(logits, labels, config);
    return { logits, encoderLastHiddenState, ...(loss && { loss }) };
  });
}
