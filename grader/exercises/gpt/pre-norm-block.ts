import * as tf from '@tensorflow/tfjs-core';
import { causalBias, geluTanh, layerNorm, linear, multiHeadAttention } from '../../../src/core/index.ts';
import { defineExercise } from '../../define.ts';
import {
  type BlockArgs,
  block,
  blockCases,
  blockMutants,
  blockProperties,
  blockSignature,
  postNorm,
  preNorm,
} from './block.ts';

export default defineExercise<BlockArgs>({
  id: 'gpt/pre-norm-block',
  title: 'The block of GPT-2',
  points: 3,
  entry: 'gpt2Block',
  difficulty: 2,
  minutes: 15,
  signature: blockSignature('gpt2Block'),
  parameters: ['params', 'x', 'config'],
  // Nothing normalises the sum here, so the values are larger than in the block of GPT.
  tolerance: { absolute: 3e-5, relative: 1e-5, reason: 'six products, a softmax and two norms in float32' },
  reference: (params, x, config) => block(params, x, config, { join: preNorm }),
  variants: [
    {
      name: 'what each sublayer adds, summed at the end',
      implementation: (params, x, config) =>
        tf.tidy(() => {
          const eps = config.layer_norm_epsilon;
          const length = x.shape[1] ?? 0;
          const fromAttention = multiHeadAttention(
            params.attention,
            layerNorm(params.attentionNorm, x, eps),
            { numHeads: config.n_head, bias: causalBias(length, length) },
          );
          const normed = layerNorm(params.feedForwardNorm, tf.add(x, fromAttention), eps);
          const fromForward = linear(
            params.feedForward.down,
            geluTanh(linear(params.feedForward.up, normed)),
          );
          return tf.addN([fromForward, fromAttention, x]);
        }),
    },
  ],
  mutants: [
    {
      id: 'post-norm',
      diagnosis:
        'The norm comes after the residual sum: that is GPT. GPT-2 normalises what goes into each sublayer and leaves the sum alone: x = x + sublayer(norm(x)).',
      implementation: (params, x, config) => block(params, x, config, { join: postNorm }),
    },
    {
      id: 'residual-from-the-norm',
      diagnosis:
        'The residual adds the normalised x. It must add x itself, as it came: the sum is a straight way from the first layer to the last.',
      implementation: (params, x, config) =>
        block(params, x, config, {
          join: (y, sublayer, norm) => tf.add(norm(y), sublayer(norm(y))),
        }),
    },
    {
      id: 'no-residual',
      diagnosis: 'The residual connections are missing: add what goes into each sublayer to what comes out.',
      implementation: (params, x, config) =>
        block(params, x, config, { join: (y, sublayer, norm) => sublayer(norm(y)) }),
    },
    {
      id: 'norm-after-as-well',
      diagnosis:
        'The result is normalised once more at the end of the block. In GPT-2 that happens a single time, after the last block of the stack.',
      implementation: (params, x, config) =>
        tf.tidy(() =>
          layerNorm(
            params.feedForwardNorm,
            block(params, x, config, { join: preNorm }),
            config.layer_norm_epsilon,
          ),
        ),
    },
    ...blockMutants(preNorm),
  ],
  cases: blockCases(
    { batch: 2, length: 5, heads: 2, headWidth: 6, forward: 18 },
    { batch: 3, length: 7, heads: 5, headWidth: 2, forward: 24 },
    { batch: 2, length: 4, heads: 3, headWidth: 3, forward: 16, eps: 0.5 },
  ),
  properties: blockProperties(),
  hints: [
    'The same parts as in GPT, in another order: what does the attention get to see, and what is added to its output?',
    'x [B, T, D] → attentionNorm → multiHeadAttention with the bias causalBias(T, T) → + x = a [B, T, D] → feedForwardNorm → feedForward.up [B, T, F] → geluTanh → feedForward.down → + a [B, T, D].',
    'a = x + MHA(LN(x)); y = a + W₂·GELU(W₁·LN(a) + b₁) + b₂. Radford et al., 2019, section 2.3: "Layer normalization was moved to the input of each sub-block".',
  ],
});
