import * as tf from '@tensorflow/tfjs-core';
import { mergeHeads } from '../../../src/core/index.ts';
import { type Draw, defineExercise, EXACT, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor4D];

const inputs = (draw: Draw, batch: number, heads: number, length: number, width: number): Args => [
  draw.normal([batch, heads, length, width]).as4D(batch, heads, length, width),
];

const merged = (x: tf.Tensor4D, order: number[]): tf.Tensor =>
  tf.tidy(() => {
    const [batch, heads, length, width] = x.shape;
    return tf.reshape(tf.transpose(x, order), [batch, length, heads * width]);
  });

export default defineExercise<Args>({
  id: 'architectures/merge-heads',
  title: 'Merging the heads',
  points: 1,
  entry: 'mergeHeads',
  difficulty: 1,
  minutes: 5,
  signature: 'mergeHeads(x: tf.Tensor4D /* [B, H, T, d] */): tf.Tensor3D  // [B, T, H·d]',
  parameters: ['x'],
  tolerance: EXACT,
  reference: (x) => mergeHeads(x),
  variants: [
    {
      name: 'the heads side by side',
      implementation: (x) => tf.tidy(() => tf.concat(tf.unstack(x, 1), -1)),
    },
  ],
  mutants: [
    {
      id: 'reshape-only',
      diagnosis:
        'Without a transpose the reshape puts pieces of different positions into one row. Bring [B, H, T, d] to [B, T, H, d] first.',
      implementation: (x) => merged(x, [0, 1, 2, 3]),
    },
    {
      id: 'interleaved',
      diagnosis:
        'The heads are interleaved column by column. Head h fills the neighbouring columns h·d … h·d + d − 1: transpose with [0, 2, 1, 3].',
      implementation: (x) => merged(x, [0, 2, 3, 1]),
    },
    {
      id: 'averaged',
      diagnosis: 'The heads are averaged. They are laid side by side: T rows of width H·d.',
      implementation: (x) => tf.tidy(() => tf.tile(tf.mean(x, 1), [1, 1, x.shape[1]])),
    },
    {
      id: 'heads-reversed',
      diagnosis: 'The last head comes first. Head 0 fills the first d columns.',
      implementation: (x) => tf.tidy(() => merged(tf.reverse(x, 1), [0, 2, 1, 3])),
    },
  ],
  cases: [
    { name: 'three heads', visibility: 'public', inputs: (draw) => inputs(draw, 2, 3, 5, 4) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 2, 4, 7) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'It undoes splitHeads. In which order must the two steps be undone?',
    '[B, H, T, d] → transpose [0, 2, 1, 3] → [B, T, H, d] → reshape [B, T, H·d].',
    'Y[b, t, h·d + i] = X[b, h, t, i]: Concat(head₁, …, head_H) of Vaswani et al., 2017, section 3.2.2.',
  ],
});
