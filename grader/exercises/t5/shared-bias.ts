import * as tf from '@tensorflow/tfjs-core';
import {
  type AttentionParams,
  causalBias,
  type LinearParams,
  multiHeadAttention,
  relativePositionBias,
} from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Layer {
  relativeBias: tf.Tensor2D;
  attention: AttentionParams;
  crossAttention: AttentionParams;
}
interface Config {
  numHeads: number;
  numBuckets: number;
  maxDistance: number;
}

type Args = [Layer[], tf.Tensor, tf.Tensor, Config];

interface Sizes {
  batch: number;
  queries: number;
  keys: number;
  heads: number;
  width: number;
  layers: number;
}

function inputs(draw: Draw, { batch, queries, keys, heads, width, layers }: Sizes): Args {
  const inner = heads * width;
  const model = inner + 2; // T5's heads need not add up to D.
  const layer = (out: number, into: number): LinearParams => ({
    weight: draw.normal([out, into], { std: 1 / Math.sqrt(into) }).as2D(out, into),
  });
  const attention = (): AttentionParams => ({
    query: layer(inner, model),
    key: layer(inner, model),
    value: layer(inner, model),
    output: layer(model, inner),
  });
  return [
    Array.from({ length: layers }, () => ({
      relativeBias: draw.normal([8, heads], { std: 2 }).as2D(8, heads),
      attention: attention(),
      crossAttention: attention(),
    })),
    draw.normal([batch, queries, model]),
    draw.normal([batch, keys, model]),
    { numHeads: heads, numBuckets: 8, maxDistance: 12 },
  ];
}

interface Rules {
  /** the layer whose table layer i uses; undefined: no bias */
  table?: (layer: number) => number | undefined;
  scale?: number | undefined;
  crossScale?: number | undefined;
  /** adds the bias to the cross-attention too */
  biasInCross?: boolean;
  causal?: boolean;
  bidirectional?: boolean;
}

function run([layers, x, encoded, config]: Args, rules: Rules = {}): tf.Tensor {
  const { table = () => 0, biasInCross = false, causal = true, bidirectional = false } = rules;
  const scale = 'scale' in rules ? rules.scale : 1;
  const crossScale = 'crossScale' in rules ? rules.crossScale : 1;
  const { numHeads, ...buckets } = config;
  const [, length = 0] = x.shape;
  const [, keys = 0] = encoded.shape;
  return tf.tidy(() => {
    let y = x;
    for (const [i, { attention, crossAttention }] of layers.entries()) {
      const from = layers[table(i) ?? -1]?.relativeBias;
      const positions = from && relativePositionBias(from, length, length, { ...buckets, bidirectional });
      const future = causal ? causalBias(length, length) : undefined;
      const bias = positions && future ? tf.add(positions, future) : (positions ?? future);
      y = tf.add(y, multiHeadAttention(attention, y, { numHeads, scale, bias }));
      const cross =
        biasInCross && positions ? tf.slice(positions, [0, 0, 0, 0], [1, numHeads, length, keys]) : undefined;
      y = tf.add(
        y,
        multiHeadAttention(crossAttention, y, {
          numHeads,
          scale: crossScale,
          keyValue: encoded,
          bias: cross,
        }),
      );
    }
    return y;
  });
}

export default defineExercise<Args>({
  id: 't5/shared-bias',
  title: 'One bias for all layers',
  points: 3,
  entry: 'decoderAttentions',
  difficulty: 4,
  minutes: 35,
  signature:
    'decoderAttentions(layers: {relativeBias: tf.Tensor2D /* [buckets, H] */; attention: AttentionParams; crossAttention: AttentionParams}[], x: tf.Tensor /* [B, T, D] */, encoded: tf.Tensor /* [B, S, D] */, config: {numHeads; numBuckets; maxDistance: number}): tf.Tensor  // [B, T, D]',
  parameters: ['layers', 'x', 'encoded', 'config'],
  tolerance: { absolute: 1e-4, relative: 1e-4, reason: 'several layers of float32 products' },
  reference: (...args) => run(args),
  variants: [
    {
      name: 'the bias made once, before the layers',
      implementation: (layers, x, encoded, { numHeads, ...buckets }) =>
        tf.tidy(() => {
          const [first] = layers;
          const [, length = 0] = x.shape;
          if (first === undefined) return tf.clone(x);
          const positions = relativePositionBias(first.relativeBias, length, length, {
            ...buckets,
            bidirectional: false,
          });
          const bias = tf.add(causalBias(length, length), positions);
          return layers.reduce((y: tf.Tensor, { attention, crossAttention }) => {
            const middle = tf.add(multiHeadAttention(attention, y, { numHeads, scale: 1, bias }), y);
            const cross = { numHeads, scale: 1, keyValue: encoded };
            return tf.add(multiHeadAttention(crossAttention, middle, cross), middle);
          }, x);
        }),
    },
  ],
  mutants: [
    {
      id: 'recomputed-per-layer',
      diagnosis:
        'Every layer makes a bias of its own table. T5 has one bias for the whole stack, made of the table of layer 0.',
      implementation: (...args) => run(args, { table: (layer) => layer }),
    },
    {
      id: 'first-layer-only',
      diagnosis: 'Only layer 0 gets the bias. It is made there, but every layer adds it to its scores.',
      implementation: (...args) => run(args, { table: (layer) => (layer === 0 ? 0 : undefined) }),
    },
    {
      id: 'no-bias',
      diagnosis: 'The self-attention has no relative bias, so the decoder knows nothing of positions.',
      implementation: (...args) => run(args, { table: () => undefined }),
    },
    {
      id: 'scaled',
      diagnosis: 'The attention divides by √d. T5 does not: pass scale: 1 to both attentions.',
      implementation: (...args) => run(args, { scale: undefined, crossScale: undefined }),
    },
    {
      id: 'cross-scaled',
      diagnosis: 'The cross-attention still divides by √d. Pass scale: 1 there too.',
      implementation: (...args) => run(args, { crossScale: undefined }),
    },
    {
      id: 'bias-in-cross-attention',
      diagnosis:
        'The relative bias is added in the cross-attention. Places of two different texts have no distance: there is none.',
      implementation: (...args) => run(args, { biasInCross: true }),
    },
    {
      id: 'no-causal-mask',
      diagnosis: 'The decoder sees the future. Add causalBias(T, T) to the relative bias.',
      implementation: (...args) => run(args, { causal: false }),
    },
    {
      id: 'bidirectional-buckets',
      diagnosis: 'The buckets are those of an encoder. In the decoder pass bidirectional: false.',
      implementation: (...args) => run(args, { bidirectional: true }),
    },
  ],
  cases: [
    {
      name: 'two layers',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, queries: 7, keys: 5, heads: 3, width: 4, layers: 2 }),
    },
    {
      name: 'three layers',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, queries: 8, keys: 6, heads: 2, width: 5, layers: 3 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'What must be made before the loop over the layers, and what inside it?',
    'relativePositionBias(layers[0].relativeBias, T, T, …) [1, H, T, T] + causalBias(T, T) [1, 1, T, T]; for each layer: x + attention(x) with that bias, then x + crossAttention(x, encoded) with none, both with scale 1; [B, T, D] all the way.',
    'Raffel et al., 2020, section 2.1: the position embeddings are shared across all layers of the model, though within a layer each head has its own.',
  ],
});
