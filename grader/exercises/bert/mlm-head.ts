import * as tf from '@tensorflow/tfjs-core';
import { gelu, type LayerNormParams, type LinearParams, layerNorm, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  dense: LinearParams;
  layerNorm: LayerNormParams;
  bias: tf.Tensor;
}

type Args = [Params, tf.Tensor2D, tf.Tensor, { layer_norm_eps: number }];

interface Sizes {
  batch: number;
  length: number;
  width: number;
  vocabulary: number;
  eps?: number;
}

function inputs(draw: Draw, { batch, length, width, vocabulary, eps = 1e-12 }: Sizes): Args {
  const matrix = (rows: number, std: number): tf.Tensor2D =>
    draw.normal([rows, width], { std }).as2D(rows, width);
  return [
    {
      dense: { weight: matrix(width, 1 / Math.sqrt(width)), bias: draw.shift(width) },
      layerNorm: { weight: draw.gain(width), bias: draw.shift(width) },
      bias: draw.shift(vocabulary),
    },
    matrix(vocabulary, 0.5),
    draw.normal([batch, length, width]),
    { layer_norm_eps: eps },
  ];
}

interface Rules {
  transform?: (params: Params, hidden: tf.Tensor, eps: number) => tf.Tensor;
  bias?: boolean;
}

/** The same numbers without the way back: what copying a table into a new tensor amounts to. */
const detached = (words: tf.Tensor2D): tf.Tensor2D =>
  tf.customGrad<tf.Tensor2D>(() => ({ value: tf.clone(words), gradFunc: () => tf.zerosLike(words) }))(words);

const transform = (params: Params, hidden: tf.Tensor, eps: number): tf.Tensor =>
  layerNorm(params.layerNorm, gelu(linear(params.dense, hidden)), eps);

/** The head by the rules: what the mutants vary. */
function head([params, words, hidden, config]: Args, rules: Rules = {}): tf.Tensor {
  return tf.tidy(() => {
    const states = (rules.transform ?? transform)(params, hidden, config.layer_norm_eps); // [B, T, D]
    const scores = linear({ weight: words }, states); // [B, T, V]
    return rules.bias === false ? scores : tf.add(scores, params.bias);
  });
}

export default defineExercise<Args>({
  id: 'bert/mlm-head',
  title: 'The masked-LM head',
  points: 2,
  entry: 'mlmHead',
  difficulty: 2,
  minutes: 20,
  signature:
    'mlmHead(params: {dense: LinearParams; layerNorm: LayerNormParams; bias: tf.Tensor /* [V] */}, wordEmbeddings: tf.Tensor2D /* [V, D] */, hidden: tf.Tensor /* [B, T, D] */, config: {layer_norm_eps: number}): tf.Tensor  // [B, T, V]',
  parameters: ['params', 'wordEmbeddings', 'hidden', 'config'],
  // Small enough that the two GELUs, 4.7e-4 apart at most, do not pass for each other.
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'two products over D and a norm in float32' },
  reference: (...args) => head(args),
  variants: [
    {
      name: 'as a product of matrices [B·T, D] · [D, V]',
      implementation: (params, words, hidden, config) =>
        tf.tidy(() => {
          const states = transform(params, hidden, config.layer_norm_eps);
          const flat = tf.reshape(states, [-1, words.shape[1]]);
          const scores = tf.add(tf.matMul(flat, tf.transpose(words)), params.bias);
          return tf.reshape(scores, [...hidden.shape.slice(0, -1), words.shape[0]]);
        }),
    },
  ],
  mutants: [
    {
      id: 'untied-copy',
      diagnosis:
        'The values are right, but no gradient reaches wordEmbeddings: the head works with a copy. It must use the embedding table itself, so that both train the same numbers.',
      implementation: (params, words, hidden, config) => head([params, detached(words), hidden, config]),
    },
    {
      id: 'bias-lost',
      diagnosis:
        'The bias [V] is not added. The decoder has no weight of its own, but it does have its own bias.',
      implementation: (...args) => head(args, { bias: false }),
    },
    {
      id: 'no-transform',
      diagnosis:
        'The states go straight to the vocabulary. BERT puts a dense layer, GELU and a norm between: linear(params.dense, …), gelu, layerNorm.',
      implementation: (...args) => head(args, { transform: (_params, hidden) => hidden }),
    },
    {
      id: 'no-norm',
      diagnosis: 'The norm behind the GELU is missing.',
      implementation: (...args) =>
        head(args, { transform: (params, hidden) => gelu(linear(params.dense, hidden)) }),
    },
    {
      id: 'norm-before-gelu',
      diagnosis: 'The norm comes before the GELU. The order is dense, GELU, norm.',
      implementation: (...args) =>
        head(args, {
          transform: (params, hidden, eps) =>
            gelu(layerNorm(params.layerNorm, linear(params.dense, hidden), eps)),
        }),
    },
    {
      id: 'no-gelu',
      diagnosis: 'The GELU between the dense layer and the norm is missing.',
      implementation: (...args) =>
        head(args, {
          transform: (params, hidden, eps) => layerNorm(params.layerNorm, linear(params.dense, hidden), eps),
        }),
    },
    {
      id: 'probabilities',
      diagnosis: 'A softmax is applied. The head returns logits; the loss takes the softmax.',
      implementation: (...args) => tf.tidy(() => tf.softmax(head(args))),
    },
  ],
  cases: [
    {
      name: 'two rows',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, width: 6, vocabulary: 13 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 4, width: 10, vocabulary: 17 }),
    },
    {
      name: 'a large eps',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 1, length: 3, width: 8, vocabulary: 9, eps: 0.5 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow({ weight: 2 })],
  hints: [
    'The head maps D to V, and a table of V rows of width D already exists. How do you multiply with it?',
    'hidden [B, T, D] → dense [B, T, D] → gelu → layerNorm → · wordEmbeddingsᵀ [D, V] → [B, T, V] → + bias [V]. linear({weight: wordEmbeddings, bias}, x) multiplies with the transpose.',
    'z = LN(GELU(W·h + b))·Eᵀ + c, E the word embeddings. Devlin et al., 2019, appendix A.2 and the released code; tied weights: Press and Wolf, 2017, "Using the output embedding to improve language models".',
  ],
});
