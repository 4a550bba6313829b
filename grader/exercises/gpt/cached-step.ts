import * as tf from '@tensorflow/tfjs-core';
import {
  type AttentionParams,
  causalBias,
  embed,
  type KeyValue,
  type LayerNormParams,
  layerNorm,
  linear,
  mergeHeads,
  scaledDotProductAttention,
  splitHeads,
} from '../../../src/core/index.ts';
import { compare } from '../../compare.ts';
import { type Draw, defineExercise, inputsUnchanged, noLeak, type Property, property } from '../../define.ts';
import { exclusive } from '../../evaluate.ts';
import { materialise, readValue, type Value } from '../../values.ts';
import { dense, norm } from './block.ts';

interface StepParams {
  tokens: tf.Tensor2D;
  positions: tf.Tensor2D;
  norm: LayerNormParams;
  attention: AttentionParams;
}

interface Step {
  hidden: tf.Tensor;
  cache: KeyValue;
}

/** Parameters, ids [B, T], cache of P tokens, how many of them are kept, heads. */
type Args = [StepParams, tf.Tensor2D, KeyValue, number, { n_head: number }];

const EPS = 1e-5;

interface Sizes {
  batch: number;
  length: number;
  past: number;
  keep: number;
  heads: number;
  headWidth: number;
  vocabulary: number;
}

function inputs(draw: Draw, { batch, length, past, keep, heads, headWidth, vocabulary }: Sizes): Args {
  const width = heads * headWidth;
  const table = (rows: number): tf.Tensor2D => draw.normal([rows, width]).as2D(rows, width);
  const held = (): tf.Tensor4D =>
    draw.normal([batch, heads, past, headWidth]).as4D(batch, heads, past, headWidth);
  return [
    {
      tokens: table(vocabulary),
      // Enough positions for every way to miscount them.
      positions: table(past + length + 3),
      norm: norm(draw, width),
      attention: {
        query: dense(draw, width, width),
        key: dense(draw, width, width),
        value: dense(draw, width, width),
        output: dense(draw, width, width),
      },
    },
    draw.integers([batch, length], 0, vocabulary).as2D(batch, length),
    { key: held(), value: held() },
    keep,
    { n_head: heads },
  ];
}

/** `count` of the cached positions from `start`. */
const part = (x: tf.Tensor4D, start: number, count: number): tf.Tensor4D =>
  tf.slice(x, [0, 0, start, 0], [x.shape[0], x.shape[1], count, x.shape[3]]);

/** One step by the rules given: what the mutants vary. */
function step(
  [params, ids, cache, keep, config]: Args,
  {
    from = (kept) => kept,
    trim = (x, kept) => part(x, 0, kept),
    join = (old, fresh) => tf.concat([old, fresh], 2),
    bias = causalBias,
    returned = (joined) => joined,
  }: {
    /** position of the first new token, from what is kept and what is held */
    from?: (kept: number, held: number) => number;
    trim?: (x: tf.Tensor4D, kept: number) => tf.Tensor4D;
    join?: (old: tf.Tensor4D, fresh: tf.Tensor4D) => tf.Tensor4D;
    bias?: (length: number, keys: number) => tf.Tensor | undefined;
    returned?: (joined: KeyValue, fresh: KeyValue) => KeyValue;
  } = {},
): Step {
  const [hidden, key, value] = tf.tidy(() => {
    const length = ids.shape[1];
    const first = from(keep, cache.key.shape[2]);
    const position = tf.slice(params.positions, [first, 0], [length, params.positions.shape[1]]); // [T, D]
    const x = tf.add(embed(params.tokens, ids), position);
    const old = { key: trim(cache.key, keep), value: trim(cache.value, keep) };
    const normed = layerNorm(params.norm, x, EPS);
    const heads = (of: 'query' | 'key' | 'value'): tf.Tensor4D =>
      splitHeads(linear(params.attention[of], normed), config.n_head);
    const fresh = { key: heads('key'), value: heads('value') };
    const joined = { key: join(old.key, fresh.key), value: join(old.value, fresh.value) };
    const attended = scaledDotProductAttention(heads('query'), joined.key, joined.value, {
      bias: bias(length, joined.key.shape[2]),
    });
    const output = tf.add(x, linear(params.attention.output, mergeHeads(attended.output)));
    const result = returned(joined, fresh);
    return [output, result.key, result.value] as [tf.Tensor, tf.Tensor4D, tf.Tensor4D];
  });
  return { hidden, cache: { key, value } };
}

