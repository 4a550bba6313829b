import * as tf from '@tensorflow/tfjs-core';
import { paddingBias } from '../../../src/core/index.ts';
import {
  type Draw,
  defineExercise,
  gradientsFlow,
  inputsUnchanged,
  noLeak,
  paddingInvariance,
} from '../../define.ts';
import {
  LAYER_MISTAKES,
  type LayerConfig,
  type LayerParams,
  type LayerSizes,
  layer,
  layerParams,
} from './layer.ts';

type Args = [LayerParams[], tf.Tensor, tf.Tensor2D, LayerConfig];

function inputs(draw: Draw, numLayers: number, sizes: LayerSizes): Args {
  const { batch, length, heads, headWidth, eps = 1e-12 } = sizes;
  return [
    Array.from({ length: numLayers }, () => layerParams(draw, sizes)),
    draw.normal([batch, length, heads * headWidth]),
    draw.mask(batch, length),
    { num_attention_heads: heads, layer_norm_eps: eps },
  ];
}

/** The layers one after another, each by `step`. */
const stack = (
  layers: readonly LayerParams[],
  hidden: tf.Tensor,
  step: (params: LayerParams, x: tf.Tensor) => tf.Tensor,
): tf.Tensor => tf.tidy(() => layers.reduce((x, params) => step(params, x), hidden));

/** Keeps what stands at real tokens: the rest is nobody's business. */
const atTokens = (hidden: tf.Tensor, mask: tf.Tensor): tf.Tensor =>
  tf.tidy(() => tf.mul(hidden, tf.expandDims(tf.cast(mask, 'float32'), -1)));

/** Only real tokens are compared: what BERT computes at padding means nothing. */
const answer = (
  layers: LayerParams[],
  hidden: tf.Tensor,
  mask: tf.Tensor2D,
  config: LayerConfig,
): tf.Tensor =>
  tf.tidy(() => {
    const bias = paddingBias(mask);
    return stack(layers, hidden, (params, x) => layer(params, x, bias, config));
  });

