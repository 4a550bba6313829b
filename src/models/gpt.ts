/**
 * GPT (Radford et al., 2018) and GPT-2 (Radford et al., 2019): decoders with learned positions. One module describes
 * both, because two switches tell them apart: where the norms stand, and whether the stack ends with one.
 *
 *   GPT-1   x ─┬─ attention ─ + ─ norm ─┬─ feed-forward ─ + ─ norm ─→
 *              └──────────────┘         └─────────────────┘
 *   GPT-2   x ─┬─ norm ─ attention ─ + ─┬─ norm ─ feed-forward ─ + ─→
 *              └─────────────────────┘  └────────────────────────┘
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation } from '../core/activations.ts';
import {
  type AttentionParams,
  multiHeadAttention,
  type ScaledDotProductAttention,
  scaledDotProductAttention,
} from '../core/attention.ts';
import type { KeyValueCache, LayerCache } from '../core/cache.ts';
import { dropout } from '../core/dropout.ts';
import { embed } from '../core/embeddings.ts';
import { type LinearParams, linear } from '../core/linear.ts';
import { type LayerNormParams, layerNorm } from '../core/norm.ts';
import type { Rng } from '../core/random.ts';
import {
  type CausalHeadOutput,
  causalAttentionBias,
  defaultPositions,
  lastTokenClassifier,
  nextTokenHead,
  softCausalMasks,
} from './causal.ts';
import type { GptConfig } from './gpt-config.ts';

export interface GptBlockParams {
  attentionNorm: LayerNormParams;
  /** One tensor of the checkpoint, c_attn, holds query, key and value side by side. */
  attention: AttentionParams;
  feedForwardNorm: LayerNormParams;
  feedForward: { up: LinearParams; down: LinearParams };
}

export interface GptParams {
  /** [V, D] */
  tokens: tf.Tensor2D;
  /** [n_positions, D] */
  positions: tf.Tensor2D;
  blocks: GptBlockParams[];
  /** GPT-2 only. */
  finalNorm?: LayerNormParams;
}

export interface GptLMHeadParams extends GptParams {
  /** [V, D]; absent where the head is tied to `tokens`. */
  head?: tf.Tensor2D;
}

export interface GptForSequenceClassificationParams extends GptParams {
  /** [C, D] */
  score: LinearParams;
}

export interface GptInputs {
  /** int32 [B, T] */
  inputIds: tf.Tensor;
  /** [B, S], S counting what the cache holds; 1 = token, 0 = padding. */
  attentionMask?: tf.Tensor | undefined;
  /** int32 [B, T]; counted from what the cache holds unless given. */
  positionIds?: tf.Tensor | undefined;
  /** int32 [B, T], looked up in the token table. */
  tokenTypeIds?: tf.Tensor | undefined;
  /** Filled with the keys and values of these tokens, and read for those before. */
  cache?: KeyValueCache | undefined;
}

export interface GptOptions {
  /** Draws the dropout of training; evaluation without. */
  rng?: Rng | undefined;
  /** Functions to use in place of the library's own. */
  components?: Partial<GptComponents> | undefined;
  /** Logits of the last position only, [B, 1, V]. */
  lastLogitsOnly?: boolean | undefined;
}

/** What a block works with beside its parameters and input. */
export interface GptContext {
  config: GptConfig;
  /** Layer index from 0. */
  layer: number;
  /** [1 or B, 1, T, S] */
  bias: tf.Tensor;
  /** [B, 1, T, 1], 0 for a query that sees no token; absent where that changes nothing. */
  sighted?: tf.Tensor | undefined;
  cache: LayerCache | undefined;
  rng: Rng | undefined;
  components: GptComponents;
}

export interface GptComponents {
  embeddings: typeof gptEmbeddings;
  block: (params: GptBlockParams, x: tf.Tensor, context: GptContext) => tf.Tensor;
  attention: (params: AttentionParams, x: tf.Tensor, context: GptContext) => tf.Tensor;
  scaledDotProductAttention: ScaledDotProductAttention;
  feedForward: (params: GptBlockParams['feedForward'], x: tf.Tensor, context: GptContext) => tf.Tensor;
  layerNorm: typeof layerNorm;
}

/** The library's components, each of which `options.components` can replace. */
export const gptComponents: GptComponents = {
  embeddings: gptEmbeddings,
  block: gptBlock,
  attention: gptAttention,
  scaledDotProductAttention,
  feedForward: gptFeedForward,
  layerNorm,
};

/**
 * Hidden states [B, T, D] of the tokens: OpenAIGPTModel and GPT2Model.
 * (GPT: section 3.1, equation 2; GPT-2: section 2.3.)
 */
