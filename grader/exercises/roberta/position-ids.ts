import * as tf from '@tensorflow/tfjs-core';
import { robertaPositionIds } from '../../../src/models/index.ts';
import { type Draw, defineExercise, EXACT, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor2D, number];

/** Rows with padding behind, in front and inside; ids just above and below the padding id occur as tokens. */
function inputs(draw: Draw, batch: number, length: number, paddingId: number): Args {
  const token = (): number => {
    const id = draw.rng.integer(9);
    return id >= paddingId ? id + 1 : id;
  };
  const rows = Array.from({ length: batch }, (_, row) => {
    const line = Array.from({ length }, token);
    const hole = 1 + draw.rng.integer(length - 2);
    if (row % 3 === 0) line[hole] = paddingId;
    else if (row % 3 === 1) line.fill(paddingId, hole);
    else line.fill(paddingId, 0, hole);
    return line;
  });
  return [tf.tensor2d(rows, [batch, length], 'int32'), paddingId];
}

const isToken = (ids: tf.Tensor, paddingId: number): tf.Tensor =>
  tf.cast(tf.notEqual(ids, paddingId), 'int32');

/** Cumulative counts times the mask, plus an offset: what the mutants vary. */
const positions = (ids: tf.Tensor, paddingId: number, offset: number, masked = true): tf.Tensor =>
  tf.tidy(() => {
    const mask = isToken(ids, paddingId);
    const count = tf.cumsum(mask, 1);
    return tf.cast(tf.add(masked ? tf.mul(count, mask) : count, offset), 'int32');
  });

export default defineExercise<Args>({
  id: 'roberta/position-ids',
  title: 'Positions that pass over padding',
  points: 1,
  entry: 'positionIds',
  difficulty: 2,
  minutes: 15,
  signature:
    'positionIds(inputIds: tf.Tensor2D /* int32 [B, T] */, paddingId: number): tf.Tensor2D  // int32 [B, T]',
  parameters: ['inputIds', 'paddingId'],
  tolerance: EXACT,
  reference: (ids, paddingId) => robertaPositionIds(ids, paddingId),
  variants: [
    {
      name: 'as a product with a triangle of ones',
      implementation: (ids, paddingId) =>
        tf.tidy(() => {
          const [, length] = ids.shape;
          const mask = tf.cast(tf.notEqual(ids, paddingId), 'float32');
          const before = tf.tensor2d(
            Array.from({ length }, (_, i) => Array.from({ length }, (_, j) => (i <= j ? 1 : 0))),
          );
          const count = tf.mul(tf.matMul(mask, before), mask);
          return tf.cast(tf.add(count, paddingId), 'int32');
        }),
    },
  ],
  mutants: [
    {
      id: 'padding-id-is-one',
      diagnosis:
        'The padding id is taken to be 1. It is 1 in the published RoBERTa, but it is an argument here: use it for the mask and for the offset.',
      implementation: (ids) => positions(ids, 1, 1),
    },
    {
      id: 'offset-one',
      diagnosis: 'The offset is always 1. Positions begin at paddingId + 1.',
      implementation: (ids, paddingId) => positions(ids, paddingId, 1),
    },
    {
      id: 'plain-range',
      diagnosis:
        'Positions simply count 0, 1, 2 … as in BERT. RoBERTa counts tokens only, and begins at paddingId + 1.',
      implementation: (ids) =>
        tf.tidy(() => tf.add(tf.zerosLike(ids), tf.range(0, ids.shape[1], 1, 'int32')).cast('int32')),
    },
    {
      id: 'no-offset',
      diagnosis:
        'The offset is missing: add paddingId, so that padding has the position paddingId and the first token the one after it.',
      implementation: (ids, paddingId) => positions(ids, paddingId, 0),
    },
    {
      id: 'padding-counted-on',
      diagnosis:
        'Padding gets the position of the token before it. Multiply the count by the mask: all padding is at paddingId.',
      implementation: (ids, paddingId) => positions(ids, paddingId, paddingId, false),
    },
    {
      id: 'range-plus-offset',
      diagnosis:
        'Positions go on through padding inside and in front of a row. Count the tokens that are not padding: tf.cumsum of the mask.',
      implementation: (ids, paddingId) =>
        tf.tidy(() => {
          const range = tf.add(tf.range(1, ids.shape[1] + 1, 1, 'int32'), paddingId);
          const mask = isToken(ids, paddingId);
          return tf.cast(tf.add(tf.mul(tf.sub(range, paddingId), mask), paddingId), 'int32');
        }),
    },
  ],
  cases: [
    { name: 'the published padding id', visibility: 'public', inputs: (draw) => inputs(draw, 3, 7, 1) },
    { name: 'another padding id', visibility: 'public', weight: 2, inputs: (draw) => inputs(draw, 4, 6, 3) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 5, 9, 5) },
    { name: 'padding id 0', visibility: 'hidden', inputs: (draw) => inputs(draw, 3, 8, 0) },
  ],
  properties: [noLeak(), inputsUnchanged()],
  hints: [
    'The position of a token is how many tokens stand up to it. Which function of tf adds up along an axis?',
    'inputIds [B, T] → mask = inputIds ≠ paddingId, as int32 [B, T] → cumsum along axis 1 → times mask → plus paddingId → int32 [B, T].',
    'p = cumsum(m)·m + paddingId, m = 1 for tokens. The paper (Liu et al., 2019) does not say it; it is in the released code (fairseq), where the row paddingId of the table is reserved for padding.',
  ],
});
