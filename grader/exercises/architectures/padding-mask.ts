import * as tf from '@tensorflow/tfjs-core';
import { type Draw, defineExercise, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor2D, number];

/** Padding that differs per row and is not always on the right. */
function inputs(draw: Draw, batch: number, length: number, masked: number): Args {
  const rows = Array.from({ length: batch }, (_, row) => {
    const real = row === 0 ? length : 1 + draw.rng.integer(length - 1);
    const line = Array.from({ length }, (_, i) => (i < real ? 1 : 0));
    return row % 2 === 0 ? line : line.reverse();
  });
  return [tf.tensor2d(rows, [batch, length], 'int32'), masked];
}

const shaped = (flat: tf.Tensor, mask: tf.Tensor2D, shape: 'keys' | 'queries' = 'keys'): tf.Tensor => {
  const [batch, length] = mask.shape;
  return tf.reshape(flat, shape === 'keys' ? [batch, 1, 1, length] : [batch, 1, length, 1]);
};

const hidden = (mask: tf.Tensor2D): tf.Tensor => tf.sub(1, tf.cast(mask, 'float32'));

export default defineExercise<Args>({
  id: 'architectures/padding-mask',
  title: 'From a padding mask to a bias',
  points: 1,
  entry: 'paddingMask',
  difficulty: 1,
  minutes: 10,
  signature:
    'paddingMask(attentionMask: tf.Tensor2D /* int32 [B, S], 1 = token */, masked: number): tf.Tensor4D  // [B, 1, 1, S]',
  parameters: ['attentionMask', 'masked'],
  // Relative only: the value that hides is as large as −1e30, and 0 must be 0.
  tolerance: { absolute: 0, relative: 1e-6, reason: 'one product in float32; zeros are exact' },
  reference: (mask, masked) => tf.tidy(() => shaped(tf.mul(hidden(mask), masked), mask)),
  variants: [
    {
      name: 'by choice instead of by product',
      implementation: (mask, masked) =>
        tf.tidy(() =>
          shaped(tf.where(tf.cast(mask, 'bool'), tf.zeros(mask.shape), tf.fill(mask.shape, masked)), mask),
        ),
    },
  ],
  mutants: [
    {
      id: 'sign',
      diagnosis:
        'The sign is wrong: padding gets a large positive bias and takes all the attention. What must not be seen gets `masked`, a large negative number, as it is given.',
      implementation: (mask, masked) => tf.tidy(() => shaped(tf.mul(hidden(mask), -masked), mask)),
    },
    {
      id: 'tokens-hidden',
      diagnosis: 'Tokens and padding are swapped. 1 in the attention mask means token: its bias is 0.',
      implementation: (mask, masked) => tf.tidy(() => shaped(tf.mul(tf.cast(mask, 'float32'), masked), mask)),
    },
    {
      id: 'fixed-value',
      diagnosis:
        'Padding always gets −10,000. Use the number that is given: how low it must be depends on the scores, and −10,000 is not always enough.',
      implementation: (mask) => tf.tidy(() => shaped(tf.mul(hidden(mask), -1e4), mask)),
    },
    {
      id: 'mask-itself',
      diagnosis:
        'The mask is returned as it is, only reshaped. A bias is added to scores: it must be 0 for tokens and `masked` for padding.',
      implementation: (mask) => tf.tidy(() => shaped(tf.cast(mask, 'float32'), mask)),
    },
    {
      id: 'queries-hidden',
      diagnosis:
        'The bias has the shape [B, 1, S, 1], which hides queries. Keys are the last axis of the scores [B, H, T, S]: return [B, 1, 1, S].',
      implementation: (mask, masked) => tf.tidy(() => shaped(tf.mul(hidden(mask), masked), mask, 'queries')),
    },
  ],
  cases: [
    { name: 'three rows', visibility: 'public', inputs: (draw) => inputs(draw, 3, 5, -1e30) },
    {
      name: 'another value and other sizes',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 4, 7, -5e8),
    },
    { name: 'a soft value', visibility: 'hidden', inputs: (draw) => inputs(draw, 2, 6, -3.5) },
  ],
  properties: [noLeak(), inputsUnchanged()],
  hints: [
    'A bias is added to the scores before the softmax. What must be added to a score so that nothing changes, and what so that it no longer counts?',
    '[B, S] with 1 and 0 → 1 − mask: 0 for tokens, 1 for padding [B, S] → times `masked` → reshape to [B, 1, 1, S], which broadcasts over heads and queries of the scores [B, H, T, S].',
    'bias = (1 − mask) · masked; softmax(s + bias) gives padding exp(masked) ≈ 0. Vaswani et al., 2017, "Attention is all you need", section 3.2.3 sets such scores to −∞.',
  ],
});
