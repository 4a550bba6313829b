import * as tf from '@tensorflow/tfjs-core';
import {
  type AttentionParams,
  type LinearParams,
  linear,
  mergeHeads,
  multiHeadAttention,
  paddingBias,
  scaledDotProductAttention,
  splitHeads,
} from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [AttentionParams, tf.Tensor, tf.Tensor, tf.Tensor, number];

interface Sizes {
  batch: number;
  queries: number;
  keys: number;
  heads: number;
  width: number;
}

/** Parameters, the states that ask, the states that are asked, a padding bias over the latter, the number of heads. */
function inputs(draw: Draw, { batch, queries, keys, heads, width }: Sizes, self = false): Args {
  const model = heads * width;
  const dense = (): LinearParams => ({
    weight: draw.normal([model, model], { std: 1 / Math.sqrt(width) }).as2D(model, model),
    bias: draw.shift(model),
  });
  const mask = draw.mask(batch, keys);
  const bias = paddingBias(mask);
  mask.dispose();
  const asking = draw.normal([batch, queries, model]);
  return [
    { query: dense(), key: dense(), value: dense(), output: dense() },
    asking,
    self ? tf.clone(asking) : draw.normal([batch, keys, model]),
    bias,
    heads,
  ];
}

/** What the mutants vary. */
interface Rules {
  sources?: (x: tf.Tensor, source: tf.Tensor) => { query: tf.Tensor; key: tf.Tensor; value: tf.Tensor };
  bias?: boolean;
  project?: boolean;
  heads?: (given: number) => number;
  swapped?: boolean;
}

function attend([params, x, source, bias, numHeads]: Args, rules: Rules = {}): tf.Tensor {
  return tf.tidy(() => {
    const from = rules.sources?.(x, source) ?? { query: x, key: source, value: source };
    const heads = rules.heads?.(numHeads) ?? numHeads;
    const { key, value } = rules.swapped ? { key: params.value, value: params.key } : params;
    const { output } = scaledDotProductAttention(
      splitHeads(linear(params.query, from.query), heads),
      splitHeads(linear(key, from.key), heads),
      splitHeads(linear(value, from.value), heads),
      rules.bias === false ? {} : { bias },
    );
    const merged = mergeHeads(output);
    return rules.project === false ? merged : linear(params.output, merged);
  });
}

export default defineExercise<Args>({
  id: 'architectures/multi-head-attention',
  title: 'Multi-head attention, to oneself and across',
  points: 3,
  entry: 'multiHead',
  difficulty: 3,
  minutes: 25,
  signature:
    'multiHead(params: {query, key, value, output: LinearParams}, x: tf.Tensor /* [B, T, D] */, source: tf.Tensor /* [B, S, D] */, bias: tf.Tensor /* [B, 1, 1, S] */, numHeads: number): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'x', 'source', 'bias', 'numHeads'],
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'six products and a softmax in float32' },
  reference: (params, x, source, bias, numHeads) =>
    multiHeadAttention(params, x, { numHeads, keyValue: source, bias }),
  variants: [
    {
      name: 'one head after the other',
      implementation: (params, x, source, bias, numHeads) =>
        tf.tidy(() => {
          const parts = (of: LinearParams, states: tf.Tensor): tf.Tensor[] =>
            tf.split(linear(of, states), numHeads, -1);
          const [queries, keys, values] = [
            parts(params.query, x),
            parts(params.key, source),
            parts(params.value, source),
          ];
          const outputs = queries.map((q, head) => {
            const k = keys[head] ?? q;
            const v = values[head] ?? q;
            const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(q.shape.at(-1) ?? 1));
            return tf.matMul(tf.softmax(tf.add(scores, tf.squeeze(bias, [1]))), v);
          });
          return linear(params.output, tf.concat(outputs, -1));
        }),
    },
  ],
  mutants: [
    {
      id: 'keys-and-values-from-the-query',
      diagnosis:
        'Keys and values are made from x. In cross-attention the decoder asks and the encoder answers: only the queries come from x, keys and values from source.',
      // The bias is over the source: where the lengths differ, this is a crash, and feedback shows the message.
      implementation: (...args) => attend(args, { sources: (x) => ({ query: x, key: x, value: x }) }),
    },
    {
      id: 'values-from-the-query',
      diagnosis: 'The values are made from x. Both keys and values come from source.',
      implementation: (...args) =>
        attend(args, { sources: (x, source) => ({ query: x, key: source, value: x }) }),
    },
    {
      id: 'queries-from-the-source',
      diagnosis:
        'The queries are made from source. They come from x: there is one output for each position of x.',
      implementation: (...args) =>
        attend(args, { sources: (x, source) => ({ query: source, key: x, value: x }) }),
    },
    {
      id: 'no-output-projection',
      diagnosis: 'The output projection is missing: after the heads are merged, params.output mixes them.',
      implementation: (...args) => attend(args, { project: false }),
    },
    {
      id: 'bias-ignored',
      diagnosis: 'The bias is not used: padding in source gets attention.',
      implementation: (...args) => attend(args, { bias: false }),
    },
    {
      id: 'one-head',
      diagnosis: 'There is a single head of width D. Split into numHeads heads before the attention.',
      implementation: (...args) => attend(args, { heads: () => 1 }),
    },
    {
      id: 'key-and-value-swapped',
      diagnosis: 'The projections of keys and values are swapped.',
      implementation: (...args) => attend(args, { swapped: true }),
    },
  ],
  cases: [
    {
      name: 'across, as many keys as queries',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, queries: 5, keys: 5, heads: 3, width: 4 }),
    },
    {
      name: 'across, more keys than queries',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, queries: 4, keys: 7, heads: 2, width: 5 }),
    },
    {
      name: 'to oneself',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 2, queries: 6, keys: 6, heads: 4, width: 2 }, true),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Who asks, and who answers? Self-attention is the special case in which both are the same.',
    'x [B, T, D] → query → split [B, H, T, d]; source [B, S, D] → key, value → split [B, H, S, d]; attention with bias → [B, H, T, d] → merge [B, T, D] → output [B, T, D].',
    'MultiHead(Q, K, V) = Concat(head₁, …, head_H)·W_O, headᵢ = Attention(X·W_Q, Y·W_K, Y·W_V). Vaswani et al., 2017, sections 3.2.2 and 3.2.3.',
  ],
});
