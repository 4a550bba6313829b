import * as tf from '@tensorflow/tfjs-core';
import { splitHeads } from '../../../src/core/index.ts';
import { type Draw, defineExercise, EXACT, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor3D, number];

const inputs = (draw: Draw, batch: number, length: number, heads: number, width: number): Args => [
  draw.normal([batch, length, heads * width]).as3D(batch, length, heads * width),
  heads,
];

/** A reshape to these axes, then a transpose. */
const moved = (x: tf.Tensor, shape: number[], order: number[]): tf.Tensor =>
  tf.tidy(() => tf.transpose(tf.reshape(x, shape), order));

const sizes = (x: tf.Tensor3D, heads: number): [number, number, number] => [
  x.shape[0],
  x.shape[1],
  x.shape[2] / heads,
];

export default defineExercise<Args>({
  id: 'architectures/split-heads',
  title: 'Splitting into heads',
  points: 1,
  entry: 'splitHeads',
  difficulty: 2,
  minutes: 10,
  signature:
    'splitHeads(x: tf.Tensor3D /* [B, T, D] */, numHeads: number): tf.Tensor4D  // [B, H, T, d], d = D/H',
  parameters: ['x', 'numHeads'],
  tolerance: EXACT,
  reference: (x, heads) => splitHeads(x, heads),
  variants: [
    {
      name: 'slices stacked',
      implementation: (x, heads) => tf.tidy(() => tf.stack(tf.split(x, heads, 2), 1)),
    },
  ],
  mutants: [
    {
      id: 'reshape-only',
      diagnosis:
        'The numbers are only relabelled: a reshape to [B, H, T, d] mixes the positions. Reshape to [B, T, H, d], which cuts D into heads, then swap the two middle axes with a transpose.',
      implementation: (x, heads) => {
        const [batch, length, width] = sizes(x, heads);
        return tf.reshape(x, [batch, heads, length, width]);
      },
    },
    {
      id: 'interleaved',
      diagnosis:
        'Each head takes every H-th column. Head h owns the d neighbouring columns h·d … h·d + d − 1: reshape D as [H, d], not as [d, H].',
      implementation: (x, heads) => {
        const [batch, length, width] = sizes(x, heads);
        return moved(x, [batch, length, width, heads], [0, 3, 1, 2]);
      },
    },
    {
      id: 'not-transposed',
      diagnosis:
        'The axes are [B, T, H, d]. Attention multiplies the last two axes, so they must be [T, d]: transpose to [B, H, T, d].',
      implementation: (x, heads) => {
        const [batch, length, width] = sizes(x, heads);
        return tf.reshape(x, [batch, length, heads, width]);
      },
    },
    {
      id: 'positions-and-width-swapped',
      diagnosis:
        'The axes are [B, H, d, T]. Only H and T change places: the order of the transpose is [0, 2, 1, 3].',
      implementation: (x, heads) => {
        const [batch, length, width] = sizes(x, heads);
        return moved(x, [batch, length, heads, width], [0, 2, 3, 1]);
      },
    },
  ],
  cases: [
    { name: 'three heads', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 3, 4) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 4, 2, 7) },
    { name: 'as many heads as positions', visibility: 'hidden', inputs: (draw) => inputs(draw, 2, 4, 4, 3) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'A reshape never moves a number in memory. Which neighbours in memory belong to one head, and which axis do they form?',
    '[B, T, D] → reshape [B, T, H, d] → transpose [0, 2, 1, 3] → [B, H, T, d].',
    'Y[b, h, t, i] = X[b, t, h·d + i]. Vaswani et al., 2017, section 3.2.2: H projections to width d = D/H, here done as one product of width D.',
  ],
});
