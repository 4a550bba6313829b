/**
 * LLaMA (Touvron et al., 2023): a decoder with RMS norms before each part, rotary positions, a gated feed-forward and, from
 * its second generation on, queries that share keys and values.
 *
 *   x ─┬─ norm ─ attention ─ + ─┬─ norm ─ gated feed-forward ─ + ─→
 *      └─────────────────────┘  └──────────────────────────────┘
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation, gated } from '../core/activations.ts';
import {
  type AttentionParams,
  multiHeadAttention,
  type ScaledDotProductAttention,
  scaledDotProductAttention,
} from '../core/attention.ts';
import type { KeyValueCache, LayerCache } from '../core/cache.ts';
import { embed } from '../core/embeddings.ts';
import { type LinearParams, linear } from '../core/linear.ts';
import { type RmsNormParams, rmsNorm } from '../core/norm.ts';
import type { Rng } from '../core/random.ts';
import { type RotaryTables, rotaryTables, rotateHalves } from '../core/rotary.ts';
import { type CausalHeadOutput, causalAttentionBias, lastTokenClassifier, nextTokenHead } from './causal.ts';
import type { LlamaConfig } from './llama-config.ts';

export interface GatedFeedForwardParams {
  /** [F, D], passes through the activation. */
  gate: LinearParams;
  /** [F, D] */
  up: LinearParams;
  /** [D, F] */
  down: LinearParams;
}

export interface LlamaBlockParams {
  attentionNorm: RmsNormParams;
  attention: AttentionParams;
  feedForwardNorm: RmsNormParams;
  feedForward: GatedFeedForwardParams;
}

export interface LlamaParams {
  /** [V, D] */
  tokens: tf.Tensor2D;
  blocks: LlamaBlockParams[];
  finalNorm: RmsNormParams;
}

export interface LlamaForCausalLMParams extends LlamaParams {
  /** [V, D]; absent where the head is tied to `tokens`. */
  head?: tf.Tensor2D;
}

export interface LlamaForSequenceClassificationParams extends LlamaParams {
  /** [C, D] */
  score: LinearParams;
}

export interface LlamaInputs {
  /** int32 [B, T] */
  inputIds: tf.Tensor;
  /** [B, S], S counting what the cache holds; 1 = token, 0 = padding. */
  attentionMask?: tf.Tensor | undefined;
  /** int32 [B, T]; counted from what the cache holds unless given. */
  positionIds?: tf.Tensor | undefined;
  /** Filled with the keys and values of these tokens, and read for those before. */
  cache?: KeyValueCache | undefined;
}

export interface LlamaOptions {
  /** Draws the dropout of training; evaluation without. */
  rng?: Rng | undefined;
  /** Functions to use in place of the library's own. */
  components?: Partial<LlamaComponents> | undefined;
  /** Logits of the last position only, [B, 1, V]. */
  lastLogitsOnly?: boolean | undefined;
}

/** What a block works with beside its parameters and input. */
export interface LlamaContext {
  config: LlamaConfig;
  /** [1 or B, 1, T, S] */
  bias: tf.Tensor;
  rotary: RotaryTables;
  cache: LayerCache | undefined;
  rng: Rng | undefined;
  components: LlamaComponents;
}

export interface LlamaComponents {
  block: (params: LlamaBlockParams, x: tf.Tensor, context: LlamaContext) => tf.Tensor;
  attention: (params: AttentionParams, x: tf.Tensor, context: LlamaContext) => tf.Tensor;
  scaledDotProductAttention: ScaledDotProductAttention;
  /** Turns queries and keys [B, H, T, d]. */
  rotate: typeof rotateHalves;
  feedForward: (params: GatedFeedForwardParams, x: tf.Tensor, context: LlamaContext) => tf.Tensor;
  rmsNorm: typeof rmsNorm;
}

/** The library's components, each of which `options.components` can replace. */
export const llamaComponents: LlamaComponents = {
  block: llamaBlock,
  attention: llamaAttention,
  scaledDotProductAttention,
  rotate: rotateHalves,
  feedForward: llamaFeedForward,
  rmsNorm,
};

