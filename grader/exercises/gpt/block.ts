/** What the exercises on GPT's blocks and stack share: parameters, inputs and a block that mutants vary. */
import * as tf from '@tensorflow/tfjs-core';
import {
  causalBias,
  gelu,
  geluTanh,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
  multiHeadAttention,
  relu,
} from '../../../src/core/index.ts';
import type { GptBlockParams } from '../../../src/models/gpt.ts';
import {
  type CaseDefinition,
  causality,
  type Draw,
  gradientsFlow,
  inputsUnchanged,
  noLeak,
  type Property,
} from '../../define.ts';

export interface BlockConfig {
  n_head: number;
  layer_norm_epsilon: number;
}

export interface BlockSizes {
  batch: number;
  length: number;
  heads: number;
  headWidth: number;
  forward: number;
  eps?: number;
}

const asMatrix = (tensor: tf.Tensor): tf.Tensor2D => tensor.as2D(tensor.shape[0] ?? 0, tensor.shape[1] ?? 0);

/** A linear layer with a bias that is nowhere 0. */
export const dense = (draw: Draw, out: number, into: number): LinearParams => ({
  weight: asMatrix(draw.normal([out, into], { std: 1 / Math.sqrt(into) })),
  bias: draw.shift(out),
});

/** A norm with gains other than 1 and shifts other than 0. */
export const norm = (draw: Draw, width: number): LayerNormParams => ({
  weight: draw.gain(width),
  bias: draw.shift(width),
});

export function blockParams(draw: Draw, { heads, headWidth, forward }: BlockSizes): GptBlockParams {
  const width = heads * headWidth;
  return {
    attentionNorm: norm(draw, width),
    attention: {
      query: dense(draw, width, width),
      key: dense(draw, width, width),
      value: dense(draw, width, width),
      output: dense(draw, width, width),
    },
    feedForwardNorm: norm(draw, width),
    feedForward: { up: dense(draw, forward, width), down: dense(draw, width, forward) },
  };
}

export type BlockArgs = [GptBlockParams, tf.Tensor, BlockConfig];

export function blockInputs(draw: Draw, sizes: BlockSizes): BlockArgs {
  const { batch, length, heads, headWidth, eps = 1e-5 } = sizes;
  return [
    blockParams(draw, sizes),
    // A mean and a spread other than 0 and 1, so that it shows whether x itself or its norm is added.
    draw.normal([batch, length, heads * headWidth], { mean: 0.3, std: 1.6 }),
    { n_head: heads, layer_norm_epsilon: eps },
  ];
}

type Unary = (x: tf.Tensor) => tf.Tensor;

/** Where a mutant may put its own. */
export interface BlockRules {
  /** combines the input of a sublayer with what the sublayer makes of it */
  join: (x: tf.Tensor, sublayer: Unary, norm: Unary) => tf.Tensor;
  activation?: Unary;
  heads?: (config: BlockConfig) => number;
  /** of the attention, [1, 1, T, T]; undefined for none */
  bias?: (length: number) => tf.Tensor | undefined;
  /** `scale` of the attention */
  scale?: number;
}

/** norm(x + sublayer(x)): GPT. */
export const postNorm: BlockRules['join'] = (x, sublayer, norm) => norm(tf.add(x, sublayer(x)));
/** x + sublayer(norm(x)): GPT-2. */
export const preNorm: BlockRules['join'] = (x, sublayer, norm) => tf.add(x, sublayer(norm(x)));

/** One block by the rules. */
export function block(
  params: GptBlockParams,
  x: tf.Tensor,
  config: BlockConfig,
  { join, activation = geluTanh, heads, bias = (length) => causalBias(length, length), scale }: BlockRules,
): tf.Tensor {
  const eps = config.layer_norm_epsilon;
  return tf.tidy(() => {
    const middle = join(
      x,
      (y) =>
        multiHeadAttention(params.attention, y, {
          numHeads: heads?.(config) ?? config.n_head,
          bias: bias(y.shape[1] ?? 0),
          scale,
        }),
      (y) => layerNorm(params.attentionNorm, y, eps),
    );
    return join(
      middle,
      (y) => linear(params.feedForward.down, activation(linear(params.feedForward.up, y))),
      (y) => layerNorm(params.feedForwardNorm, y, eps),
    );
  });
}

