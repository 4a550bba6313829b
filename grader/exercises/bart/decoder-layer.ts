import * as tf from '@tensorflow/tfjs-core';
import {
  causalBias,
  gelu,
  layerNorm,
  linear,
  multiHeadAttention,
  paddingBias,
  relu,
} from '../../../src/core/index.ts';
import type { BartBlockParams } from '../../../src/models/bart.ts';
import {
  causality,
  type Draw,
  defineExercise,
  gradientsFlow,
  inputsUnchanged,
  noLeak,
} from '../../define.ts';
import { beforeFuture, blockParams, dense, norm, otherFuture, postNorm, preNorm } from '../gpt/block.ts';

type Params = Required<BartBlockParams>;

interface Encoder {
  states: tf.Tensor;
  attentionMask: tf.Tensor2D;
}

type Args = [Params, tf.Tensor, Encoder, number];

const EPS = 1e-5;

/** Where a mutant may put its own. */
interface Rules {
  join?: typeof postNorm;
  selfBias?: (length: number) => tf.Tensor | undefined;
  crossBias?: (encoder: Encoder, length: number) => tf.Tensor | undefined;
  crossSource?: (states: tf.Tensor, y: tf.Tensor) => tf.Tensor;
  cross?: 'second' | 'first' | 'absent';
  activation?: (x: tf.Tensor) => tf.Tensor;
}

function layer(
  params: Params,
  x: tf.Tensor,
  encoder: Encoder,
  numHeads: number,
  rules: Rules = {},
): tf.Tensor {
  const { join = postNorm, activation = gelu, cross = 'second' } = rules;
  const selfBias = rules.selfBias ?? ((length: number) => causalBias(length, length));
  const crossBias = rules.crossBias ?? (({ attentionMask }: Encoder) => paddingBias(attentionMask));
  return tf.tidy(() => {
    const self = (y: tf.Tensor): tf.Tensor =>
      join(
        y,
        (z) => multiHeadAttention(params.attention, z, { numHeads, bias: selfBias(z.shape[1] ?? 0) }),
        (z) => layerNorm(params.attentionNorm, z, EPS),
      );
    const read = (y: tf.Tensor): tf.Tensor =>
      join(
        y,
        (z) =>
          multiHeadAttention(params.crossAttention, z, {
            numHeads,
            bias: crossBias(encoder, z.shape[1] ?? 0),
            keyValue: rules.crossSource?.(encoder.states, z) ?? encoder.states,
          }),
        (z) => layerNorm(params.crossNorm, z, EPS),
      );
    const y = cross === 'second' ? read(self(x)) : cross === 'first' ? self(read(x)) : self(x);
    return join(
      y,
      (z) => linear(params.feedForward.down, activation(linear(params.feedForward.up, z))),
      (z) => layerNorm(params.feedForwardNorm, z, EPS),
    );
  });
}

interface Sizes {
  batch: number;
  target: number;
  source: number;
  heads: number;
  headWidth: number;
  forward: number;
}

function inputs(draw: Draw, { batch, target, source, heads, headWidth, forward }: Sizes): Args {
  const width = heads * headWidth;
  const sizes = { batch, length: target, heads, headWidth, forward };
  const projection = (): ReturnType<typeof dense> => dense(draw, width, width);
  return [
    {
      ...blockParams(draw, sizes),
      crossAttention: { query: projection(), key: projection(), value: projection(), output: projection() },
      crossNorm: norm(draw, width),
    },
    draw.normal([batch, target, width], { mean: 0.3, std: 1.6 }),
    {
      states: draw.normal([batch, source, width], { mean: -0.2, std: 1.3 }),
      attentionMask: draw.mask(batch, source),
    },
    heads,
  ];
}

const mistake = (id: string, diagnosis: string, rules: Rules) => ({
  id,
  diagnosis,
  implementation: (...[params, x, encoder, heads]: Args): tf.Tensor =>
    layer(params, x, encoder, heads, rules),
});

