import * as tf from '@tensorflow/tfjs-core';
import { gelu, type LinearParams, linear, relu, silu } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  gate: LinearParams;
  up: LinearParams;
  down: LinearParams;
}
type Args = [Params, tf.Tensor];

function inputs(draw: Draw, [batch, length, width, forward]: [number, number, number, number]): Args {
  const dense = (out: number, into: number): LinearParams => ({
    weight: draw.normal([out, into], { std: 1.5 / Math.sqrt(into) }).as2D(out, into),
  });
  return [
    { gate: dense(forward, width), up: dense(forward, width), down: dense(width, forward) },
    draw.normal([batch, length, width]),
  ];
}

/** The network whose middle is `mix` of the gate's and the other half's numbers. */
const network =
  (mix: (gate: tf.Tensor, up: tf.Tensor) => tf.Tensor) =>
  ({ gate, up, down }: Params, x: tf.Tensor): tf.Tensor =>
    tf.tidy(() => linear(down, mix(linear(gate, x), linear(up, x))));

export default defineExercise<Args>({
  id: 'llama/swiglu',
  title: 'SwiGLU',
  points: 2,
  entry: 'swiglu',
  difficulty: 2,
  minutes: 15,
  signature:
    'swiglu(params: {gate, up /* weight [F, D] */, down /* weight [D, F] */}, x: tf.Tensor /* [B, T, D] */): tf.Tensor /* [B, T, D] */',
  parameters: ['params', 'x'],
  reference: network((gate, up) => tf.mul(silu(gate), up)),
  variants: [
    {
      name: 'written out',
      implementation: network((gate, up) => tf.mul(tf.mul(up, gate), tf.sigmoid(gate))),
    },
  ],
  mutants: [
    {
      id: 'gate-and-up-swapped',
      diagnosis:
        'Gate and up are swapped: SiLU goes over what params.gate makes, not over what params.up makes.',
      implementation: network((gate, up) => tf.mul(gate, silu(up))),
    },
    {
      id: 'sigmoid',
      diagnosis: 'The gate goes through a sigmoid. SwiGLU uses SiLU, z·sigmoid(z).',
      implementation: network((gate, up) => tf.mul(tf.sigmoid(gate), up)),
    },
    {
      id: 'gelu',
      diagnosis: 'The gate goes through GELU. LLaMA uses SiLU, z·sigmoid(z).',
      implementation: network((gate, up) => tf.mul(gelu(gate), up)),
    },
    {
      id: 'relu',
      diagnosis: 'The gate goes through ReLU. LLaMA uses SiLU, z·sigmoid(z).',
      implementation: network((gate, up) => tf.mul(relu(gate), up)),
    },
    {
      id: 'silu-over-the-product',
      diagnosis: 'SiLU goes over the product. It goes over the gate alone, before the product.',
      implementation: network((gate, up) => silu(tf.mul(gate, up))),
    },
    {
      id: 'silu-over-both',
      diagnosis: 'SiLU goes over both. What params.up makes is used as it is.',
      implementation: network((gate, up) => tf.mul(silu(gate), silu(up))),
    },
    {
      id: 'sum',
      diagnosis:
        'Gate and up are added. They are multiplied, element by element: the gate lets the other through or not.',
      implementation: network((gate, up) => tf.add(silu(gate), up)),
    },
  ],
  cases: [
    { name: 'two rows', visibility: 'public', inputs: (draw) => inputs(draw, [2, 5, 6, 16]) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, [3, 4, 9, 24]) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Two matrices read x. The numbers of one decide how much of the other passes. Which of the two has an activation?',
    'gate(x) [B, T, F] → silu; up(x) [B, T, F]; their product, element by element [B, T, F] → down [B, T, D].',
    'W_down·(SiLU(W_gate·x) ⊙ W_up·x), SiLU(z) = z·sigmoid(z). Shazeer, 2020, "GLU variants improve transformer", equation 6.',
  ],
});