/** One mistake that can be made in either block. */
export interface BlockMistake {
  readonly id: string;
  readonly diagnosis: string;
  readonly rules: Partial<BlockRules>;
  /** Changes the parameters before the block runs. */
  readonly params?: (params: GptBlockParams) => GptBlockParams;
}

export const BLOCK_MISTAKES: readonly BlockMistake[] = [
  {
    id: 'no-causal-mask',
    diagnosis:
      'The attention has no mask, so each token sees those after it. Give it the bias causalBias(T, T): a language model must not read what it is to predict.',
    rules: { bias: () => undefined },
  },
  {
    id: 'mask-hides-the-past',
    diagnosis:
      'The mask is the wrong way round: each token sees itself and the future. The keys that a query may see are those at its own position and before.',
    rules: { bias: (length) => tf.transpose(causalBias(length, length), [0, 1, 3, 2]) },
  },
  {
    id: 'residual-after-norm',
    diagnosis:
      'The sum is x + norm(sublayer(x)): the output of the sublayer is normalised by itself. The norm belongs either over the whole sum (GPT) or on what goes into the sublayer (GPT-2).',
    rules: { join: (x, sublayer, norm) => tf.add(x, norm(sublayer(x))) },
  },
  {
    id: 'relu',
    diagnosis: 'The feed-forward network uses ReLU. GPT and GPT-2 use GELU, in the form with tanh.',
    rules: { activation: relu },
  },
  {
    id: 'gelu-erf',
    diagnosis:
      'The feed-forward network uses the exact GELU with erf. GPT and GPT-2 use the approximation with tanh, geluTanh; they differ by up to 4.7e-4.',
    rules: { activation: gelu },
  },
  {
    id: 'one-head',
    diagnosis: 'Attention runs with a single head over the whole width. Pass numHeads: config.n_head.',
    rules: { heads: () => 1 },
  },
  {
    id: 'norms-swapped',
    diagnosis:
      'The two norms are swapped: attentionNorm goes with the attention, feedForwardNorm with the feed-forward network.',
    rules: {},
    params: (params) => ({
      ...params,
      attentionNorm: params.feedForwardNorm,
      feedForwardNorm: params.attentionNorm,
    }),
  },
];

/** The shared mistakes as mutants of a block whose right order is `join`. */
export const blockMutants = (join: BlockRules['join']) =>
  BLOCK_MISTAKES.map(({ id, diagnosis, rules, params: change = (params) => params }) => ({
    id,
    diagnosis,
    implementation: (...[params, x, config]: BlockArgs): tf.Tensor =>
      block(change(params), x, config, { join, ...rules }),
  }));

/** For `causality`: other values in the last two positions, and the part of the result before them. */
export const otherFuture = (x: tf.Tensor, draw: Draw): tf.Tensor => {
  const [batch = 0, length = 0, width = 0] = x.shape;
  const past = tf.slice(x, [0, 0, 0], [batch, length - 2, width]);
  return tf.concat([past, draw.normal([batch, 2, width], { std: 2 })], 1);
};
export const beforeFuture = (result: unknown): unknown => {
  if (!(result instanceof tf.Tensor)) return result;
  const [batch = 0, length = 0, width = 0] = result.shape;
  return tf.slice(result, [0, 0, 0], [batch, length - 2, width]);
};

/** The signature of either block. */
export const blockSignature = (entry: string): string =>
  `${entry}(params: GptBlockParams, x: tf.Tensor /* [B, T, D] */, config: {n_head: number; layer_norm_epsilon: number}): tf.Tensor  // [B, T, D]`;

/** One case to be seen, one of other sizes, and one with an epsilon so large that a fixed one shows. */
export function blockCases(
  shown: BlockSizes,
  other: BlockSizes,
  largeEpsilon: Required<BlockSizes>,
): CaseDefinition<BlockArgs>[] {
  return [
    { name: 'two rows', visibility: 'public', inputs: (draw) => blockInputs(draw, shown) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => blockInputs(draw, other) },
    { name: 'a large epsilon', visibility: 'hidden', inputs: (draw) => blockInputs(draw, largeEpsilon) },
  ];
}

/** What holds for either block. */
export const blockProperties = (): Property[] => [
  noLeak(),
  inputsUnchanged(),
  causality<BlockArgs>({
    change: ([params, x, config], draw) => [params, otherFuture(x, draw), config],
    keep: beforeFuture,
  }),
  gradientsFlow(),
];
