import * as tf from '@tensorflow/tfjs-core';
import { type LayerNormParams, layerNorm } from '../../../src/core/index.ts';
import type { GptBlockParams } from '../../../src/models/gpt.ts';
import {
  causality,
  type Draw,
  defineExercise,
  gradientsFlow,
  inputsUnchanged,
  noLeak,
} from '../../define.ts';
import {
  type BlockConfig,
  type BlockSizes,
  beforeFuture,
  block,
  blockParams,
  norm,
  otherFuture,
  postNorm,
  preNorm,
} from './block.ts';

interface StackParams {
  blocks: GptBlockParams[];
  finalNorm: LayerNormParams;
}

interface StackConfig extends BlockConfig {
  norm_first: boolean;
}

type Args = [StackParams, tf.Tensor, StackConfig];

function inputs(draw: Draw, sizes: BlockSizes & { layers: number; normFirst: boolean }): Args {
  const { batch, length, heads, headWidth, layers, normFirst } = sizes;
  const width = heads * headWidth;
  return [
    { blocks: Array.from({ length: layers }, () => blockParams(draw, sizes)), finalNorm: norm(draw, width) },
    draw.normal([batch, length, width], { mean: 0.3, std: 1.6 }),
    { n_head: heads, layer_norm_epsilon: 1e-5, norm_first: normFirst },
  ];
}

/** The stack by the rules given: what the mutants vary. */
function stack(
  [params, x, config]: Args,
  {
    blocks = (all) => all,
    normFirst = config.norm_first,
    final = config.norm_first ? 'end' : 'none',
  }: {
    blocks?: (all: GptBlockParams[]) => GptBlockParams[];
    normFirst?: boolean;
    final?: 'none' | 'end' | 'start' | 'each';
  } = {},
): tf.Tensor {
  const join = normFirst ? preNorm : postNorm;
  const finish = (y: tf.Tensor): tf.Tensor => layerNorm(params.finalNorm, y, config.layer_norm_epsilon);
  return tf.tidy(() => {
    let y = final === 'start' ? finish(x) : x;
    for (const one of blocks(params.blocks)) {
      y = block(one, y, config, { join });
      if (final === 'each') y = finish(y);
    }
    return final === 'end' ? finish(y) : y;
  });
}

export default defineExercise<Args>({
  id: 'gpt/stack',
  title: 'The stack, with or without a final norm',
  points: 2,
  entry: 'gptStack',
  difficulty: 2,
  minutes: 15,
  signature:
    'gptStack(params: {blocks: GptBlockParams[]; finalNorm: LayerNormParams}, x: tf.Tensor /* [B, T, D] */, config: {n_head: number; layer_norm_epsilon: number; norm_first: boolean /* true: GPT-2 */}): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'x', 'config'],
  tolerance: { absolute: 1e-4, relative: 2e-5, reason: 'three blocks in float32, each adding its rounding' },
  reference: (...args) => stack(args),
  variants: [
    {
      name: 'a fold over the blocks',
      implementation: (params, x, config) =>
        tf.tidy(() => {
          const join = config.norm_first ? preNorm : postNorm;
          const last = params.blocks.reduce((y, one) => block(one, y, config, { join }), x);
          return config.norm_first ? layerNorm(params.finalNorm, last, config.layer_norm_epsilon) : last;
        }),
    },
  ],
  mutants: [
    {
      id: 'final-norm-on-gpt',
      diagnosis:
        'The final norm is applied to GPT as well. Its last block ends with a norm already; only GPT-2 (norm_first) has one more.',
      implementation: (...args) => stack(args, { final: 'end' }),
    },
    {
      id: 'no-final-norm',
      diagnosis:
        'The final norm of GPT-2 is missing. Its blocks normalise what goes in and nothing that comes out, so the sum must be normalised once after the last.',
      implementation: (...args) => stack(args, { final: 'none' }),
    },
    {
      id: 'final-norm-first',
      diagnosis: 'The final norm is applied before the first block. It comes after the last.',
      implementation: (...args) => stack(args, { final: args[2].norm_first ? 'start' : 'none' }),
    },
    {
      id: 'final-norm-in-each',
      diagnosis: 'The final norm is applied after every block. It comes once, after the last.',
      implementation: (...args) => stack(args, { final: args[2].norm_first ? 'each' : 'none' }),
    },
    {
      id: 'orders-swapped',
      diagnosis:
        'The blocks run in the wrong order of norm and sum: norm_first true is GPT-2 (norm, then sublayer), false is GPT.',
      implementation: (...args) => stack(args, { normFirst: !args[2].norm_first }),
    },
    {
      id: 'blocks-reversed',
      diagnosis: 'The blocks run from the last to the first. Block 0 is the one next to the embeddings.',
      implementation: (...args) => stack(args, { blocks: (all) => all.toReversed() }),
    },
    {
      id: 'first-block-only',
      diagnosis:
        'The first block is used for every layer. Each layer has parameters of its own: params.blocks[i].',
      implementation: (...args) => stack(args, { blocks: (all) => all.map((one) => all[0] ?? one) }),
    },
  ],
  cases: [
    {
      name: 'GPT-2, two blocks',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          layers: 2,
          normFirst: true,
          batch: 2,
          length: 5,
          heads: 3,
          headWidth: 2,
          forward: 14,
        }),
    },
    {
      name: 'GPT, two blocks',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          layers: 2,
          normFirst: false,
          batch: 2,
          length: 4,
          heads: 2,
          headWidth: 4,
          forward: 10,
        }),
    },
    {
      name: 'GPT-2, three blocks',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, {
          layers: 3,
          normFirst: true,
          batch: 3,
          length: 4,
          heads: 2,
          headWidth: 3,
          forward: 12,
        }),
    },
    {
      name: 'GPT, three blocks',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, {
          layers: 3,
          normFirst: false,
          batch: 2,
          length: 6,
          heads: 3,
          headWidth: 3,
          forward: 11,
        }),
    },
  ],
  properties: [
    noLeak(),
    inputsUnchanged(),
    causality<Args>({
      change: ([params, x, config], draw) => [params, otherFuture(x, draw), config],
      keep: beforeFuture,
    }),
    gradientsFlow({
      tolerance: { absolute: 5e-4, relative: 2e-3, reason: 'a gradient through the whole stack in float32' },
    }),
  ],
  hints: [
    'The output of a block is the input of the next. Is what leaves the last one normalised already?',
    'x [B, T, D]; for each of params.blocks: x = gpt2Block(…) where config.norm_first, else gptBlock(…) [B, T, D]; then, where config.norm_first, layerNorm(params.finalNorm, x, config.layer_norm_epsilon).',
    'hₗ = block(hₗ₋₁), l = 1 … L; GPT: h_L; GPT-2: LN_f(h_L). Radford et al., 2018, equation 2; Radford et al., 2019, section 2.3: "an additional layer normalization was added after the final self-attention block".',
  ],
});
