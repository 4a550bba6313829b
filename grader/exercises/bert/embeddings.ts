import * as tf from '@tensorflow/tfjs-core';
import { embed, type LayerNormParams, layerNorm } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  wordEmbeddings: { weight: tf.Tensor };
  positionEmbeddings: { weight: tf.Tensor };
  tokenTypeEmbeddings: { weight: tf.Tensor };
  layerNorm: LayerNormParams;
}

interface Inputs {
  inputIds: tf.Tensor;
  tokenTypeIds: tf.Tensor;
}

interface Config {
  layer_norm_eps: number;
}

interface Sizes {
  batch: number;
  length: number;
  width: number;
  vocabulary: number;
  positions: number;
  eps?: number;
}

/** Segments change at another place in every row, so that nothing but the ids given can be right. */
function inputs(
  draw: Draw,
  { batch, length, width, vocabulary, positions, eps = 1e-12 }: Sizes,
): [Params, Inputs, Config] {
  const segments = Array.from({ length: batch }, () => {
    const first = 1 + draw.rng.integer(length - 1);
    return Array.from({ length }, (_, i) => (i < first ? 0 : 1));
  });
  return [
    {
      wordEmbeddings: { weight: draw.normal([vocabulary, width]) },
      positionEmbeddings: { weight: draw.normal([positions, width]) },
      tokenTypeEmbeddings: { weight: draw.normal([2, width]) },
      layerNorm: { weight: draw.gain(width), bias: draw.shift(width) },
    },
    {
      inputIds: draw.integers([batch, length], 0, vocabulary),
      tokenTypeIds: tf.tensor2d(segments, [batch, length], 'int32'),
    },
    { layer_norm_eps: eps },
  ];
}

/** The sum of the three tables' rows, each optional: what the mutants vary. */
function sum(params: Params, { inputIds, tokenTypeIds }: Inputs, firstPosition = 0): tf.Tensor {
  const length = inputIds.shape[1] ?? 0;
  const words = embed(params.wordEmbeddings.weight, inputIds); // [B, T, D]
  const positions = tf.slice(params.positionEmbeddings.weight, [firstPosition, 0], [length, -1]); // [T, D]
  const types = embed(params.tokenTypeEmbeddings.weight, tokenTypeIds); // [B, T, D]
  return tf.add(tf.add(words, types), positions);
}

