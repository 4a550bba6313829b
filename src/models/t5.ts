/**
 * T5 (Raffel et al., 2020): an encoder-decoder with RMS norms before each part, no biases, no 1/√d in attention, and
 * positions that enter only through a bias of the scores, shared by all layers of a stack.
 *
 *   encoder   x ─┬─ norm ─ attention ─ + ─┬─ norm ─ feed-forward ─ + ─→
 *                └─────────────────────┘  └────────────────────────┘
 *   decoder   the same with attention to the encoder's states between the two
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation, gated } from '../core/activations.ts';
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
import { type RmsNormParams, rmsNorm } from '../core/norm.ts';
import type { Rng } from '../core/random.ts';
import { relativePositionBias } from '../core/relative-position.ts';
import { InputError } from '../errors.ts';
import { causalAttentionBias, lastOnly, requireMatrix } from './causal.ts';
import { type EncoderDecoderInputs, shiftRight, sourceBias } from './encoder-decoder.ts';
import type { T5Config } from './t5-config.ts';

export interface T5FeedForwardParams {
  /** [F, D]. Gated, the part that passes through the activation. */
  inner: LinearParams;
  /** [F, D], in version 1.1 only. */
  gate?: LinearParams;
  /** [D, F] */
  output: LinearParams;
}

export interface T5BlockParams {
  attentionNorm: RmsNormParams;
  attention: AttentionParams;
  /** In a decoder only, both. */
  crossNorm?: RmsNormParams;
  crossAttention?: AttentionParams;
  feedForwardNorm: RmsNormParams;
  feedForward: T5FeedForwardParams;
}

export interface T5StackParams {
  /** [V, D]; absent where the table is shared. */
  tokens?: tf.Tensor2D;
  /** [buckets, H], stored with layer 0 and used by all. */
  relativeBias: tf.Tensor2D;
  blocks: T5BlockParams[];
  finalNorm: RmsNormParams;
}

export interface T5EncoderParams {
  /** [V, D], the table of encoder and decoder. */
  shared: tf.Tensor2D;
  encoder: T5StackParams;
}

export interface T5Params extends T5EncoderParams {
  decoder: T5StackParams;
}

export interface T5ForConditionalGenerationParams extends T5Params {
  /** [V, D]; absent where the head is tied to `shared`. */
  head?: tf.Tensor2D;
}

export interface T5Options {
  /** Draws the dropout of training; evaluation without. */
  rng?: Rng | undefined;
  /** Functions to use in place of the library's own. */
  components?: Partial<T5Components> | undefined;
  /** Logits of the last position only, [B, 1, V]. */
  lastLogitsOnly?: boolean | undefined;
}

/** What a block works with beside its parameters and input. */
export interface T5Context {
  config: T5Config;
  /** Padding, the future and the relative positions together, [1 or B, H, T, S]. */
  bias: tf.Tensor;
  /** The encoder's output [B, S, D] and its padding bias [B, 1, 1, S], in a decoder. */
  encoder?: { states: tf.Tensor; bias: tf.Tensor | undefined } | undefined;
  cache?: LayerCache | undefined;
  crossCache?: LayerCache | undefined;
  rng: Rng | undefined;
  components: T5Components;
}

export interface T5Components {
  block: (params: T5BlockParams, x: tf.Tensor, context: T5Context) => tf.Tensor;
  attention: typeof multiHeadAttention;
  scaledDotProductAttention: ScaledDotProductAttention;
  relativePositionBias: typeof relativePositionBias;
  feedForward: (params: T5FeedForwardParams, x: tf.Tensor, context: T5Context) => tf.Tensor;
  rmsNorm: typeof rmsNorm;
}

/** The library's components, each of which `options.components` can replace. */
export const t5Components: T5Components = {
  block: t5Block,
  attention: multiHeadAttention,
  scaledDotProductAttention,
  relativePositionBias,
  feedForward: t5FeedForward,
  rmsNorm,
};

/** The encoder's states [B, S, D]: T5EncoderModel. */
export function t5EncoderModel(
  params: T5EncoderParams,
  inputs: { inputIds: tf.Tensor; attentionMask?: tf.Tensor | undefined },
  config: T5Config,
  options: T5Options = {},
): { lastHiddenState: tf.Tensor } {
  return tf.tidy(() => {
    const length = requireMatrix('inputIds', inputs.inputIds);
    const { relativePositionBias: positionBias } = { ...t5Components, ...options.components };
    const positions = positionBias(params.encoder.relativeBias, length, length, {
      ...config.relative_positions,
      bidirectional: true,
    });
    const padding = sourceBias(inputs.inputIds, inputs.attentionMask);
    const bias = padding ? tf.add(positions, padding) : positions;
    const x = embed(params.encoder.tokens ?? params.shared, inputs.inputIds); // [B, S, D]
    return { lastHiddenState: t5Stack(params.encoder, x, config, options, () => ({ bias })) };
  });
}

