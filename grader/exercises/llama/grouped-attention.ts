import * as tf from '@tensorflow/tfjs-core';
import { causalBias, type KeyValue, scaledDotProductAttention } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

/** Queries [B, H, T, d], the new keys and values [B, G, T, d], those of the cache [B, G, P, d]. */
type Args = [tf.Tensor4D, KeyValue, KeyValue];
type Change = (x: tf.Tensor4D) => tf.Tensor4D;

interface Sizes {
  batch: number;
  heads: number;
  groups: number;
  length: number;
  past: number;
  headWidth: number;
}

function inputs(draw: Draw, { batch, heads, groups, length, past, headWidth }: Sizes): Args {
  const of = (count: number, tokens: number): tf.Tensor4D =>
    draw.normal([batch, count, tokens, headWidth], { std: 1.3 }).as4D(batch, count, tokens, headWidth);
  return [
    of(heads, length),
    { key: of(groups, length), value: of(groups, length) },
    { key: of(groups, past), value: of(groups, past) },
  ];
}

const pick = (x: tf.Tensor4D, heads: readonly number[]): tf.Tensor4D =>
  tf.gather(x, tf.tensor1d([...heads], 'int32'), 1);
const repeated = (x: tf.Tensor4D, heads: number): tf.Tensor4D =>
  pick(
    x,
    Array.from({ length: heads }, (_, h) => Math.floor((h * x.shape[1]) / heads)),
  );

function attend(
  [query, fresh, cache]: Args,
  {
    spread = (x: tf.Tensor4D) => repeated(x, query.shape[1]),
    bias = causalBias,
    join = (old: tf.Tensor4D, now: tf.Tensor4D) => tf.concat([old, now], 2),
    stored = (joined: tf.Tensor4D) => joined,
    scale,
  }: {
    spread?: Change;
    bias?: (length: number, keys: number) => tf.Tensor | undefined;
    join?: (old: tf.Tensor4D, now: tf.Tensor4D) => tf.Tensor4D;
    stored?: (joined: tf.Tensor4D, now: tf.Tensor4D) => tf.Tensor4D;
    scale?: number;
  } = {},
): { output: tf.Tensor; cache: KeyValue } {
  const [output, key, value] = tf.tidy(() => {
    const joined = { key: join(cache.key, fresh.key), value: join(cache.value, fresh.value) };
    const attended = scaledDotProductAttention(query, spread(joined.key), spread(joined.value), {
      bias: bias(query.shape[2], joined.key.shape[2]),
      ...(scale === undefined ? {} : { scale }),
    });
    return [attended.output, stored(joined.key, fresh.key), stored(joined.value, fresh.value)] as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
  });
  return { output, cache: { key, value } };
}

export default defineExercise<Args>({
  id: 'llama/grouped-attention',
  title: 'Grouped-query attention',
  points: 4,
  entry: 'groupedAttention',
  difficulty: 3,
  minutes: 30,
  signature:
    'groupedAttention(query: tf.Tensor4D /* [B, H, T, d] */, fresh: {key, value /* [B, G, T, d] */}, cache: {key, value /* [B, G, P, d] */}): {output: tf.Tensor /* [B, H, T, d] */; cache: {key, value /* [B, G, P + T, d] */}}',
  parameters: ['query', 'fresh', 'cache'],
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'two products and a softmax in float32' },
  reference: (...args) => attend(args),
  variants: [
    {
      name: 'a product for each group',
      implementation: (query, fresh, cache) => {
        const [batch, heads, length, width] = query.shape;
        const groups = fresh.key.shape[1];
        const [output, key, value] = tf.tidy(() => {
          const k = tf.concat([cache.key, fresh.key], 2);
          const v = tf.concat([cache.value, fresh.value], 2);
          const parts = Array.from({ length: groups }, (_, g) => {
            const share = heads / groups;
            const q = tf.slice(query, [0, g * share, 0, 0], [batch, share, length, width]);
            const mine = (x: tf.Tensor4D): tf.Tensor4D =>
              pick(
                x,
                Array.from({ length: share }, () => g),
              );
            const scores = tf.div(tf.matMul(q, mine(k), false, true), Math.sqrt(width));
            return tf.matMul(tf.softmax(tf.add(scores, causalBias(length, k.shape[2]))), mine(v));
          });
          return [tf.concat(parts, 1), k, v] as [tf.Tensor, tf.Tensor4D, tf.Tensor4D];
        });
        return { output, cache: { key, value } };
      },
    },
  ],
  mutants: [
    {
      id: 'tiled-repeat',
      diagnosis:
        'The heads are tiled: 0, 1, 0, 1 … Each key-value head serves H/G query heads that stand side by side: 0, 0, 1, 1 …',
      implementation: (...args) =>
        attend(args, { spread: (x) => tf.tile(x, [1, args[0].shape[1] / x.shape[1], 1, 1]) }),
    },
    {
      id: 'cache-stores-repeated',
      diagnosis:
        'The cache holds H heads. Store the G heads and repeat them only for the product: the small cache is what groups are for.',
      implementation: (...args) => attend(args, { stored: (joined) => repeated(joined, args[0].shape[1]) }),
    },
    {
      id: 'first-group-only',
      diagnosis: 'All queries read the first key-value head. Query head h reads number ⌊h·G/H⌋.',
      implementation: (...args) =>
        attend(args, {
          spread: (x) =>
            pick(
              x,
              Array.from({ length: args[0].shape[1] }, () => 0),
            ),
        }),
    },
    {
      id: 'no-mask',
      diagnosis: 'New tokens see those after them. Give the scores the bias causalBias(T, P + T).',
      implementation: (...args) => attend(args, { bias: () => undefined }),
    },
    {
      id: 'mask-without-cache',
      diagnosis:
        'The mask counts the new tokens from 0, so that most of the cache is hidden. Query i stands at position P + i.',
      implementation: (...args) =>
        attend(args, {
          bias: (length, keys) => tf.slice(causalBias(keys, keys), [0, 0, 0, 0], [1, 1, length, keys]),
        }),
    },
    {
      id: 'cache-behind',
      diagnosis:
        'The cached keys stand behind the new ones. They are older: concatenate [cache, fresh] along axis 2.',
      implementation: (...args) => attend(args, { join: (old, now) => tf.concat([now, old], 2) }),
    },
    {
      id: 'cache-not-extended',
      diagnosis: 'The returned cache holds only the new tokens. The next step needs those before them, too.',
      implementation: (...args) => attend(args, { stored: (_, now) => tf.clone(now) }),
    },
    {
      id: 'scale-forgotten',
      diagnosis: 'The scores are not divided by √d.',
      implementation: (...args) => attend(args, { scale: 1 }),
    },
  ],
  cases: [
    {
      name: 'two groups',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, heads: 4, groups: 2, length: 3, past: 5, headWidth: 6 }),
    },
    {
      name: 'three groups of two',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 1, heads: 6, groups: 3, length: 4, past: 2, headWidth: 8 }),
    },
    {
      name: 'multi-query',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 3, heads: 5, groups: 1, length: 2, past: 4, headWidth: 7 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'G key-value heads serve H query heads. Which query heads share one? And must the copies be kept?',
    'key = concat(cache.key, fresh.key) [B, G, S, d], S = P + T, likewise value: this is the new cache. Repeat each head H/G times in place [B, H, S, d]; scaledDotProductAttention with the bias causalBias(T, S).',
    'Query head h reads key-value head ⌊h·G/H⌋. Ainslie et al., 2023, "GQA", section 2.2, figure 2.',
  ],
});