export default defineExercise({
  id: 'bert/embeddings',
  title: 'Embeddings: token, segment and position',
  points: 2,
  entry: 'bertEmbeddings',
  difficulty: 1,
  minutes: 15,
  signature:
    'bertEmbeddings(params: BertEmbeddingsParams, inputs: {inputIds, tokenTypeIds: int32 [B, T]}, config: {layer_norm_eps}): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'inputs', 'config'],
  tolerance: { ...FLOAT32, reason: 'a sum of three and a norm in float32' },
  reference: (params: Params, given: Inputs, config: Config) =>
    tf.tidy(() => layerNorm(params.layerNorm, sum(params, given), config.layer_norm_eps)),
  variants: [
    {
      name: 'one-hot products instead of lookups, another order of the sum',
      implementation: (params, { inputIds, tokenTypeIds }, config) =>
        tf.tidy(() => {
          const lookUp = (table: tf.Tensor, ids: tf.Tensor): tf.Tensor =>
            tf.reshape(
              tf.matMul(
                tf.cast(tf.oneHot(tf.reshape(tf.cast(ids, 'int32'), [-1]), table.shape[0] ?? 0), 'float32'),
                table,
              ),
              [...ids.shape, -1],
            );
          const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [inputIds.shape[1] ?? 0, -1]);
          const total = tf.add(
            positions,
            tf.add(
              lookUp(params.tokenTypeEmbeddings.weight, tokenTypeIds),
              lookUp(params.wordEmbeddings.weight, inputIds),
            ),
          );
          return layerNorm(params.layerNorm, total, config.layer_norm_eps);
        }),
    },
  ],
  mutants: [
    {
      id: 'norm-before-sum',
      diagnosis:
        'The norm is applied to the token embeddings before the others are added. BERT adds all three first and normalises the sum: move layerNorm to the end.',
      implementation: (params, { inputIds, tokenTypeIds }, config) =>
        tf.tidy(() => {
          const words = layerNorm(
            params.layerNorm,
            embed(params.wordEmbeddings.weight, inputIds),
            config.layer_norm_eps,
          );
          const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [inputIds.shape[1] ?? 0, -1]);
          return tf.add(tf.add(words, embed(params.tokenTypeEmbeddings.weight, tokenTypeIds)), positions);
        }),
    },
    {
      id: 'first-separator-in-second-segment',
      diagnosis:
        'The last position of the first segment, its [SEP], is counted as segment 1. Use tokenTypeIds as they are: the first [SEP] closes segment 0 and belongs to it.',
      implementation: (params, { inputIds, tokenTypeIds }, config) =>
        tf.tidy(() => {
          // Each position takes the segment of the one after it.
          const [, length = 0] = tokenTypeIds.shape;
          const early = tf.concat(
            [tf.slice(tokenTypeIds, [0, 1]), tf.slice(tokenTypeIds, [0, length - 1])],
            1,
          );
          return layerNorm(
            params.layerNorm,
            sum(params, { inputIds, tokenTypeIds: early }),
            config.layer_norm_eps,
          );
        }),
    },
    {
      id: 'no-segments',
      diagnosis:
        'The segment embeddings are left out: add the row of tokenTypeEmbeddings that tokenTypeIds names.',
      implementation: (params, { inputIds }, config) =>
        tf.tidy(() => {
          const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [inputIds.shape[1] ?? 0, -1]);
          const total = tf.add(embed(params.wordEmbeddings.weight, inputIds), positions);
          return layerNorm(params.layerNorm, total, config.layer_norm_eps);
        }),
    },
    {
      id: 'no-positions',
      diagnosis:
        'The position embeddings are left out: without them BERT reads a bag of words. Add row i of positionEmbeddings at position i.',
      implementation: (params, { inputIds, tokenTypeIds }, config) =>
        tf.tidy(() => {
          const total = tf.add(
            embed(params.wordEmbeddings.weight, inputIds),
            embed(params.tokenTypeEmbeddings.weight, tokenTypeIds),
          );
          return layerNorm(params.layerNorm, total, config.layer_norm_eps);
        }),
    },
    {
      id: 'positions-from-one',
      diagnosis: 'Positions are counted from 1. The first token is at position 0.',
      implementation: (params, given, config) =>
        tf.tidy(() => layerNorm(params.layerNorm, sum(params, given, 1), config.layer_norm_eps)),
    },
    {
      id: 'norm-forgotten',
      diagnosis: 'The three embeddings are added, but the sum is not normalised: finish with layerNorm.',
      implementation: (params, given) => tf.tidy(() => sum(params, given)),
    },
    {
      id: 'eps-fixed',
      diagnosis: 'The norm does not use the eps of the config. Pass config.layer_norm_eps on.',
      implementation: (params, given) => tf.tidy(() => layerNorm(params.layerNorm, sum(params, given), 1e-5)),
    },
  ],
  cases: [
    {
      name: 'two short rows',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, width: 6, vocabulary: 11, positions: 9 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 7, width: 10, vocabulary: 23, positions: 8 }),
    },
    {
      name: 'a large eps',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, { batch: 1, length: 4, width: 12, vocabulary: 13, positions: 6, eps: 0.5 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Three tables, three lookups, one sum, one norm. Which table is looked up by something that is not given as an argument?',
    'inputIds [B, T] → words [B, T, D]; tokenTypeIds [B, T] → segments [B, T, D]; rows 0…T−1 of the positions [T, D], broadcast over B; sum [B, T, D]; norm [B, T, D].',
    'e = LayerNorm(W[ids] + S[segments] + P[0…T−1]). Devlin et al., 2019, "BERT", figure 2; the norm follows the released code.',
  ],
});