/** The decoder's states [B, T, D] and the encoder's [B, S, D]: T5Model. */
export function t5Model(
  params: T5Params,
  inputs: EncoderDecoderInputs,
  config: T5Config,
  options: T5Options = {},
): { lastHiddenState: tf.Tensor; encoderLastHiddenState: tf.Tensor } {
  return tf.tidy(() => {
    const { decoderInputIds, cache } = inputs;
    if (!decoderInputIds) throw new InputError('t5: decoderInputIds (or labels) must be given');
    const encoded = inputs.encoderOutputs ?? encode(params, inputs, config, options);
    const { relativePositionBias: positionBias } = { ...t5Components, ...options.components };
    const past = cache?.length ?? 0;
    const length = requireMatrix('decoderInputIds', decoderInputIds);
    const positions = positionBias(params.decoder.relativeBias, length, past + length, {
      ...config.relative_positions,
      bidirectional: false,
    });
    const bias = tf.add(positions, causalAttentionBias(decoderInputIds, past, inputs.decoderAttentionMask));
    const encoderBias = sourceBias(encoded, inputs.attentionMask);
    const x = embed(params.decoder.tokens ?? params.shared, decoderInputIds); // [B, T, D]
    const lastHiddenState = t5Stack(params.decoder, x, config, options, (layer) => ({
      bias,
      encoder: { states: encoded, bias: encoderBias },
      cache: cache?.layer(layer),
      crossCache: cache?.cross(layer),
    }));
    return { lastHiddenState, encoderLastHiddenState: encoded };
  });
}

function encode(
  params: T5Params,
  inputs: EncoderDecoderInputs,
  config: T5Config,
  options: T5Options,
): tf.Tensor {
  const { inputIds, attentionMask } = inputs;
  if (!inputIds) throw new InputError('t5: inputIds or encoderOutputs must be given');
  return t5EncoderModel(params, { inputIds, attentionMask }, config, options).lastHiddenState;
}

/** Runs the layers over embedded tokens [B, T, D], with dropout before the first and after the last. */
function t5Stack(
  params: T5StackParams,
  embedded: tf.Tensor,
  config: T5Config,
  options: T5Options,
  contextOf: (layer: number) => Pick<T5Context, 'bias' | 'encoder' | 'cache' | 'crossCache'>,
): tf.Tensor {
  const components = { ...t5Components, ...options.components };
  const { rng } = options;
  let x = dropout(embedded, config.dropout_rate, rng);
  for (const [layer, block] of params.blocks.entries()) {
    x = components.block(block, x, { config, rng, components, ...contextOf(layer) });
  }
  return dropout(
    components.rmsNorm(params.finalNorm, x, config.layer_norm_epsilon),
    config.dropout_rate,
    rng,
  );
}

/** One layer, [B, T, D] → [B, T, D]; with cross-attention where the parameters have it. */
export function t5Block(params: T5BlockParams, x: tf.Tensor, context: T5Context): tf.Tensor {
  const { config, components, encoder, rng } = context;
  const residual = (
    norm: RmsNormParams,
    from: tf.Tensor,
    part: (normed: tf.Tensor) => tf.Tensor,
  ): tf.Tensor =>
    tf.add(
      from,
      dropout(part(components.rmsNorm(norm, from, config.layer_norm_epsilon)), config.dropout_rate, rng),
    );
  const attend = {
    numHeads: config.num_heads,
    scale: 1, // The initialisation of the query weights takes the place of 1/√d.
    dropout: { rate: config.dropout_rate, rng },
    attention: components.scaledDotProductAttention,
  };
  return tf.tidy(() => {
    let y = residual(params.attentionNorm, x, (normed) =>
      components.attention(params.attention, normed, { ...attend, bias: context.bias, cache: context.cache }),
    );
    const { crossNorm, crossAttention } = params;
    if (crossNorm && crossAttention && encoder) {
      y = residual(crossNorm, y, (normed) =>
        components.attention(crossAttention, normed, {
          ...attend,
          bias: encoder.bias,
          keyValue: encoder.states,
          cache: context.crossCache,
        }),
      );
    }
    return residual(params.feedForwardNorm, y, (normed) =>
      components.feedForward(params.feedForward, normed, context),
    );
  });
}

/** ReLU between two linear layers (1.0), or a gated GELU (1.1), [B, T, D] → [B, T, D]. */
export function t5FeedForward(
  params: T5FeedForwardParams,
  x: tf.Tensor,
  { config, rng }: T5Context,
): tf.Tensor {
  return tf.tidy(() => {
    const activate = activation(config.activation);
    const first = linear(params.inner, x); // [B, T, F]
    const inner = params.gate ? gated(activate, first, linear(params.gate, x)) : activate(first);
    return linear(params.output, dropout(inner, config.dropout_rate, rng));
  });
}

/**
 * Logits [B, T, V] of the decoder's tokens, and with `labels` (int32 [B, T], −100 not scored) the loss:
 * T5ForConditionalGeneration. A tied head gets states scaled by D^−½, because the table was trained for its other end.
 */
export function t5ForConditionalGeneration(
  params: T5ForConditionalGenerationParams,
  inputs: EncoderDecoderInputs & { labels?: tf.Tensor | undefined },
  config: T5Config,
  options: T5Options = {},
): { logits: tf.Tensor; encoderLastHiddenState: tf.Tensor; loss?: tf.Scalar } {
  return tf.tidy(() => {
    const { labels } = inputs;
    const decoderInputIds = inputs.decoderInputIds ?? (labels && shiftRight(labels, config));
    const { lastHiddenState, encoderLastHiddenState } = t5Model(
      params,
      { ...inputs, decoderInputIds },
      config,
      options,
    );
    const states = options.lastLogitsOnly ? lastOnly(lastHiddenState) : lastHiddenState;
    const scaled = config.scale_decoder_outputs ? tf.mul(states, config.d_model ** -0.5) : states;
    const logits = linear({ weight: params.head ?? params.shared }, scaled);
    return {
      logits,
      encoderLastHiddenState,
      ...(labels && { loss: crossEntropy(logits, labels) }),
    };
  });
}
