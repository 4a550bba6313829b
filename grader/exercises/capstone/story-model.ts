/** What the exercises on the whole model share: a small GPT-2 of drawn numbers, and its logits by rules that mutants vary. */
import * as tf from '@tensorflow/tfjs-core';
import { embed, type LayerNormParams, layerNorm, linear } from '../../../src/core/index.ts';
import type { GptBlockParams } from '../../../src/models/gpt.ts';
import type { Draw } from '../../define.ts';
import { type BlockConfig, type BlockRules, block, blockParams, norm, preNorm } from '../gpt/block.ts';

export interface StoryParams {
  /** [V, D] */
  tokens: tf.Tensor2D;
  /** [T max, D] */
  positions: tf.Tensor2D;
  blocks: GptBlockParams[];
  finalNorm: LayerNormParams;
}

export interface ModelSizes {
  vocabulary: number;
  positions: number;
  layers: number;
  heads: number;
  headWidth: number;
  forward: number;
}

export function storyParams(
  draw: Draw,
  { vocabulary, positions, layers, ...sizes }: ModelSizes,
): StoryParams {
  const width = sizes.heads * sizes.headWidth;
  const table = (rows: number, std: number): tf.Tensor2D =>
    draw.normal([rows, width], { std }).as2D(rows, width);
  return {
    // Positions outweigh tokens, so that a greedy continuation does not repeat one token.
    tokens: table(vocabulary, 0.5),
    positions: table(positions, 1.5),
    blocks: Array.from({ length: layers }, () => blockParams(draw, { batch: 1, length: 1, ...sizes })),
    finalNorm: norm(draw, width),
  };
}

export interface ModelRules {
  block?: Partial<BlockRules>;
  /** position of the first token */
  firstPosition?: number | undefined;
  noPositions?: boolean;
  finalNorm?: boolean;
  blocks?: (all: GptBlockParams[]) => GptBlockParams[];
  config?: (config: BlockConfig) => BlockConfig;
}

/** Logits [B, T, V] of ids [B, T]. */
export function storyLogits(
  params: StoryParams,
  ids: tf.Tensor2D,
  given: BlockConfig,
  { firstPosition = 0, noPositions = false, finalNorm = true, ...rules }: ModelRules = {},
): tf.Tensor {
  const config = rules.config?.(given) ?? given;
  return tf.tidy(() => {
    const length = ids.shape[1];
    let x = embed(params.tokens, ids); // [B, T, D]
    if (!noPositions) {
      x = tf.add(x, tf.slice(params.positions, [firstPosition, 0], [length, params.positions.shape[1]]));
    }
    for (const one of rules.blocks?.(params.blocks) ?? params.blocks) {
      x = block(one, x, config, { join: preNorm, ...rules.block });
    }
    const last = finalNorm ? layerNorm(params.finalNorm, x, config.layer_norm_epsilon) : x;
    return linear({ weight: params.tokens }, last);
  });
}
