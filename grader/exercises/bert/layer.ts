/** What the exercises on the encoder layer and on the stack share: parameters, inputs and a layer that mutants vary. */
import * as tf from '@tensorflow/tfjs-core';
import {
  type AttentionParams,
  gelu,
  geluTanh,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
  multiHeadAttention,
  relu,
} from '../../../src/core/index.ts';
import type { Draw } from '../../define.ts';

export interface LayerParams {
  attention: AttentionParams;
  attentionNorm: LayerNormParams;
  intermediate: LinearParams;
  output: LinearParams;
  outputNorm: LayerNormParams;
}

export interface LayerConfig {
  num_attention_heads: number;
  layer_norm_eps: number;
}

export interface LayerSizes {
  batch: number;
  length: number;
  heads: number;
  headWidth: number;
  forward: number;
  eps?: number;
}

/** Parameters of one layer; every bias and shift is non-zero, every gain differs from 1. */
export function layerParams(draw: Draw, { heads, headWidth, forward }: LayerSizes): LayerParams {
  const width = heads * headWidth;
  const dense = (out: number, into: number): LinearParams => ({
    weight: asMatrix(draw.normal([out, into], { std: 1 / Math.sqrt(into) })),
    bias: draw.shift(out),
  });
  const norm = (): LayerNormParams => ({ weight: draw.gain(width), bias: draw.shift(width) });
  return {
    attention: {
      query: dense(width, width),
      key: dense(width, width),
      value: dense(width, width),
      output: dense(width, width),
    },
    attentionNorm: norm(),
    intermediate: dense(forward, width),
    output: dense(width, forward),
    outputNorm: norm(),
  };
}

const asMatrix = (tensor: tf.Tensor): tf.Tensor2D => tensor.as2D(tensor.shape[0] ?? 0, tensor.shape[1] ?? 0);

/** Where a mutant may put its own: the order of norm and residual, the activation, the heads, the bias. */
export interface LayerRules {
  /** combines a sublayer's input and output; post-LN unless given */
  join?: (
    x: tf.Tensor,
    sublayer: (x: tf.Tensor) => tf.Tensor,
    norm: (x: tf.Tensor) => tf.Tensor,
  ) => tf.Tensor;
  activation?: (x: tf.Tensor) => tf.Tensor;
  heads?: (config: LayerConfig) => number;
  scale?: number;
  keepBias?: boolean;
}

/** norm(x + sublayer(x)), the residual that BERT has. */
export const postNorm: NonNullable<LayerRules['join']> = (x, sublayer, norm) => norm(tf.add(x, sublayer(x)));
/** x + sublayer(norm(x)), the residual that GPT-2 has. */
export const preNorm: NonNullable<LayerRules['join']> = (x, sublayer, norm) => tf.add(x, sublayer(norm(x)));
/** x + norm(sublayer(x)). */
export const residualAfterNorm: NonNullable<LayerRules['join']> = (x, sublayer, norm) =>
  tf.add(x, norm(sublayer(x)));
/** norm(sublayer(x)). */
export const noResidual: NonNullable<LayerRules['join']> = (x, sublayer, norm) => norm(sublayer(x));

/** One encoder layer by the rules; BERT's without any. `bias` [B, 1, 1, S]. */
export function layer(
  params: LayerParams,
  hidden: tf.Tensor,
  bias: tf.Tensor | undefined,
  config: LayerConfig,
  rules: LayerRules = {},
): tf.Tensor {
  const { join = postNorm, activation = gelu, keepBias = true } = rules;
  const numHeads = rules.heads?.(config) ?? config.num_attention_heads;
  return tf.tidy(() => {
    const attended = join(
      hidden,
      (x) =>
        multiHeadAttention(params.attention, x, {
          numHeads,
          bias: keepBias ? bias : undefined,
          scale: rules.scale,
        }),
      (x) => layerNorm(params.attentionNorm, x, config.layer_norm_eps),
    );
    return join(
      attended,
      (x) => linear(params.output, activation(linear(params.intermediate, x))),
      (x) => layerNorm(params.outputNorm, x, config.layer_norm_eps),
    );
  });
}

/** One mistake in a layer, with what to tell whoever made it. */
export interface LayerMistake {
  readonly id: string;
  readonly diagnosis: string;
  readonly rules: LayerRules;
}

/** The mistakes that can be made in a layer, alone or in a stack. */
export const LAYER_MISTAKES: readonly LayerMistake[] = [
  {
    id: 'pre-norm',
    diagnosis:
      'The norm comes before each sublayer, as in GPT-2. BERT normalises after the residual sum: x = norm(x + sublayer(x)).',
    rules: { join: preNorm },
  },
  {
    id: 'residual-after-norm',
    diagnosis:
      'The residual is added after the norm. BERT adds first and normalises the sum: norm(x + sublayer(x)), not x + norm(sublayer(x)).',
    rules: { join: residualAfterNorm },
  },
  {
    id: 'no-residual',
    diagnosis:
      'The residual connections are missing: add the input of each sublayer to its output before the norm.',
    rules: { join: noResidual },
  },
  {
    id: 'relu',
    diagnosis: 'The feed-forward network uses ReLU. BERT uses GELU.',
    rules: { activation: relu },
  },
  {
    id: 'gelu-tanh',
    diagnosis:
      'GELU is approximated with tanh. BERT\'s "gelu" is the exact one with erf; they differ by up to 4.7e-4.',
    rules: { activation: geluTanh },
  },
  {
    id: 'bias-ignored',
    diagnosis: 'The attention bias is not used, so padding is attended to. Pass it to multiHeadAttention.',
    rules: { keepBias: false },
  },
  {
    id: 'one-head',
    diagnosis:
      'Attention runs with a single head over the whole width. Pass numHeads: config.num_attention_heads.',
    rules: { heads: () => 1 },
  },
];