/** Reading a text in two parts gives the states and the cache of reading it at once. */
const cachedEqualsUncached: Property = property(
  'cached equals uncached',
  async ({ args, call, tolerance }) => {
    const [params, ids, cache, , config] = args;
    if (params === undefined || ids?.kind !== 'tensor' || cache === undefined || config === undefined) return;
    const [batch = 0, length = 0] = ids.shape;
    const none: Value = { kind: 'number', value: 0 };
    const cut = (start: number, count: number): Promise<Value> =>
      exclusive('cut', () => readValue(tf.slice(asTensor(materialise(ids)), [0, start], [batch, count])));
    const first = length - 2;
    const whole = await call([params, ids, cache, none, config]);
    const begun = await call([params, await cut(0, first), cache, none, config]);
    if (begun.value.kind !== 'record') return;
    const held = begun.value.entries.get('cache');
    if (held === undefined) return 'The result has no cache.';
    const rest = await call([params, await cut(first, 2), held, { kind: 'number', value: first }, config]);
    return compare(whole.value, await appended(begun.value, rest.value), tolerance) === undefined
      ? undefined
      : 'A text read in two parts, the second with the cache of the first, gives other states than the text read at once. Look at the positions, at the mask, and at what the returned cache holds.';
  },
  { on: 'a fresh prompt' },
);

/** The states of both parts and the cache of the second. */
function appended(begun: Value, rest: Value): Promise<Value> {
  return exclusive('append', async () => {
    if (begun.kind !== 'record' || rest.kind !== 'record') return rest;
    const [first, second] = [begun, rest].map(({ entries }) => entries.get('hidden'));
    const cache = rest.entries.get('cache');
    if (first === undefined || second === undefined || cache === undefined) return rest;
    const hidden = tf.concat([asTensor(materialise(first)), asTensor(materialise(second))], 1);
    return readValue({ hidden, cache: materialise(cache) });
  });
}

function asTensor(value: unknown): tf.Tensor {
  if (value instanceof tf.Tensor) return value;
  throw new Error('expected a tensor');
}