export default defineExercise<Args>({
  id: 'bart/decoder-layer',
  title: 'The decoder layer',
  points: 4,
  entry: 'decoderLayer',
  difficulty: 3,
  minutes: 30,
  signature:
    'decoderLayer(params: Required<BartBlockParams>, x: tf.Tensor /* [B, T, D] */, encoder: {states: tf.Tensor /* [B, S, D] */; attentionMask: tf.Tensor2D /* [B, S] */}, numHeads: number): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'x', 'encoder', 'numHeads'],
  tolerance: {
    absolute: 3e-5,
    relative: 1e-5,
    reason: 'ten products, two softmaxes and three norms in float32',
  },
  reference: (params, x, encoder, numHeads) => layer(params, x, encoder, numHeads),
  variants: [
    {
      name: 'line by line',
      implementation: (params, x, { states, attentionMask }, numHeads) =>
        tf.tidy(() => {
          const [, length = 0] = x.shape;
          const own = multiHeadAttention(params.attention, x, { numHeads, bias: causalBias(length, length) });
          const a = layerNorm(params.attentionNorm, tf.add(own, x), EPS);
          const bias = paddingBias(attentionMask);
          const found = multiHeadAttention(params.crossAttention, a, { numHeads, bias, keyValue: states });
          const b = layerNorm(params.crossNorm, tf.add(found, a), EPS);
          const inner = linear(params.feedForward.down, gelu(linear(params.feedForward.up, b)));
          return layerNorm(params.feedForwardNorm, tf.add(inner, b), EPS);
        }),
    },
  ],
  mutants: [
    mistake(
      'cross-causal',
      'The cross-attention has a causal mask. The source is read in full before the first word is written: only its padding is hidden.',
      {
        crossBias: ({ states, attentionMask }, length) =>
          tf.add(paddingBias(attentionMask), causalBias(length, states.shape[1] ?? 0)),
      },
    ),
    mistake(
      'cross-padding-seen',
      'The cross-attention sees the padding of the source. Give it the bias paddingBias(encoder.attentionMask).',
      { crossBias: () => undefined },
    ),
    mistake(
      'self-not-causal',
      'The self-attention has no mask, so each token sees those after it. Give it causalBias(T, T).',
      { selfBias: () => undefined },
    ),
    mistake(
      'no-cross-attention',
      'The cross-attention is missing: the decoder never sees the source. It comes between the self-attention and the feed-forward part.',
      { cross: 'absent' },
    ),
    mistake(
      'cross-first',
      'The cross-attention comes before the self-attention. The order is self, cross, feed-forward.',
      { cross: 'first' },
    ),
    mistake(
      'pre-norm',
      'The norms are applied to what goes into each part. BART normalises after the sum: norm(x + part(x)).',
      { join: preNorm },
    ),
    mistake('no-residual', 'The residual sums are missing: norm(x + part(x)).', {
      join: (y, part, normed) => normed(part(y)),
    }),
    mistake('relu', 'The activation is ReLU. BART replaced the ReLU of the original transformer by GELU.', {
      activation: relu,
    }),
  ],
  cases: [
    {
      name: 'a target shorter than the source',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, target: 5, source: 7, heads: 3, headWidth: 4, forward: 18 }),
    },
    {
      name: 'other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, target: 6, source: 8, heads: 2, headWidth: 5, forward: 16 }),
    },
  ],
  properties: [
    noLeak(),
    inputsUnchanged(),
    causality<Args>({
      change: ([params, x, encoder, heads], draw) => [params, otherFuture(x, draw), encoder, heads],
      keep: beforeFuture,
    }),
    gradientsFlow(),
  ],
  hints: [
    'Three parts, each followed by the sum and the norm. Which of the three may look at what?',
    'x [B, T, D] → self-attention with causalBias(T, T) → + x → attentionNorm = a → cross-attention, queries from a, keyValue encoder.states [B, S, D], bias paddingBias(mask) [B, 1, 1, S] → + a → crossNorm = b → up [B, T, F] → gelu → down → + b → feedForwardNorm. ε = 1e-5.',
    'a = LN(x + MHA(x, x)); b = LN(a + MHA(a, encoder)); y = LN(b + W₂·GELU(W₁b + b₁) + b₂). Vaswani et al., 2017, section 3.1; Lewis et al., 2020, "BART", section 2.1, for the GELU.',
  ],
});