export default defineExercise<Args>({
  id: 'bert/encoder',
  title: 'The encoder: layers, and the padding between them',
  points: 2,
  entry: 'bertEncoder',
  difficulty: 2,
  minutes: 20,
  signature:
    'bertEncoder(layers: BertLayerParams[], hidden: tf.Tensor /* [B, T, D] */, attentionMask: tf.Tensor2D /* [B, T], 1 = token */, config: {num_attention_heads: number; layer_norm_eps: number}): tf.Tensor  // [B, T, D]',
  parameters: ['layers', 'hidden', 'attentionMask', 'config'],
  tolerance: {
    absolute: 5e-5,
    relative: 2e-5,
    reason: 'up to four layers in float32, each adding its rounding',
  },
  reference: answer,
  variants: [
    {
      name: 'a loop, the bias made anew for every layer',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          let x = hidden;
          for (const params of layers) x = layer(params, x, paddingBias(mask), config);
          return x;
        }),
    },
    {
      name: 'a bias of −10,000 at padding, as the first releases of BERT had',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const soft = tf.mul(tf.sub(1, tf.cast(mask, 'float32')), -10_000);
          const bias = tf.expandDims(tf.expandDims(soft, 1), 1);
          return stack(layers, hidden, (params, x) => layer(params, x, bias, config));
        }),
    },
  ],
  mutants: [
    ...LAYER_MISTAKES.filter(({ id }) => id === 'pre-norm' || id === 'residual-after-norm').map(
      ({ id, diagnosis, rules }) => ({
        id,
        diagnosis,
        implementation: (...[layers, hidden, mask, config]: Args) =>
          tf.tidy(() => {
            const bias = paddingBias(mask);
            return stack(layers, hidden, (params, x) => layer(params, x, bias, config, rules));
          }),
      }),
    ),
    {
      id: 'mask-ignored',
      diagnosis:
        'The attentionMask is not used: real tokens attend to padding. Turn it into a bias once with paddingBias and give it to every layer.',
      implementation: (layers, hidden, _mask, config) =>
        stack(layers, hidden, (params, x) => layer(params, x, undefined, config)),
    },
    {
      id: 'mask-as-bias',
      diagnosis:
        'The mask itself is added to the scores: 1 for tokens and 0 for padding hardly hides anything. It must become 0 for tokens and a very negative number for padding: paddingBias does it.',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const bias = tf.expandDims(tf.expandDims(tf.cast(mask, 'float32'), 1), 1);
          return stack(layers, hidden, (params, x) => layer(params, x, bias, config));
        }),
    },
    {
      id: 'mask-inverted',
      diagnosis:
        'The mask is inverted: the tokens are hidden and the padding is seen. 1 in the attentionMask means token.',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const inverted: tf.Tensor2D = tf.sub(1, tf.cast(mask, 'float32'));
          const bias = paddingBias(inverted);
          return stack(layers, hidden, (params, x) => layer(params, x, bias, config));
        }),
    },
    {
      id: 'mask-in-the-first-layer-only',
      diagnosis: 'Only the first layer gets the bias. Every layer attends, so every layer needs it.',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const bias = paddingBias(mask);
          return layers.reduce(
            (x, params, i) => layer(params, x, i === 0 ? bias : undefined, config),
            hidden,
          );
        }),
    },
    {
      id: 'one-layer-repeated',
      diagnosis:
        "The first layer's parameters are used in every layer. (That is ALBERT; BERT has its own for each.)",
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const bias = paddingBias(mask);
          const first = layers[0];
          return first === undefined
            ? hidden
            : stack(
                layers.map(() => first),
                hidden,
                (params, x) => layer(params, x, bias, config),
              );
        }),
    },
    {
      id: 'layers-reversed',
      diagnosis: 'The layers run from the last to the first. layers[0] comes first.',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const bias = paddingBias(mask);
          return stack([...layers].reverse(), hidden, (params, x) => layer(params, x, bias, config));
        }),
    },
    {
      id: 'last-layer-left-out',
      diagnosis: 'The last layer is left out.',
      implementation: (layers, hidden, mask, config) =>
        tf.tidy(() => {
          const bias = paddingBias(mask);
          // clone: without any layer the result would be the input itself.
          return stack(layers.slice(0, -1), tf.clone(hidden), (params, x) => layer(params, x, bias, config));
        }),
    },
  ],
  cases: [
    {
      name: 'two layers, padded rows',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 2, { batch: 2, length: 6, heads: 3, headWidth: 4, forward: 20 }),
      padding: ([, , mask]) => mask,
    },
    {
      name: 'four layers, other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 4, { batch: 3, length: 5, heads: 2, headWidth: 5, forward: 14 }),
      padding: ([, , mask]) => mask,
    },
    {
      name: 'a single layer',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, 1, { batch: 2, length: 7, heads: 4, headWidth: 2, forward: 12, eps: 0.1 }),
      padding: ([, , mask]) => mask,
    },
  ],
  properties: [
    noLeak(),
    inputsUnchanged(),
    gradientsFlow(),
    paddingInvariance<Args>({
      change: ([layers, hidden, mask, config], draw) => [
        layers,
        tf.tidy(() => {
          const noise = tf.mul(
            draw.normal(hidden.shape, { std: 3 }),
            tf.sub(1, tf.expandDims(tf.cast(mask, 'float32'), -1)),
          );
          return tf.add(hidden, noise);
        }),
        mask,
        config,
      ],
      keep: (result, [, , mask]) => (result instanceof tf.Tensor ? atTokens(result, mask) : result),
    }),
  ],
  hints: [
    'A loop over the layers, the output of one the input of the next. What do all of them need that is made only once?',
    'attentionMask [B, T] → paddingBias [B, 1, 1, T]; then for each params: hidden [B, T, D] → bertLayer(params, hidden, bias, config) [B, T, D].',
    'h₀ = embeddings; hₗ = layerₗ(hₗ₋₁, bias), l = 1…L; bias = 0 for tokens, −∞ (here −1e30) for padding. Devlin et al., 2019, section 3; the mask is in the released code.',
  ],
});
