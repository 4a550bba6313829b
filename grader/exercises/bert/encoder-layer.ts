import * as tf from '@tensorflow/tfjs-core';
import { gelu, layerNorm, linear, multiHeadAttention, paddingBias } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';
import {
  LAYER_MISTAKES,
  type LayerConfig,
  type LayerParams,
  type LayerSizes,
  layer,
  layerParams,
} from './layer.ts';

type Args = [LayerParams, tf.Tensor, tf.Tensor, LayerConfig];

function inputs(draw: Draw, sizes: LayerSizes): Args {
  const { batch, length, heads, headWidth, eps = 1e-12 } = sizes;
  const mask = draw.mask(batch, length);
  const bias = paddingBias(mask);
  mask.dispose();
  return [
    layerParams(draw, sizes),
    draw.normal([batch, length, heads * headWidth]),
    bias,
    { num_attention_heads: heads, layer_norm_eps: eps },
  ];
}

export default defineExercise<Args>({
  id: 'bert/encoder-layer',
  title: 'The encoder layer',
  points: 3,
  entry: 'bertLayer',
  difficulty: 3,
  minutes: 30,
  signature:
    'bertLayer(params: BertLayerParams, hidden: tf.Tensor /* [B, T, D] */, bias: tf.Tensor /* [B, 1, 1, T] */, config: {num_attention_heads: number; layer_norm_eps: number}): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'hidden', 'bias', 'config'],
  // The two GELUs differ by 4.7e-4 at most before the last product and norm: the tolerance must stay well below.
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'six products, a softmax and two norms in float32' },
  reference: (params, hidden, bias, config) => layer(params, hidden, bias, config),
  variants: [
    {
      name: 'residual added from the other side, both sublayers written out',
      implementation: (params, hidden, bias, config) =>
        tf.tidy(() => {
          const eps = config.layer_norm_eps;
          const attention = multiHeadAttention(params.attention, hidden, {
            numHeads: config.num_attention_heads,
            bias,
          });
          const first = layerNorm(params.attentionNorm, tf.add(attention, hidden), eps);
          const inner = gelu(linear(params.intermediate, first));
          return layerNorm(params.outputNorm, tf.add(linear(params.output, inner), first), eps);
        }),
    },
  ],
  mutants: [
    ...LAYER_MISTAKES.map(({ id, diagnosis, rules }) => ({
      id,
      diagnosis,
      implementation: (...[params, hidden, bias, config]: Args) => layer(params, hidden, bias, config, rules),
    })),
    {
      id: 'residual-from-the-input',
      diagnosis:
        'The second residual adds the input of the whole layer. It must add the input of the feed-forward network, which is the output of the first norm.',
      implementation: (params, hidden, bias, config) =>
        tf.tidy(() => {
          const eps = config.layer_norm_eps;
          const attention = multiHeadAttention(params.attention, hidden, {
            numHeads: config.num_attention_heads,
            bias,
          });
          const first = layerNorm(params.attentionNorm, tf.add(hidden, attention), eps);
          const inner = linear(params.output, gelu(linear(params.intermediate, first)));
          return layerNorm(params.outputNorm, tf.add(hidden, inner), eps);
        }),
    },
    {
      id: 'norms-swapped',
      diagnosis:
        'The two norms are swapped: attentionNorm follows the attention, outputNorm the feed-forward network.',
      implementation: (params, hidden, bias, config) =>
        layer(
          { ...params, attentionNorm: params.outputNorm, outputNorm: params.attentionNorm },
          hidden,
          bias,
          config,
        ),
    },
  ],
  cases: [
    {
      name: 'two rows, the second padded',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, heads: 3, headWidth: 4, forward: 20 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 7, heads: 2, headWidth: 5, forward: 14 }),
    },
    {
      name: 'a large eps',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 2, length: 4, heads: 5, headWidth: 2, forward: 16, eps: 0.25 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Two sublayers, the same three steps for each: compute, add what went in, normalise. What went into the second one?',
    'hidden [B, T, D] → multiHeadAttention [B, T, D] → + hidden → attentionNorm = a [B, T, D] → intermediate [B, T, F] → gelu → output [B, T, D] → + a → outputNorm [B, T, D].',
    'a = LN(x + MHA(x)); y = LN(a + W₂·GELU(W₁a + b₁) + b₂). Vaswani et al., 2017, section 3.1 (post-LN residuals); Devlin et al., 2019, section 3 (GELU instead of ReLU: appendix A.2).',
  ],
});
