import * as tf from '@tensorflow/tfjs-core';
import { geluTanh, layerNorm } from '../../../src/core/index.ts';
import {
  causality,
  type Draw,
  defineExercise,
  gradientsFlow,
  inputsUnchanged,
  noLeak,
} from '../../define.ts';
import { BLOCK_MISTAKES, type BlockConfig, beforeFuture, postNorm } from '../gpt/block.ts';
import { type ModelSizes, type StoryParams, storyLogits, storyParams } from './story-model.ts';

type Args = [StoryParams, tf.Tensor2D, BlockConfig];

function inputs(draw: Draw, sizes: ModelSizes & { batch: number; length: number; eps?: number }): Args {
  const { batch, length, heads, eps = 1e-5 } = sizes;
  return [
    storyParams(draw, sizes),
    draw.integers([batch, length], 0, sizes.vocabulary).as2D(batch, length),
    { n_head: heads, layer_norm_epsilon: eps },
  ];
}

const dense = (x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor => {
  const [batch = 0, length = 0, width = 0] = x.shape;
  const product = tf.matMul(
    tf.reshape(x, [batch * length, width]),
    weight.as2D(weight.shape[0] ?? 0, width),
    false,
    true,
  );
  const sum = bias === undefined ? product : tf.add(product, bias);
  return tf.reshape(sum, [batch, length, weight.shape[0] ?? 0]);
};

/** The whole model from TensorFlow's operations, head by head. */
function byHeads(params: StoryParams, ids: tf.Tensor2D, config: BlockConfig): tf.Tensor {
  return tf.tidy(() => {
    const [batch, length] = ids.shape;
    const eps = config.layer_norm_epsilon;
    const positions = tf.slice(params.positions, [0, 0], [length, params.positions.shape[1]]);
    let x: tf.Tensor = tf.add(tf.gather(params.tokens, ids), positions);
    const width = x.shape[2] ?? 0;
    const size = width / config.n_head;
    const past = tf.linalg.bandPart(tf.ones([length, length]), -1, 0);
    for (const { attention, attentionNorm, feedForward, feedForwardNorm } of params.blocks) {
      const seen = layerNorm(attentionNorm, x, eps);
      const [q, k, v] = [attention.query, attention.key, attention.value].map(({ weight, bias }) =>
        dense(seen, weight, bias),
      );
      if (q === undefined || k === undefined || v === undefined) throw new Error('no projections');
      const heads = Array.from({ length: config.n_head }, (_, h) => {
        const part = (y: tf.Tensor): tf.Tensor3D =>
          tf.slice(y, [0, 0, h * size], [batch, length, size]).as3D(batch, length, size);
        const scores = tf.div(tf.matMul(part(q), part(k), false, true), Math.sqrt(size));
        const weights = tf.mul(tf.exp(tf.sub(scores, tf.max(scores, -1, true))), past);
        const shares = tf.div(weights, tf.sum(weights, -1, true)).as3D(batch, length, length);
        return tf.matMul(shares, part(v));
      });
      x = tf.add(x, dense(tf.concat(heads, 2), attention.output.weight, attention.output.bias));
      const inner = dense(layerNorm(feedForwardNorm, x, eps), feedForward.up.weight, feedForward.up.bias);
      x = tf.add(x, dense(geluTanh(inner), feedForward.down.weight, feedForward.down.bias));
    }
    return dense(layerNorm(params.finalNorm, x, eps), params.tokens);
  });
}

export default defineExercise<Args>({
  id: 'capstone/model',
  title: 'The whole model',
  points: 6,
  entry: 'gpt2Logits',
  difficulty: 5,
  minutes: 90,
  signature:
    'gpt2Logits(params: {tokens /* [V, D] */; positions /* [T max, D] */; blocks: GptBlockParams[]; finalNorm: LayerNormParams}, ids: tf.Tensor2D /* int32 [B, T] */, config: {n_head: number; layer_norm_epsilon: number}): tf.Tensor  // [B, T, V]',
  parameters: ['params', 'ids', 'config'],
  tolerance: { absolute: 1e-4, relative: 2e-5, reason: 'two or three blocks and a head in float32' },
  reference: (...args) => storyLogits(...args),
  variants: [{ name: 'head by head, from basic operations', implementation: byHeads }],
  mutants: [
    {
      id: 'no-final-norm',
      diagnosis:
        'The final norm is missing. The blocks of GPT-2 normalise what they read and never the sum, so the sum is normalised once before the head.',
      implementation: (...args) => storyLogits(...args, { finalNorm: false }),
    },
    {
      id: 'no-positions',
      diagnosis:
        'The position vectors are missing: the model cannot tell the first token from the last. Add row t of the position table to token t.',
      implementation: (...args) => storyLogits(...args, { noPositions: true }),
    },
    {
      id: 'positions-from-one',
      diagnosis:
        'The first token gets the position vector 1. Positions count from 0; an offset is a thing of BART (2) and RoBERTa.',
      implementation: (...args) => storyLogits(...args, { firstPosition: 1 }),
    },
    {
      id: 'post-norm',
      diagnosis:
        'The norms come after the residual sums: that is GPT. In GPT-2 each sublayer reads the normalised sum, and the sum itself stays as it is.',
      implementation: (...args) => storyLogits(...args, { block: { join: postNorm } }),
    },
    {
      id: 'unscaled',
      diagnosis: 'The scores are not divided by √d, d being the width of a head.',
      implementation: (...args) => storyLogits(...args, { block: { scale: 1 } }),
    },
    {
      id: 'scaled-by-width',
      diagnosis:
        'The scores are divided by √D, the width of the model. It is √d, the width of one head: D/H.',
      implementation: (params, ids, config) =>
        storyLogits(params, ids, config, { block: { scale: 1 / Math.sqrt(params.tokens.shape[1]) } }),
    },
    {
      id: 'blocks-reversed',
      diagnosis: 'The blocks run from the last to the first. Block 0 is the one next to the embeddings.',
      implementation: (...args) => storyLogits(...args, { blocks: (all) => all.toReversed() }),
    },
    {
      id: 'first-block-only',
      diagnosis: 'One block is used for every layer. Each layer has parameters of its own: params.blocks[i].',
      implementation: (...args) => storyLogits(...args, { blocks: (all) => all.map((one) => all[0] ?? one) }),
    },
    {
      id: 'epsilon-fixed',
      diagnosis:
        'The norms use 1e-5 whatever the configuration says. Take layer_norm_epsilon from it: checkpoints differ.',
      implementation: (...args) =>
        storyLogits(...args, { config: (config) => ({ ...config, layer_norm_epsilon: 1e-5 }) }),
    },
    ...BLOCK_MISTAKES.filter(({ id }) => id !== 'norms-swapped').map(({ id, diagnosis, rules }) => ({
      id,
      diagnosis,
      implementation: (...args: Args): tf.Tensor => storyLogits(...args, { block: rules }),
    })),
  ],
  cases: [
    {
      name: 'two layers',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          batch: 2,
          length: 5,
          vocabulary: 17,
          positions: 9,
          layers: 2,
          heads: 3,
          headWidth: 4,
          forward: 20,
        }),
    },
    {
      name: 'a large epsilon',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          batch: 1,
          length: 4,
          vocabulary: 11,
          positions: 6,
          layers: 2,
          heads: 2,
          headWidth: 3,
          forward: 10,
          eps: 0.5,
        }),
    },
    {
      name: 'three layers',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, {
          batch: 3,
          length: 7,
          vocabulary: 23,
          positions: 10,
          layers: 3,
          heads: 2,
          headWidth: 5,
          forward: 16,
          eps: 0.01,
        }),
    },
  ],
  properties: [
    noLeak(),
    inputsUnchanged(),
    causality<Args>({
      change: ([params, ids, config], draw) => {
        const [batch, length] = ids.shape;
        const past = tf.slice(ids, [0, 0], [batch, length - 2]);
        const other = draw.integers([batch, 2], 0, params.tokens.shape[0]).as2D(batch, 2);
        return [params, tf.concat([past, other], 1), config];
      },
      keep: beforeFuture,
    }),
    gradientsFlow({
      tolerance: { absolute: 2e-3, relative: 2e-3, reason: 'a gradient through the whole model in float32' },
    }),
  ],
  hints: [
    'Three pieces: a sum of two look-ups, the blocks of chapter 09 in a row, and a comparison of the result with every row of the token table.',
    'ids [B, T] → rows of tokens [B, T, D] + rows 0 … T − 1 of positions [T, D] → each block [B, T, D] → norm with finalNorm [B, T, D] → times the token table turned [D, V] → [B, T, V]. Inside a block: norm → q, k, v [B, H, T, d] → scores [B, H, T, T] / √d, future hidden → softmax → times v → merge → output → + x; norm → up [B, T, F] → GELU (tanh) → down → + .',
    'h₀ = E[ids] + P; a = h + MHA(LN(h)); h′ = a + W₂·GELU(W₁·LN(a) + b₁) + b₂; logits = LN_f(h_L)·Eᵀ. Radford et al., 2018, section 3.1, equation 2; 2019, section 2.3.',
  ],
});
