import * as tf from '@tensorflow/tfjs-core';
import {
  embed,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
} from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  wordEmbeddings: { weight: tf.Tensor2D };
  positionEmbeddings: { weight: tf.Tensor2D };
  tokenTypeEmbeddings: { weight: tf.Tensor2D };
  layerNorm: LayerNormParams;
  projection: LinearParams;
}

type Args = [Params, tf.Tensor2D, tf.Tensor2D, { layer_norm_eps: number }];

interface Sizes {
  batch: number;
  length: number;
  embedding: number;
  width: number;
  vocabulary: number;
}

function inputs(draw: Draw, { batch, length, embedding, width, vocabulary }: Sizes): Args {
  const table = (rows: number): { weight: tf.Tensor2D } => ({
    weight: draw.normal([rows, embedding]).as2D(rows, embedding),
  });
  const ids = (high: number): tf.Tensor2D => draw.integers([batch, length], 0, high).as2D(batch, length);
  return [
    {
      wordEmbeddings: table(vocabulary),
      positionEmbeddings: table(length + 3),
      tokenTypeEmbeddings: table(2),
      layerNorm: { weight: draw.gain(embedding), bias: draw.shift(embedding) },
      projection: {
        weight: draw.normal([width, embedding], { std: 0.5 }).as2D(width, embedding),
        bias: draw.shift(width),
      },
    },
    ids(vocabulary),
    ids(2),
    { layer_norm_eps: 1e-12 },
  ];
}

interface Rules {
  words?: (params: Params, words: tf.Tensor) => tf.Tensor;
  normAfter?: boolean;
  norm?: boolean;
  bias?: boolean;
  segments?: boolean;
  positions?: boolean;
}

function embeddings([params, ids, types, config]: Args, rules: Rules = {}): tf.Tensor {
  return tf.tidy(() => {
    const [, length] = ids.shape;
    const normed = (x: tf.Tensor): tf.Tensor => layerNorm(params.layerNorm, x, config.layer_norm_eps);
    const up = (x: tf.Tensor): tf.Tensor =>
      linear(rules.bias === false ? { weight: params.projection.weight } : params.projection, x);
    let sum = embed(params.wordEmbeddings.weight, ids); // [B, T, E]
    if (rules.segments !== false) sum = tf.add(sum, embed(params.tokenTypeEmbeddings.weight, types));
    if (rules.positions !== false)
      sum = tf.add(sum, tf.slice(params.positionEmbeddings.weight, [0, 0], [length, -1]));
    if (rules.norm === false) return up(sum);
    return rules.normAfter ? normed(up(sum)) : up(normed(sum)); // [B, T, D]
  });
}

export default defineExercise<Args>({
  id: 'albert/factorised-embeddings',
  title: 'Embeddings in two steps',
  points: 2,
  entry: 'albertEmbeddings',
  difficulty: 2,
  minutes: 20,
  signature:
    'albertEmbeddings(params: AlbertEmbeddingsParams, inputIds: tf.Tensor2D /* int32 [B, T] */, tokenTypeIds: tf.Tensor2D /* int32 [B, T] */, config: {layer_norm_eps: number}): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'inputIds', 'tokenTypeIds', 'config'],
  tolerance: { ...FLOAT32, absolute: 2e-5, reason: 'a sum of three, a norm and a product over E in float32' },
  reference: (...args) => embeddings(args),
  variants: [
    {
      name: 'the projection as a plain product',
      implementation: (params, ids, types, config) =>
        tf.tidy(() => {
          const [, length] = ids.shape;
          const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [length, -1]);
          const sum = tf.add(
            positions,
            tf.add(embed(params.tokenTypeEmbeddings.weight, types), embed(params.wordEmbeddings.weight, ids)),
          );
          const normed = layerNorm(params.layerNorm, sum, config.layer_norm_eps);
          const { weight, bias } = params.projection;
          const flat = tf.reshape(normed, [-1, weight.shape[1] ?? 1]);
          const up = tf.add(tf.matMul(flat, weight, false, true), bias ?? 0);
          return tf.reshape(up, [...ids.shape, weight.shape[0]]);
        }),
    },
  ],
  mutants: [
    {
      id: 'norm-after-projection',
      diagnosis:
        'The norm comes after the projection. It has gains for E numbers and works on the sum of the embeddings, before they go up to D.',
      implementation: (...args) => embeddings(args, { normAfter: true }),
    },
    {
      id: 'no-norm',
      diagnosis: 'The norm is missing. The sum is normalised in width E, then projected.',
      implementation: (...args) => embeddings(args, { norm: false }),
    },
    {
      id: 'no-bias',
      diagnosis: 'The bias of the projection is left out. lab.linear adds it.',
      implementation: (...args) => embeddings(args, { bias: false }),
    },
    {
      id: 'not-projected',
      diagnosis:
        'The embeddings stay in width E. The layers work in width D: apply params.projection at the end.',
      implementation: (params, ids, types, config) =>
        tf.tidy(() => {
          const [, length] = ids.shape;
          const sum = tf.add(
            tf.add(embed(params.wordEmbeddings.weight, ids), embed(params.tokenTypeEmbeddings.weight, types)),
            tf.slice(params.positionEmbeddings.weight, [0, 0], [length, -1]),
          );
          return layerNorm(params.layerNorm, sum, config.layer_norm_eps);
        }),
    },
    {
      id: 'no-segments',
      diagnosis: 'The segment embeddings are left out.',
      implementation: (...args) => embeddings(args, { segments: false }),
    },
    {
      id: 'no-positions',
      diagnosis: 'The position embeddings are left out.',
      implementation: (...args) => embeddings(args, { positions: false }),
    },
  ],
  cases: [
    {
      // As wide as the model, so that a norm in the wrong place runs and can be named.
      name: 'an embedding as wide as the model',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, embedding: 6, width: 6, vocabulary: 11 }),
    },
    {
      name: 'a narrow embedding',
      visibility: 'public',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, embedding: 4, width: 9, vocabulary: 13 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 7, embedding: 5, width: 12, vocabulary: 17 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Up to the norm it is BERT, only narrower. What is left to do?',
    'ids [B, T] → words [B, T, E] + segments [B, T, E] + positions [T, E] → norm over E → linear with a weight [D, E] → [B, T, D].',
    'h = W·LN(word + segment + position) + b, W of shape [D, E]. Lan et al., 2020, "ALBERT", section 3.1, factorized embedding parameterization; the order follows the released code.',
  ],
});
