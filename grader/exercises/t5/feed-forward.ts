import * as tf from '@tensorflow/tfjs-core';
import { gelu, geluTanh, relu, silu } from '../../../src/core/activations.ts';
import { type LinearParams, linear } from '../../../src/core/linear.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  inner: LinearParams;
  gate: LinearParams | null;
  output: LinearParams;
}

type Args = [Params, tf.Tensor];
type Unary = (x: tf.Tensor) => tf.Tensor;

interface Sizes {
  batch: number;
  length: number;
  width: number;
  forward: number;
}

function inputs(draw: Draw, { batch, length, width, forward }: Sizes, gated: boolean): Args {
  const layer = (out: number, into: number): LinearParams => ({
    weight: draw.normal([out, into], { std: 1 / Math.sqrt(into) }).as2D(out, into),
  });
  return [
    {
      inner: layer(forward, width),
      gate: gated ? layer(forward, width) : null,
      output: layer(width, forward),
    },
    draw.normal([batch, length, width], { std: 1.5 }),
  ];
}

const feedForward = ({ inner, gate, output }: Params, x: tf.Tensor, plain: Unary, gated: Unary): tf.Tensor =>
  tf.tidy(() => {
    const h = linear(inner, x);
    return linear(output, gate === null ? plain(h) : tf.mul(gated(h), linear(gate, x)));
  });

export default defineExercise<Args>({
  id: 't5/feed-forward',
  title: 'Two feed-forward networks',
  points: 2,
  entry: 'feedForward',
  difficulty: 2,
  minutes: 15,
  signature:
    'feedForward(params: {inner: LinearParams /* D → F */; gate: LinearParams | null /* D → F */; output: LinearParams /* F → D */}, x: tf.Tensor /* [B, T, D] */): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'x'],
  tolerance: {
    absolute: 1e-5,
    relative: 1e-5,
    reason: 'two products in float32; the two GELUs are 4.7e-4 apart',
  },
  reference: (params, x) => feedForward(params, x, relu, geluTanh),
  variants: [
    {
      name: 'written out',
      implementation: ({ inner, gate, output }, x) =>
        tf.tidy(() => {
          const h = linear(inner, x);
          if (gate === null) return linear(output, tf.maximum(h, 0));
          const u = tf.mul(Math.sqrt(2 / Math.PI), tf.add(h, tf.mul(0.044715, tf.mul(h, tf.square(h)))));
          return linear(output, tf.mul(linear(gate, x), tf.mul(tf.mul(0.5, h), tf.add(1, tf.tanh(u)))));
        }),
    },
  ],
  mutants: [
    {
      id: 'gate-and-inner-swapped',
      diagnosis: 'The GELU is on the gate. It belongs on inner; the gate stays linear.',
      implementation: ({ inner, gate, output }, x) =>
        feedForward(
          gate === null ? { inner, gate, output } : { inner: gate, gate: inner, output },
          x,
          relu,
          geluTanh,
        ),
    },
    {
      id: 'gate-ignored',
      diagnosis:
        'The gate is never used. Version 1.1 multiplies the activated part by it, element by element.',
      implementation: ({ inner, gate, output }, x) =>
        feedForward({ inner, gate: null, output }, x, gate === null ? relu : geluTanh, geluTanh),
    },
    {
      id: 'gate-added',
      diagnosis: 'The gate is added. It is a factor: multiply.',
      implementation: ({ inner, gate, output }, x) =>
        tf.tidy(() => {
          const h = linear(inner, x);
          return linear(output, gate === null ? relu(h) : tf.add(geluTanh(h), linear(gate, x)));
        }),
    },
    {
      id: 'gelu-erf',
      diagnosis: 'The gated GELU is the exact one. T5 1.1 uses the approximation with tanh: lab.geluTanh.',
      implementation: (params, x) => feedForward(params, x, relu, gelu),
    },
    {
      id: 'relu-with-gate',
      diagnosis: 'With a gate the activation is GELU, not ReLU.',
      implementation: (params, x) => feedForward(params, x, relu, relu),
    },
    {
      id: 'gelu-without-gate',
      diagnosis: 'Without a gate, in version 1.0, the activation is ReLU, not GELU.',
      implementation: (params, x) => feedForward(params, x, geluTanh, geluTanh),
    },
    {
      id: 'silu',
      diagnosis: 'The gated activation is SiLU, as in LLaMA. T5 1.1 has a GELU there.',
      implementation: (params, x) => feedForward(params, x, relu, silu),
    },
    {
      id: 'gate-activated-too',
      diagnosis: 'Both parts pass through the GELU. The gate is linear.',
      implementation: ({ inner, gate, output }, x) =>
        tf.tidy(() => {
          const h = linear(inner, x);
          return linear(output, gate === null ? relu(h) : tf.mul(geluTanh(h), geluTanh(linear(gate, x))));
        }),
    },
  ],
  cases: [
    {
      name: 'version 1.0, no gate',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, width: 6, forward: 11 }, false),
    },
    {
      name: 'version 1.1, gated',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 3, length: 4, width: 7, forward: 9 }, true),
    },
    {
      name: 'no gate, other sizes',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 2, length: 7, width: 8, forward: 15 }, false),
    },
    {
      name: 'gated, other sizes',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { batch: 2, length: 6, width: 10, forward: 13 }, true),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Is there a gate? That tells the two versions apart.',
    'x [B, T, D] → inner [B, T, F] → activation → (with a gate: times gate(x) [B, T, F]) → output [B, T, D].',
    'Version 1.0: W₂·max(0, W₁x) (Raffel et al., 2020, section 2.1). Version 1.1: W₂·(GELU(W₁x) ⊗ Vx), with the tanh form (Shazeer, 2020, "GLU variants improve Transformer", equation 6).',
  ],
});
