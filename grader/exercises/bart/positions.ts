import * as tf from '@tensorflow/tfjs-core';
import { embed } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  tokens: tf.Tensor2D;
  positions: tf.Tensor2D;
}

type Args = [Params, tf.Tensor, number];

function add(params: Params, ids: tf.Tensor, first: number, step = 1): tf.Tensor {
  return tf.tidy(() => {
    const [, length = 0] = ids.shape;
    const places = tf.range(first, first + length * step, step, 'int32');
    return tf.add(embed(params.tokens, ids), embed(params.positions, places));
  });
}

const inputs = (
  draw: Draw,
  { batch, length, width, past }: { batch: number; length: number; width: number; past: number },
): Args => [
  {
    tokens: draw.normal([19, width]).as2D(19, width),
    positions: draw.normal([2 * (past + length) + 6, width]).as2D(2 * (past + length) + 6, width),
  },
  draw.integers([batch, length], 0, 19),
  past,
];

export default defineExercise<Args>({
  id: 'bart/positions',
  title: 'Learned positions, offset by two',
  points: 2,
  entry: 'embedTokens',
  difficulty: 2,
  minutes: 15,
  signature:
    'embedTokens(params: {tokens: tf.Tensor2D /* [V, D] */; positions: tf.Tensor2D /* [P + 2, D] */}, ids: tf.Tensor /* int32 [B, T] */, past: number): tf.Tensor  // [B, T, D]',
  parameters: ['params', 'ids', 'past'],
  reference: (params, ids, past) => add(params, ids, past + 2),
  variants: [
    {
      name: 'a slice of the position table',
      implementation: (params, ids, past) =>
        tf.tidy(() => {
          const rows = tf.slice(params.positions, [past + 2, 0], [ids.shape[1] ?? 0, -1]);
          return tf.add(tf.expandDims(rows, 0), embed(params.tokens, ids));
        }),
    },
  ],
  mutants: [
    {
      id: 'no-offset',
      diagnosis:
        'Position 0 is read from row 0. In BART it is row 2: rows 0 and 1 of the table are never used.',
      implementation: (params, ids, past) => add(params, ids, past),
    },
    {
      id: 'offset-one',
      diagnosis: 'The offset is 1. It is 2: position 0 is row 2 of the table.',
      implementation: (params, ids, past) => add(params, ids, past + 1),
    },
    {
      id: 'cache-offset-lost',
      diagnosis:
        'The positions start over although tokens came before. With `past` tokens in the cache, the first new one is at position past.',
      implementation: (params, ids) => add(params, ids, 2),
    },
    {
      id: 'offset-twice',
      diagnosis: 'The offset is added twice. The row is past + t + 2.',
      implementation: (params, ids, past) => add(params, ids, past + 4),
    },
    {
      id: 'one-position-for-all',
      diagnosis: 'All tokens get the position of the first. Token t of the new ones is at past + t.',
      implementation: (params, ids, past) =>
        tf.tidy(() => {
          const row = tf.slice(params.positions, [past + 2, 0], [1, -1]);
          return tf.add(embed(params.tokens, ids), row);
        }),
    },
    {
      id: 'scaled',
      diagnosis: 'The token vectors are scaled by √D. BART does not scale them.',
      implementation: (params, ids, past) =>
        tf.tidy(() => {
          const rows = tf.slice(params.positions, [past + 2, 0], [ids.shape[1] ?? 0, -1]);
          return tf.add(tf.mul(embed(params.tokens, ids), Math.sqrt(params.tokens.shape[1])), rows);
        }),
    },
  ],
  cases: [
    {
      name: 'the whole text at once',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 5, width: 6, past: 0 }),
    },
    {
      name: 'three tokens in the cache',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { batch: 2, length: 4, width: 7, past: 3 }),
    },
    {
      name: 'other sizes, more in the cache',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { batch: 3, length: 2, width: 5, past: 9 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'At which position does a token stand when others were read before it? And in which row of the table is that position?',
    'tokens[ids] [B, T, D] + positions[past + t + 2] [T, D], for t = 0 … T − 1 → [B, T, D].',
    'x_t = E[id_t] + P[past + t + 2]. Lewis et al., 2020, "BART", section 2.1, for learned positions; the offset is that of the released code, which began to count after the padding id 1.',
  ],
});
