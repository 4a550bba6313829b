import * as tf from '@tensorflow/tfjs-core';
import { paddingBias, scaledDotProductAttention } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor];

interface Sizes {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  width: number;
}

function drawn(
  draw: Draw,
  { batch, heads, queries, keys, width }: Sizes,
): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const states = (length: number): tf.Tensor4D =>
    draw.normal([batch, heads, length, width], { std: 1.5 }).as4D(batch, heads, length, width);
  return [states(queries), states(keys), states(keys)];
}

/** What the mutants vary: the scale, where the bias goes, the axis, what happens to rows that see nothing. */
interface Rules {
  scale?: (q: tf.Tensor4D) => number;
  biasFirst?: boolean;
  biasAfter?: boolean;
  axis?: number;
  plainSoftmax?: boolean;
}

function attention(
  [q, k, v, bias]: Args,
  rules: Rules = {},
): { output: tf.Tensor; probabilities: tf.Tensor } {
  const { scale = (x: tf.Tensor4D) => 1 / Math.sqrt(x.shape[3]), axis = -1 } = rules;
  return tf.tidy(() => {
    const raw = tf.matMul(q, k, false, true); // [B, H, T, S]
    const scores = rules.biasFirst
      ? tf.mul(tf.add(raw, bias), scale(q))
      : rules.biasAfter
        ? tf.mul(raw, scale(q))
        : tf.add(tf.mul(raw, scale(q)), bias);
    const shifted = tf.exp(tf.sub(scores, tf.max(scores, axis, true)));
    const softmax = tf.div(shifted, tf.sum(shifted, axis, true));
    const seen = tf.cast(
      tf.greater(tf.max(tf.add(scores, tf.zerosLike(scores)), -1, true), -1e20),
      'float32',
    );
    const visible = rules.plainSoftmax ? softmax : tf.mul(softmax, seen);
    const probabilities = rules.biasAfter
      ? tf.mul(visible, tf.cast(tf.greater(bias, -1e20), 'float32'))
      : visible;
    return { output: tf.matMul(probabilities, v), probabilities };
  });
}

const LARGE: Sizes = { batch: 2, heads: 3, queries: 5, keys: 7, width: 4 };

export default defineExercise<Args>({
  id: 'architectures/scaled-attention',
  title: 'Scaled dot-product attention',
  points: 3,
  entry: 'attention',
  difficulty: 3,
  minutes: 30,
  signature:
    'attention(q: tf.Tensor4D /* [B, H, T, d] */, k: tf.Tensor4D /* [B, H, S, d] */, v: tf.Tensor4D /* [B, H, S, d] */, bias: tf.Tensor /* broadcasts to [B, H, T, S] */): {output: tf.Tensor4D /* [B, H, T, d] */; probabilities: tf.Tensor4D /* [B, H, T, S] */}',
  parameters: ['q', 'k', 'v', 'bias'],
  tolerance: {
    absolute: 1e-5,
    relative: 1e-5,
    reason: 'two products and a softmax in float32, values near 1',
  },
  reference: (q, k, v, bias) => scaledDotProductAttention(q, k, v, { bias }),
  variants: [
    {
      name: 'the scores scaled, not the queries; a softmax by hand',
      implementation: (...args) => attention(args),
    },
    {
      name: 'the keys scaled, hidden rows left out by a choice',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => {
          const scores = tf.add(tf.matMul(q, tf.div(k, Math.sqrt(q.shape[3])), false, true), bias);
          const blind = tf.less(tf.max(scores, -1, true), -1e20);
          const softmax = tf.softmax(scores);
          const probabilities = tf.where(
            tf.logicalAnd(blind, tf.onesLike(softmax).cast('bool')),
            tf.zerosLike(softmax),
            softmax,
          );
          return { output: tf.matMul(probabilities, v), probabilities };
        }),
    },
  ],
  mutants: [
    {
      id: 'scaled-by-model-width',
      diagnosis:
        'The scores are divided by √D, the width of the model. Each head works in width d = D/H: divide by √d, the last axis of q.',
      implementation: (...args) => attention(args, { scale: (q) => 1 / Math.sqrt(q.shape[3] * q.shape[1]) }),
    },
    {
      id: 'not-scaled',
      diagnosis: 'The scores are not scaled. Divide them by √d, or the softmax saturates as d grows.',
      implementation: (...args) => attention(args, { scale: () => 1 }),
    },
    {
      id: 'divided-by-d',
      diagnosis:
        'The scores are divided by d. Divide by its square root: the spread of a sum of d products grows with √d.',
      implementation: (...args) => attention(args, { scale: (q) => 1 / q.shape[3] }),
    },
    {
      id: 'softmax-over-queries',
      diagnosis:
        'The softmax runs over the queries. Each query spreads a weight of 1 over the keys: the last axis.',
      implementation: (...args) => attention(args, { axis: -2 }),
    },
    {
      id: 'mask-after-softmax',
      diagnosis:
        'What is hidden is set to 0 after the softmax, so the rest of the row no longer sums to 1. Add the bias to the scores before the softmax.',
      implementation: (...args) => attention(args, { biasAfter: true }),
    },
    {
      id: 'bias-before-scaling',
      diagnosis:
        'The bias is added before the scaling and shrinks with it. Scale first, then add the bias as it is.',
      implementation: (...args) => attention(args, { biasFirst: true }),
    },
    {
      id: 'blind-row',
      diagnosis:
        'A query that may see no key at all gets a weight for every key (or NaN, if the bias is −∞). Its probabilities and its output must be 0: there is nothing to attend to.',
      implementation: (...args) => attention(args, { plainSoftmax: true }),
    },
    {
      id: 'values-forgotten',
      diagnosis: 'The probabilities are multiplied with the keys. The output is a mixture of the values v.',
      implementation: (q, k, _v, bias) => attention([q, k, k, bias]),
    },
  ],
  cases: [
    {
      name: 'without anything hidden',
      visibility: 'public',
      inputs: (draw) => [...drawn(draw, LARGE), tf.zeros([1, 1, 1, 1])],
    },
    {
      name: 'with padding',
      visibility: 'public',
      inputs: (draw) => {
        const mask = draw.mask(2, 7);
        const bias = paddingBias(mask);
        mask.dispose();
        return [...drawn(draw, LARGE), bias];
      },
    },
    {
      name: 'with a soft bias',
      visibility: 'hidden',
      inputs: (draw) => [
        ...drawn(draw, { batch: 3, heads: 2, queries: 4, keys: 6, width: 5 }),
        draw.uniform([1, 2, 4, 6], -3, 0),
      ],
    },
    {
      name: 'with a query that sees nothing',
      visibility: 'hidden',
      inputs: (draw) => {
        const bias = tf.tidy(() =>
          tf.concat([tf.zeros([1, 1, 2, 5]), tf.fill([1, 1, 1, 5], -1e30), tf.zeros([1, 1, 3, 5])], 2),
        );
        return [...drawn(draw, { batch: 2, heads: 3, queries: 6, keys: 5, width: 2 }), bias];
      },
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Every query compares itself with every key, and the comparisons become weights. Over which axis must they sum to 1?',
    'q [B, H, T, d] · kᵀ [B, H, d, S] → scores [B, H, T, S] → / √d → + bias → softmax over S → probabilities [B, H, T, S] → · v [B, H, S, d] → output [B, H, T, d]. Where the largest score of a row is below −1e20, nothing is visible: 0.',
    'Attention(Q, K, V) = softmax(Q·Kᵀ/√d + bias)·V. Vaswani et al., 2017, "Attention is all you need", equation 1 and footnote 4 (why √d).',
  ],
});