export default defineExercise<Args>({
  id: 'gpt/cached-step',
  title: 'The key-value cache',
  points: 4,
  entry: 'cachedStep',
  difficulty: 4,
  minutes: 45,
  signature:
    'cachedStep(params: {tokens /* [V, D] */; positions /* [T max, D] */; norm: LayerNormParams; attention: AttentionParams}, ids: tf.Tensor2D /* int32 [B, T], the new tokens */, cache: {key, value /* [B, H, P, d] */}, keep: number /* 0 … P */, config: {n_head: number}): {hidden: tf.Tensor /* [B, T, D] */; cache: {key, value /* [B, H, keep + T, d] */}}',
  parameters: ['params', 'ids', 'cache', 'keep', 'config'],
  tolerance: { absolute: 2e-5, relative: 1e-5, reason: 'four products, a softmax and a norm in float32' },
  reference: (...args) => step(args),
  variants: [
    {
      name: 'the scores of kept and new keys apart, the mask from positions',
      implementation: (params, ids, cache, keep, config) => {
        const [hidden, key, value] = tf.tidy(() => {
          const length = ids.shape[1];
          const places = tf.range(keep, keep + length, 1, 'int32');
          const x = tf.add(embed(params.tokens, ids), embed(params.positions, places));
          const normed = layerNorm(params.norm, x, EPS);
          const heads = (of: 'query' | 'key' | 'value'): tf.Tensor4D =>
            splitHeads(linear(params.attention[of], normed), config.n_head);
          const [q, k, v] = [heads('query'), heads('key'), heads('value')];
          const old = { key: part(cache.key, 0, keep), value: part(cache.value, 0, keep) };
          const future = tf.greater(
            tf.expandDims(tf.range(0, length), 0),
            tf.expandDims(tf.range(0, length), 1),
          );
          const fresh = tf.sub(tf.matMul(q, k, false, true), tf.mul(tf.cast(future, 'float32'), 1e9));
          const scores = keep === 0 ? fresh : tf.concat([tf.matMul(q, old.key, false, true), fresh], 3);
          const weights = tf.softmax(tf.div(scores, Math.sqrt(q.shape[3])));
          const joined = { key: tf.concat([old.key, k], 2), value: tf.concat([old.value, v], 2) };
          const attended = mergeHeads(tf.matMul(weights, joined.value));
          const output = tf.add(x, linear(params.attention.output, attended));
          return [output, joined.key, joined.value] as [tf.Tensor, tf.Tensor4D, tf.Tensor4D];
        });
        return { hidden, cache: { key, value } };
      },
    },
  ],
  mutants: [
    {
      id: 'position-restarts',
      diagnosis:
        'The positions of the new tokens begin at 0 again. They continue where the kept tokens end: keep, keep + 1, …',
      implementation: (...args) => step(args, { from: () => 0 }),
    },
    {
      id: 'position-counts-dropped-tokens',
      diagnosis:
        'The positions continue after everything the cache held, dropped tokens included. They continue after the tokens that are kept: at keep.',
      implementation: (...args) => step(args, { from: (_, held) => held }),
    },
    {
      id: 'cache-not-trimmed',
      diagnosis:
        'The whole cache is used. Only its first keep tokens belong to this text; cut the rest off before you append, or the new tokens attend to what was never written.',
      implementation: (...args) => step(args, { trim: (x) => x }),
    },
    {
      id: 'trimmed-at-the-wrong-end',
      diagnosis:
        'The last keep tokens of the cache are kept. The first ones are: those are what the old text and the new have in common.',
      implementation: (...args) => step(args, { trim: (x, kept) => part(x, x.shape[2] - kept, kept) }),
    },
    {
      id: 'no-causal-mask',
      diagnosis:
        'The new tokens see each other without a mask. Several can come at once; each may see the kept ones, itself, and the new ones before it.',
      implementation: (...args) => step(args, { bias: () => undefined }),
    },
    {
      id: 'mask-without-the-past',
      diagnosis:
        'The mask is aligned with the first key, so a new token sees only the oldest ones. Its row t allows keys 0 … keep + t: causalBias(T, keep + T).',
      implementation: (...args) =>
        step(args, {
          bias: (length, keys) => tf.slice(causalBias(keys, keys), [0, 0, 0, 0], [1, 1, length, keys]),
        }),
    },
    {
      id: 'new-before-old',
      diagnosis: 'The new keys and values are put before the kept ones. Append them: text grows at its end.',
      implementation: (...args) => step(args, { join: (old, fresh) => tf.concat([fresh, old], 2) }),
    },
    {
      id: 'only-new-returned',
      diagnosis:
        'The returned cache holds the new tokens only. It must hold the kept ones and the new ones, for the next step.',
      implementation: (...args) =>
        step(args, {
          returned: (_, fresh) => ({ key: tf.clone(fresh.key), value: tf.clone(fresh.value) }),
        }),
    },
    {
      id: 'key-and-value-swapped',
      diagnosis: 'Keys and values are swapped in the returned cache.',
      implementation: (...args) => step(args, { returned: ({ key, value }) => ({ key: value, value: key }) }),
    },
  ],
  cases: [
    {
      name: 'three new tokens, part of the cache kept',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, { batch: 2, length: 3, past: 6, keep: 4, heads: 2, headWidth: 5, vocabulary: 13 }),
    },
    {
      name: 'a fresh prompt',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, { batch: 2, length: 5, past: 3, keep: 0, heads: 3, headWidth: 2, vocabulary: 11 }),
    },
    {
      name: 'one new token, the whole cache kept',
      visibility: 'hidden',
      inputs: (draw) =>
        inputs(draw, { batch: 3, length: 1, past: 5, keep: 5, heads: 2, headWidth: 4, vocabulary: 9 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, { batch: 2, length: 4, past: 9, keep: 6, heads: 5, headWidth: 3, vocabulary: 17 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), cachedEqualsUncached],
  hints: [
    'The keys and values of a token depend on nothing that comes after it. What is left to compute for the new ones, and where in the text do they stand?',
    'x = tokens[ids] + positions[keep … keep + T − 1] [B, T, D]; norm; q, k, v [B, H, T, d]; key = concat(first keep of cache.key, k) [B, H, keep + T, d], value likewise; attention with causalBias(T, keep + T) → [B, H, T, d] → mergeHeads → attention.output → + x.',
    'softmax(q·[K_past; k]ᵀ/√d + M)·[V_past; v], row t of M open for keys 0 … keep + t. The cache saves recomputing K and V: Shazeer, 2019, "Fast transformer decoding: one write-head is all you need", section 2.3 (incremental decoding).',
  ],
});