/** Hidden states [B, T, D] of the tokens (section 2.2). */
export function llamaModel(
  params: LlamaParams,
  inputs: LlamaInputs,
  config: LlamaConfig,
  options: LlamaOptions = {},
): { lastHiddenState: tf.Tensor } {
  const components = { ...llamaComponents, ...options.components };
  return tf.tidy(() => {
    const { inputIds, cache } = inputs;
    const past = cache?.length ?? 0;
    const bias = causalAttentionBias(inputIds, past, inputs.attentionMask);
    const positions = inputs.positionIds ?? { start: past, count: inputIds.shape[1] ?? 0 };
    const rotary = rotaryTables(config.rotary, positions);
    let x = embed(params.tokens, inputIds, { paddingId: config.pad_token_id ?? undefined }); // [B, T, D]
    for (const [layer, block] of params.blocks.entries()) {
      x = components.block(block, x, {
        config,
        bias,
        rotary,
        cache: cache?.layer(layer),
        rng: options.rng,
        components,
      });
    }
    return { lastHiddenState: components.rmsNorm(params.finalNorm, x, config.rms_norm_eps) };
  });
}

/** One layer, [B, T, D] → [B, T, D]. */
export function llamaBlock(params: LlamaBlockParams, x: tf.Tensor, context: LlamaContext): tf.Tensor {
  const { attention, feedForward, rmsNorm: norm } = context.components;
  const eps = context.config.rms_norm_eps;
  return tf.tidy(() => {
    const middle = tf.add(x, attention(params.attention, norm(params.attentionNorm, x, eps), context));
    return tf.add(
      middle,
      feedForward(params.feedForward, norm(params.feedForwardNorm, middle, eps), context),
    );
  });
}

/** Causal self-attention with rotary positions and grouped keys and values. */
export function llamaAttention(params: AttentionParams, x: tf.Tensor, context: LlamaContext): tf.Tensor {
  const { config, components } = context;
  return multiHeadAttention(params, x, {
    numHeads: config.num_attention_heads,
    numKeyValueHeads: config.num_key_value_heads,
    bias: context.bias,
    rotate: (heads) => components.rotate(heads, context.rotary),
    cache: context.cache,
    dropout: { rate: config.attention_dropout, rng: context.rng },
    attention: components.scaledDotProductAttention,
  });
}

/** down(activation(gate·x) ⊙ up·x): SwiGLU with the activation silu (Shazeer, 2020, equation 6). */
export function llamaFeedForward(
  params: GatedFeedForwardParams,
  x: tf.Tensor,
  { config }: LlamaContext,
): tf.Tensor {
  return tf.tidy(() => {
    const inner = gated(activation(config.hidden_act), linear(params.gate, x), linear(params.up, x)); // [B, T, F]
    return linear(params.down, inner);
  });
}

/** Next-token logits [B, T, V], and with `labels` (int32 [B, T], −100 not scored) the loss: LlamaForCausalLM. */
export function llamaForCausalLM(
  params: LlamaForCausalLMParams,
  inputs: LlamaInputs & { labels?: tf.Tensor | undefined },
  config: LlamaConfig,
  options: LlamaOptions = {},
): CausalHeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = llamaModel(params, inputs, config, options);
    return nextTokenHead(
      params.head ?? params.tokens,
      lastHiddenState,
      inputs.labels,
      options.lastLogitsOnly,
    );
  });
}

/** Class logits [B, C] of the last token that is not padding: LlamaForSequenceClassification. */
export function llamaForSequenceClassification(
  params: LlamaForSequenceClassificationParams,
  inputs: LlamaInputs & { labels?: tf.Tensor | undefined },
  config: LlamaConfig,
  options: LlamaOptions = {},
): CausalHeadOutput {
  return tf.tidy(() => {
    const { lastHiddenState } = llamaModel(params, inputs, config, options);
    return lastTokenClassifier(params.score, lastHiddenState, inputs, config);
  });
}
