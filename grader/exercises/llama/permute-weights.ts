import * as tf from '@tensorflow/tfjs-core';
import { interleavedToHalves } from '../../../src/core/index.ts';
import { type Draw, defineExercise, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

type Args = [tf.Tensor2D, number];

const inputs = (draw: Draw, heads: number, headWidth: number, into: number): Args => [
  draw.normal([heads * headWidth, into]).as2D(heads * headWidth, into),
  heads,
];

/** The rows of the weight in the order that `from(head, place, d)` names. */
function reorder([weight, heads]: Args, from: (place: number, width: number) => number): tf.Tensor2D {
  const width = weight.shape[0] / heads;
  const rows = Array.from(
    { length: weight.shape[0] },
    (_, row) => Math.floor(row / width) * width + from(row % width, width),
  );
  return tf.tidy(() => tf.gather(weight, tf.tensor1d(rows, 'int32')));
}
const evenFirst = (place: number, width: number): number =>
  place < width / 2 ? 2 * place : 2 * (place - width / 2) + 1;

export default defineExercise<Args>({
  id: 'llama/permute-weights',
  title: 'From one pairing to the other',
  points: 2,
  entry: 'interleavedToHalves',
  difficulty: 3,
  minutes: 20,
  signature:
    'interleavedToHalves(weight: tf.Tensor2D /* [H·d, D] */, heads: number): tf.Tensor2D /* [H·d, D] */',
  parameters: ['weight', 'heads'],
  tolerance: { absolute: 0, relative: 0, reason: 'rows are moved, nothing is computed' },
  reference: (weight, heads) => interleavedToHalves(weight, heads),
  variants: [{ name: 'rows gathered', implementation: (...args) => reorder(args, evenFirst) }],
  mutants: [
    {
      id: 'other-way-round',
      diagnosis:
        'The rows go from halves to neighbours. It is the other way: the even rows of a head come first, then the odd ones.',
      implementation: (...args) =>
        reorder(args, (place, width) => (place % 2) * (width / 2) + Math.floor(place / 2)),
    },
    {
      id: 'heads-forgotten',
      diagnosis:
        'The rows are reordered across all heads. Each head has d rows of its own; reorder within them.',
      implementation: (...[weight]) => reorder([weight, 1], evenFirst),
    },
    {
      id: 'unchanged',
      diagnosis:
        'The weight comes back as it was. Row 2i of a head must move to place i, row 2i + 1 to i + d/2.',
      implementation: (...[weight]) => tf.clone(weight),
    },
    {
      id: 'odd-first',
      diagnosis: 'The odd rows stand in the first half. Row 2i goes there, row 2i + 1 to the second half.',
      implementation: (...args) =>
        reorder(args, (place, width) => evenFirst((place + width / 2) % width, width)),
    },
  ],
  cases: [
    { name: 'two heads', visibility: 'public', inputs: (draw) => inputs(draw, 2, 6, 5) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 3, 10, 7) },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow()],
  hints: [
    'Row r of the weight makes feature r of the query. Where must a feature move, so that its partner is found d/2 places on?',
    'weight [H·d, D] → [H, d/2, 2, D] → transpose to [H, 2, d/2, D] → [H·d, D].',
    'New row h·d + j·d/2 + i is old row h·d + 2i + j, j = 0 or 1. Queries and keys are reordered alike, so their products stay the same: a sum does not care about the order of its terms.',
  ],
});
