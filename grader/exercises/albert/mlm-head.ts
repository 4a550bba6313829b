import * as tf from '@tensorflow/tfjs-core';
import {
  geluTanh,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
} from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  dense: LinearParams;
  layerNorm: LayerNormParams;
  bias: tf.Tensor1D;
}

type Args = [Params, tf.Tensor2D, tf.Tensor, { layer_norm_eps: number }];

interface Sizes {
  batch: number;
  length: number;
  embedding: number;
  width: number;
  vocabulary: number;
}

function inputs(draw: Draw, { batch, length, embedding, width, vocabulary }: Sizes): Args {
  return [
    {
      dense: {
        weight: draw.normal([embedding, width], { std: 1 / Math.sqrt(width) }).as2D(embedding, width),
        bias: draw.shift(embedding),
      },
      layerNorm: { weight: draw.gain(embedding), bias: draw.shift(embedding) },
      bias: draw.shift(vocabulary),
    },
    draw.normal([vocabulary, embedding], { std: 0.5 }).as2D(vocabulary, embedding),
    draw.normal([batch, length, width]),
    { layer_norm_eps: 1e-12 },
  ];
}

const detached = (words: tf.Tensor2D): tf.Tensor2D =>
  tf.customGrad<tf.Tensor2D>(() => ({ value: tf.clone(words), gradFunc: () => tf.zerosLike(words) }))(words);

interface Rules {
  transform?: (params: Params, hidden: tf.Tensor, eps: number) => tf.Tensor;
  words?: (words: tf.Tensor2D) => tf.Tensor2D;
  bias?: boolean;
}

function head([params, words, hidden, config]: Args, rules: Rules = {}): tf.Tensor {
  const {
    transform = (p, x, eps) => layerNorm(p.layerNorm, geluTanh(linear(p.dense, x)), eps),
    words: own = (table) => table,
  } = rules;
  return tf.tidy(() => {
    const narrow = transform(params, hidden, config.layer_norm_eps); // [B, T, E]
    const scores = linear({ weight: own(words) }, narrow); // [B, T, V]
    return rules.bias === false ? scores : tf.add(scores, params.bias);
  });
}

export default defineExercise<Args>({
  id: 'albert/mlm-head',
  title: 'The masked-LM head goes down to E',
  points: 2,
  entry: 'albertHead',
  difficulty: 2,
  minutes: 15,
  signature:
    'albertHead(params: {dense: LinearParams /* D → E */; layerNorm: LayerNormParams; bias: tf.Tensor1D /* [V] */}, wordEmbeddings: tf.Tensor2D /* [V, E] */, hidden: tf.Tensor /* [B, T, D] */, config: {layer_norm_eps: number}): tf.Tensor  // [B, T, V]',
  parameters: ['params', 'wordEmbeddings', 'hidden', 'config'],
  tolerance: {
    absolute: 2e-5,
    relative: 1e-5,
    reason: 'two products and a norm in float32; the two GELUs are 4.7e-4 apart',
  },
  reference: (...args) => head(args),
  variants: [
    {
      name: 'as a product of matrices',
      implementation: (params, words, hidden, config) =>
        tf.tidy(() => {
          const narrow = layerNorm(
            params.layerNorm,
            geluTanh(linear(params.dense, hidden)),
            config.layer_norm_eps,
          );
          const flat = tf.reshape(narrow, [-1, words.shape[1]]);
          const scores = tf.add(tf.matMul(flat, tf.transpose(words)), params.bias);
          return tf.reshape(scores, [...hidden.shape.slice(0, -1), words.shape[0]]);
        }),
    },
  ],
  mutants: [
    {
      id: 'head-at-model-width',
      diagnosis:
        'The hidden states are compared with the words as they are, in width D. The head first goes down to width E with params.dense, GELU and the norm.',
      implementation: (...args) => head(args, { transform: (_params, hidden) => hidden }),
    },
    {
      id: 'untied-copy',
      diagnosis:
        'The values are right, but no gradient reaches wordEmbeddings: the head works with a copy. It must use the embedding table itself.',
      implementation: (...args) => head(args, { words: detached }),
    },
    {
      id: 'bias-lost',
      diagnosis: 'The bias [V] is not added.',
      implementation: (...args) => head(args, { bias: false }),
    },
    {
      id: 'no-norm',
      diagnosis: 'The norm behind the GELU is missing.',
      implementation: (...args) =>
        head(args, { transform: (p, hidden) => geluTanh(linear(p.dense, hidden)) }),
    },
    {
      id: 'no-gelu',
      diagnosis: 'The GELU between the dense layer and the norm is missing.',
      implementation: (...args) =>
        head(args, { transform: (p, hidden, eps) => layerNorm(p.layerNorm, linear(p.dense, hidden), eps) }),
    },
    {
      id: 'norm-before-gelu',
      diagnosis: 'The norm comes before the GELU. The order is dense, GELU, norm.',
      implementation: (...args) =>
        head(args, {
          transform: (p, hidden, eps) => geluTanh(layerNorm(p.layerNorm, linear(p.dense, hidden), eps)),
        }),
    },
  ],
  cases: [
    {
      // As wide as the model, so that a head in the wrong width runs and can be named.
      name: 'an embedding as wide as the model',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, embedding: 6, width: 6, vocabulary: 11 }),
    },
    {
      name: 'a narrow embedding',
      visibility: 'public',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 2, length: 4, embedding: 5, width: 9, vocabulary: 13 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 3, embedding: 7, width: 12, vocabulary: 17 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow({ weight: 2 })],
  hints: [
    'The table that is to be compared with has width E. What must happen to the states before?',
    'hidden [B, T, D] → dense [B, T, E] → gelu (with tanh) → layerNorm over E → · wordEmbeddingsᵀ [E, V] → [B, T, V] → + bias [V].',
    'z = LN(GELU(W·h + b))·Eᵀ + c, W of shape [E, D]. Lan et al., 2020, "ALBERT": the head is in the released code, which uses GELU with tanh (gelu_new).',
  ],
});