export function gptModel(
  params: GptParams,
  inputs: GptInputs,
  config: GptConfig,
  options: GptOptions = {},
): { lastHiddenState: tf.Tensor } {
  const components = { ...gptComponents, ...options.components };
  const { rng } = options;
  return tf.tidy(() => {
    const { cache, inputIds, attentionMask } = inputs;
    const past = cache?.length ?? 0;
    const masks =
      attentionMask && !config.norm_first
        ? softCausalMasks(inputIds, past, attentionMask)
        : { bias: causalAttentionBias(inputIds, past, attentionMask) };
    const embedded = components.embeddings(params, inputs, past);
    let x = dropout(embedded, config.embd_pdrop, rng); // [B, T, D]
    for (const [layer, block] of params.blocks.entries()) {
      x = components.block(block, x, {
        config,
        layer,
        ...masks,
        cache: cache?.layer(layer),
        rng,
        components,
      });
    }
    const { finalNorm } = params;
    return { lastHiddenState: finalNorm ? components.layerNorm(finalNorm, x, config.layer_norm_epsilon) : x };
  });
}

/** Sum of the token's and the position's vector, [B, T, D]; `past` tokens came before. */
export function gptEmbeddings(params: GptParams, inputs: GptInputs, past: number): tf.Tensor {
  return tf.tidy(() => {
    const positionIds =
      inputs.positionIds ?? defaultPositions(inputs.inputIds, past, params.positions.shape[0]);
    const sum = tf.add(embed(params.tokens, inputs.inputIds), embed(params.positions, positionIds));
    return inputs.tokenTypeIds ? tf.add(sum, embed(params.tokens, inputs.tokenTypeIds)) : sum;
  });
}

/** One layer, [B, T, D] → [B, T, D], in the order of its generation. */
export function gptBlock(params: GptBlockParams, x: tf.Tensor, context: GptContext): tf.Tensor {
  const { attention, feedForward, layerNorm } = context.components;
  const eps = context.config.layer_norm_epsilon;
  return tf.tidy(() => {
    if (context.config.norm_first) {
      const middle = tf.add(x, attention(params.attention, layerNorm(params.attentionNorm, x, eps), context));
      return tf.add(
        middle,
        feedForward(params.feedForward, layerNorm(params.feedForwardNorm, middle, eps), context),
      );
    }
    const middle = layerNorm(params.attentionNorm, tf.add(x, attention(params.attention, x, context)), eps);
    const added = tf.add(middle, feedForward(params.feedForward, middle, context));
    return layerNorm(params.feedForwardNorm, added, eps);
  });
}

/** Causal self-attention, with dropout on what it gives. */
export function gptAttention(params: AttentionParams, x: tf.Tensor, context: GptContext): tf.Tensor {
  const { config, rng, sighted } = context;
  const attend = context.components.scaledDotProductAttention;
  return tf.tidy(() => {
    const attended = multiHeadAttention(params, x, {
      numHeads: config.n_head,
      bias: context.bias,
      scale: attentionScale(config, context.layer),
      cache: context.cache,
      dropout: { rate: config.attn_pdrop, rng },
      attention: sighted ? (q, k, v, options) => attend(tf.mul(q, sighted), k, v, options) : attend,
    });
    return dropout(attended, config.resid_pdrop, rng);
  });
}

/** 1/√d, divided by the layer's number from 1 where the configuration asks for it. */
function attentionScale(config: GptConfig, layer: number): number {
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(config.n_embd / config.n_head) : 1;
  return config.scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
}

/** Two linear layers with the activation between, [B, T, D] → [B, T, D]. */
export function gptFeedForward(
  params: GptBlockParams['feedForward'],
  x: tf.Tensor,
  { config, rng }: GptContext,
): tf.Tensor {
  return tf.tidy(() => {
    const inner = activation(config.activation_function)(linear(params.up, x)); // [B, T, F]
    return dropout(linear(params.down, inner), config.resid_pdrop, rng);
  });
}

/**
 * Next-token logits [B, T, V], and with `labels` (int32 [B, T], −100 not scored) the loss: OpenAIGPTLMHeadModel and
 * GPT2LMHeadModel.
 */
export function gptLMHeadModel(
  params: GptLMHeadParams,
  inputs: GptInputs & { labels?: tf.Tensor | undefined },
  config: GptConfig,
  options: GptOptions = {},
): CausalHeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = gptModel(params, inputs, config, options);
    return nextTokenHead(
      params.head ?? params.tokens,
      lastHiddenState,
      inputs.labels,
      options.lastLogitsOnly,
    );
  });
}

/** Class logits [B, C] of the last token that is not padding: GPT2ForSequenceClassification. */
export function gpt2ForSequenceClassification(
  params: GptForSequenceClassificationParams,
  inputs: GptInputs & { labels?: tf.Tensor | undefined },
  config: GptConfig,
  options: GptOptions = {},
): CausalHeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = gptModel(params, inputs, config, options);
    return lastTokenClassifier(params.score, lastHiddenState, inputs, config);
  });
}
