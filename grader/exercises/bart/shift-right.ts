import * as tf from '@tensorflow/tfjs-core';
import { shiftRight } from '../../../src/models/encoder-decoder.ts';
import { type Draw, defineExercise, EXACT, inputsUnchanged, noLeak } from '../../define.ts';

interface Config {
  bosId: number;
  eosId: number;
  padId: number;
}

type Args = [tf.Tensor2D, Config];

const shift = (labels: tf.Tensor, start: number, filler: number): tf.Tensor =>
  shiftRight(labels, { decoder_start_token_id: start, pad_token_id: filler });

/** Rows that end with the end token and −100, one more −100 within. */
function inputs(draw: Draw, batch: number, length: number, config: Config): Args {
  const rows = Array.from({ length: batch }, (_, row) => {
    const words = length - 3 - (row % 2);
    const tokens = Array.from({ length: words }, (_, i) => (i === 2 ? -100 : 10 + draw.rng.integer(40)));
    const row0 = [...tokens, config.eosId];
    return [...row0, ...Array.from({ length: length - row0.length }, () => -100)];
  });
  return [tf.tensor2d(rows, [batch, length], 'int32'), config];
}

export default defineExercise<Args>({
  id: 'bart/shift-right',
  title: 'What the decoder reads: shift right',
  points: 2,
  entry: 'shiftLabels',
  difficulty: 2,
  minutes: 15,
  signature:
    'shiftLabels(labels: tf.Tensor2D /* int32 [B, T], −100 = not scored */, config: {bosId: number; eosId: number; padId: number}): tf.Tensor  // int32 [B, T]',
  parameters: ['labels', 'config'],
  tolerance: EXACT,
  reference: (labels, { eosId, padId }) => shift(labels, eosId, padId),
  variants: [
    {
      name: 'the padding first',
      implementation: (labels, { eosId, padId }) =>
        tf.tidy(() => {
          const known = tf.where(
            tf.less(labels, 0),
            tf.onesLike(labels).mul(tf.scalar(padId, 'int32')),
            labels,
          );
          return tf.pad(
            known.slice([0, 0], [-1, labels.shape[1] - 1]),
            [
              [0, 0],
              [1, 0],
            ],
            eosId,
          );
        }),
    },
  ],
  mutants: [
    {
      id: 'starts-with-bos',
      diagnosis:
        'The row starts with the beginning-of-sequence token. BART’s decoder starts with end-of-sequence, eosId.',
      implementation: (labels, { bosId, padId }) => shift(labels, bosId, padId),
    },
    {
      id: 'ignored-kept',
      diagnosis: 'The −100 of the labels is still there. It is no token: put padId in its place.',
      implementation: (labels, { eosId }) => shift(labels, eosId, -100),
    },
    {
      id: 'ignored-becomes-eos',
      diagnosis: 'The −100 became eosId. Put padId in its place.',
      implementation: (labels, { eosId }) => shift(labels, eosId, eosId),
    },
    {
      id: 'not-shifted',
      diagnosis:
        'The labels are not shifted, so the decoder reads at t the very token that it must write at t. Move all one place to the right.',
      implementation: (labels, { padId }) =>
        tf.tidy(() => tf.where(tf.less(labels, 0), tf.fill(labels.shape, padId, 'int32'), labels)),
    },
    {
      id: 'shifted-left',
      diagnosis: 'The labels are moved to the left. The decoder at t reads the label of t − 1.',
      implementation: (labels, { eosId, padId }) =>
        tf.tidy(() => tf.reverse(shift(tf.reverse(labels, 1), eosId, padId), 1)),
    },
    {
      id: 'one-longer',
      diagnosis:
        'The result is one token longer than the labels. The last label is read by nobody: drop it, and T stays.',
      implementation: (labels, { eosId, padId }) =>
        tf.tidy(() =>
          shift(
            tf.pad(
              labels,
              [
                [0, 0],
                [0, 1],
              ],
              padId,
            ),
            eosId,
            padId,
          ),
        ),
    },
  ],
  cases: [
    {
      name: 'two rows',
      visibility: 'public',
      inputs: (draw) => inputs(draw, 2, 8, { bosId: 0, eosId: 2, padId: 1 }),
    },
    {
      name: 'other sizes and other ids',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 3, 11, { bosId: 5, eosId: 7, padId: 4 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged()],
  hints: [
    'What has the decoder read when it is to write token t? And what when it is to write the first?',
    'labels [B, T] → without the last column [B, T − 1] → a column of eosId before it [B, T] → padId where there is −100.',
    'y_in[0] = eos, y_in[t] = y[t − 1]. Vaswani et al., 2017, section 3.1 ("the output embeddings are offset by one position"); that BART starts with end-of-sequence comes from its released code.',
  ],
});
