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
  id: 'gpt/post-norm-block',
  title: 'The block of GPT',
  points: 3,
  entry: 'gptBlock',
  difficulty: 3,
  minutes: 25,
  signature: blockSignature('gptBlock'),
  parameters: ['params', 'x', 'config'],
  // The two GELUs differ by 4.7e-4 at most before the last product and norm: the tolerance must stay well below.
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'six products, a softmax and two norms in float32' },
  reference: (params, x, config) => block(params, x, config, { join: postNorm }),
  variants: [
    {
      name: 'both sublayers written out, the residual from the other side',
      implementation: (params, x, config) =>
        tf.tidy(() => {
          const eps = config.layer_norm_epsilon;
          const length = x.shape[1] ?? 0;
          const attended = multiHeadAttention(params.attention, x, {
            numHeads: config.n_head,
            bias: causalBias(length, length),
          });
          const middle = layerNorm(params.attentionNorm, tf.add(attended, x), eps);
          const inner = linear(params.feedForward.down, geluTanh(linear(params.feedForward.up, middle)));
          return layerNorm(params.feedForwardNorm, tf.add(inner, middle), eps);
        }),
    },
  ],
  mutants: [
    {
      id: 'pre-norm',
      diagnosis:
        'The norm comes before each sublayer: that is GPT-2. GPT normalises after the residual sum: x = norm(x + sublayer(x)).',
      implementation: (params, x, config) => block(params, x, config, { join: preNorm }),
    },
    {
      id: 'no-residual',
      diagnosis: 'The residual connections are missing: add what goes into each sublayer to what comes out.',
      implementation: (params, x, config) =>
        block(params, x, config, { join: (y, sublayer, norm) => norm(sublayer(y)) }),
    },
    {
      id: 'residual-from-the-input',
      diagnosis:
        'The second residual adds the input of the whole block. It must add what goes into the feed-forward network: the output of the first norm.',
      implementation: (params, x, config) => {
        let first = true;
        return block(params, x, config, {
          join: (y, sublayer, norm) => {
            const from = first ? y : x;
            first = false;
            return norm(tf.add(from, sublayer(y)));
          },
        });
      },
    },
    ...blockMutants(postNorm),
  ],
  cases: blockCases(
    { batch: 2, length: 5, heads: 3, headWidth: 4, forward: 20 },
    { batch: 3, length: 7, heads: 2, headWidth: 5, forward: 14 },
    { batch: 2, length: 4, heads: 5, headWidth: 2, forward: 16, eps: 0.25 },
  ),
  properties: blockProperties(),
  hints: [
    'Two sublayers, the same three steps for each: compute, add what went in, normalise. What may a token see in the first?',
    'x [B, T, D] → multiHeadAttention with the bias causalBias(T, T) [B, T, D] → + x → attentionNorm = a [B, T, D] → feedForward.up [B, T, F] → geluTanh → feedForward.down [B, T, D] → + a → feedForwardNorm [B, T, D].',
    'a = LN(x + MHA(x)); y = LN(a + W₂·GELU(W₁a + b₁) + b₂), with a causal mask. Radford et al., 2018, section 3.1, equation 2; the order of the norms is that of Vaswani et al., 2017.',
  ],
});
