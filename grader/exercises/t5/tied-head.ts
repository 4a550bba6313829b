import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../../../src/core/linear.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor2D, tf.Tensor];

const inputs = (draw: Draw, batch: number, length: number, width: number, words: number): Args => [
  draw.normal([words, width]).as2D(words, width),
  draw.normal([batch, length, width]),
];

/** Logits times a factor of D and V. */
const head = (
  table: tf.Tensor2D,
  states: tf.Tensor,
  factor: (width: number, words: number) => number,
): tf.Tensor =>
  tf.tidy(() => tf.mul(linear({ weight: table }, states), factor(table.shape[1], table.shape[0])));

export default defineExercise<Args>({
  id: 't5/tied-head',
  title: 'One table at both ends',
  points: 1,
  entry: 'tiedHead',
  difficulty: 1,
  minutes: 10,
  signature:
    'tiedHead(table: tf.Tensor2D /* [V, D] */, states: tf.Tensor /* [B, T, D] */): tf.Tensor  // logits [B, T, V]',
  parameters: ['table', 'states'],
  tolerance: { ...FLOAT32, reason: 'one product over D in float32' },
  reference: (table, states) =>
    tf.tidy(() => linear({ weight: table }, tf.mul(states, table.shape[1] ** -0.5))),
  variants: [
    {
      name: 'the logits divided',
      implementation: (table, states) => head(table, states, (d) => 1 / Math.sqrt(d)),
    },
  ],
  mutants: [
    {
      id: 'scale-forgotten',
      diagnosis:
        'The scale is missing. The table was drawn for looking words up, with a standard deviation of 1: as a head it needs the factor D^−½.',
      implementation: (table, states) => head(table, states, () => 1),
    },
    {
      id: 'divided-by-width',
      diagnosis: 'The states are divided by D. The factor is D^−½: divide by the root.',
      implementation: (table, states) => head(table, states, (d) => 1 / d),
    },
    {
      id: 'multiplied-by-root',
      diagnosis: 'The states are multiplied by √D. Divide by it.',
      implementation: (table, states) => head(table, states, (d) => Math.sqrt(d)),
    },
    {
      id: 'vocabulary-as-width',
      diagnosis: 'The factor is made of V. It is made of D, the length of the sums.',
      implementation: (table, states) => head(table, states, (_, v) => 1 / Math.sqrt(v)),
    },
    {
      id: 'probabilities',
      diagnosis: 'A softmax is applied. The head returns logits; the loss takes the softmax.',
      implementation: (table, states) => tf.tidy(() => tf.softmax(head(table, states, (d) => d ** -0.5))),
    },
  ],
  cases: [
    { name: 'two texts', visibility: 'public', inputs: (draw) => inputs(draw, 2, 5, 6, 11) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 4, 9, 14) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'How large is a sum of D products of numbers of size 1?',
    'states [B, T, D] · D^−½ → times the table turned over [D, V] → [B, T, V]; lab.linear({weight: table}, …) does the turning.',
    'logits = (D^−½ · h)·Eᵀ. The factor is in the released code of T5 (Raffel et al., 2020); version 1.1 has a head of its own and no factor.',
  ],
});
