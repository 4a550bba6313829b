import * as tf from '@tensorflow/tfjs-core';
import { scaledDotProductAttention } from '../../../src/core/attention.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

interface Sizes {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  width: number;
}

function inputs(draw: Draw, { batch, heads, queries, keys, width }: Sizes): Args {
  const tensor = (b: number, t: number, d: number): tf.Tensor4D =>
    draw.normal([b, heads, t, d]).as4D(b, heads, t, d);
  return [
    tensor(batch, queries, width),
    tensor(batch, keys, width),
    tensor(batch, keys, width),
    tensor(1, queries, keys),
  ];
}

const scoresOf = (q: tf.Tensor, k: tf.Tensor): tf.Tensor => tf.matMul(q, k, false, true);
const rootOf = (q: tf.Tensor): number => Math.sqrt(q.shape.at(-1) ?? 1);

export default defineExercise<Args>({
  id: 't5/attention',
  title: 'Attention without a scale',
  points: 1,
  entry: 't5Attention',
  difficulty: 2,
  minutes: 15,
  signature:
    't5Attention(q: tf.Tensor4D /* [B, H, T, d] */, k: tf.Tensor4D /* [B, H, S, d] */, v: tf.Tensor4D /* [B, H, S, d] */, bias: tf.Tensor4D /* [1, H, T, S] */): tf.Tensor  // [B, H, T, d]',
  parameters: ['q', 'k', 'v', 'bias'],
  tolerance: { ...FLOAT32, reason: 'two products and a softmax in float32' },
  reference: (q, k, v, bias) => tf.tidy(() => scaledDotProductAttention(q, k, v, { scale: 1, bias }).output),
  variants: [
    {
      name: 'composed',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => tf.matMul(tf.softmax(tf.add(bias, scoresOf(q, k)), -1), v)),
    },
  ],
  mutants: [
    {
      id: 'scaled',
      diagnosis:
        'The scores are divided by √d. T5 leaves that out: its query weights start smaller by that factor instead.',
      implementation: (q, k, v, bias) => tf.tidy(() => scaledDotProductAttention(q, k, v, { bias }).output),
    },
    {
      id: 'all-scaled',
      diagnosis: 'The sum of scores and bias is divided by √d. T5 divides neither of them.',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => tf.matMul(tf.softmax(tf.div(tf.add(scoresOf(q, k), bias), rootOf(q)), -1), v)),
    },
    {
      id: 'no-bias',
      diagnosis: 'The bias is not used. T5 knows of positions through it alone: add it to the scores.',
      implementation: (q, k, v) => tf.tidy(() => tf.matMul(tf.softmax(scoresOf(q, k), -1), v)),
    },
    {
      id: 'bias-after-softmax',
      diagnosis: 'The bias is added to the probabilities. It belongs to the scores, before the softmax.',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => tf.matMul(tf.add(tf.softmax(scoresOf(q, k), -1), bias), v)),
    },
    {
      id: 'bias-multiplied',
      diagnosis: 'The scores are multiplied by the bias. Add it.',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => tf.matMul(tf.softmax(tf.mul(scoresOf(q, k), bias), -1), v)),
    },
    {
      id: 'bias-subtracted',
      diagnosis: 'The bias is subtracted from the scores. Add it.',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => tf.matMul(tf.softmax(tf.sub(scoresOf(q, k), bias), -1), v)),
    },
    {
      id: 'softmax-over-queries',
      diagnosis:
        'The softmax runs over the queries. For each query the probabilities of the keys, the last axis, sum to 1.',
      implementation: (q, k, v, bias) =>
        tf.tidy(() => {
          const turned = tf.transpose(tf.add(scoresOf(q, k), bias), [0, 1, 3, 2]);
          return tf.matMul(tf.softmax(turned, -1), v, true);
        }),
    },
  ],
  cases: [
    {
      name: 'more keys than queries',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, heads: 3, queries: 5, keys: 7, width: 4 }),
    },
    {
      name: 'wider heads',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, heads: 2, queries: 6, keys: 5, width: 8 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'It is the attention of chapter 02, with one factor less and one term more.',
    'q·kᵀ [B, H, T, S] + bias [1, H, T, S] → softmax over S → times v [B, H, S, d] → [B, H, T, d].',
    'softmax(q·kᵀ + bias)·v. Raffel et al., 2020, section 2.1; that the scale is missing shows in the released code, where the query weights start with the standard deviation (D·d)^−½.',
  ],
});
