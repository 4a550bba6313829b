import { createRng } from '../../../src/core/index.ts';
import { type Draw, defineExercise, deterministic, EXACT } from '../../define.ts';

type Args = [number, { seed: number; epoch: number; index: number }[]];

type Place = Args[1][number];

const chosen = (length: number, rng: { next(): number }, rate = 0.15): number[] =>
  Array.from({ length }, (_, i) => (rng.next() < rate ? i : -1)).filter((i) => i >= 0);

/** Places that differ in one of the three numbers at a time, and two whose sums are equal. */
function inputs(draw: Draw, length: number): Args {
  const seed = draw.rng.integer(1000);
  const epoch = 1 + draw.rng.integer(50);
  const index = 1 + draw.rng.integer(50);
  return [
    length,
    [
      { seed, epoch, index },
      { seed, epoch: epoch + 1, index },
      { seed, epoch, index: index + 1 },
      { seed, epoch: epoch + 1, index: index - 1 },
      { seed: seed + 1, epoch, index },
      { seed, epoch, index },
    ],
  ];
}

const streamOf = ({ seed, epoch, index }: Place): { next(): number } =>
  createRng(`${seed}/${epoch}/${index}`);

export default defineExercise<Args>({
  id: 'roberta/dynamic-mask',
  title: 'A new mask in every epoch',
  points: 1,
  entry: 'maskedPositions',
  difficulty: 2,
  minutes: 15,
  signature:
    'maskedPositions(length: number, places: {seed: number; epoch: number; index: number}[]): number[][]  // the positions chosen for each place',
  parameters: ['length', 'places'],
  tolerance: EXACT,
  reference: (length, places) => places.map((place) => chosen(length, streamOf(place))),
  variants: [
    {
      name: 'a loop that pushes',
      implementation: (length, places) =>
        places.map(({ seed, epoch, index }) => {
          const rng = createRng(`${seed}/${epoch}/${index}`);
          const positions: number[] = [];
          for (let i = 0; i < length; i++) if (rng.next() < 0.15) positions.push(i);
          return positions;
        }),
    },
  ],
  mutants: [
    {
      id: 'same-mask-every-epoch',
      diagnosis:
        'The mask is the same in every epoch: that is static masking, what RoBERTa changed. The epoch must be part of the seed.',
      implementation: (length, places) =>
        places.map((place) => chosen(length, streamOf({ ...place, epoch: places[0]?.epoch ?? 0 }))),
    },
    {
      id: 'same-mask-for-every-sequence',
      diagnosis:
        'All sequences of an epoch get the same mask. The index of the sequence must be part of the seed.',
      implementation: (length, places) =>
        places.map((place) => chosen(length, streamOf({ ...place, index: places[0]?.index ?? 0 }))),
    },
    {
      id: 'seed-ignored',
      diagnosis: 'The seed is not used: another run would have the same masks.',
      implementation: (length, places) =>
        places.map((place) => chosen(length, streamOf({ ...place, seed: places[0]?.seed ?? 0 }))),
    },
    {
      id: 'one-stream-for-all',
      diagnosis:
        'One stream runs through all places, so a mask depends on what was drawn before it. Make a new generator for each place, from its three numbers.',
      implementation: (length, places) => {
        const first = places[0];
        if (first === undefined) return [];
        const rng = streamOf(first);
        return places.map(() => chosen(length, rng));
      },
    },
    {
      id: 'another-share',
      diagnosis: 'The share is not 15%: a position is chosen when its number is below 0.15.',
      implementation: (length, places) => places.map((place) => chosen(length, streamOf(place), 0.2)),
    },
    {
      id: 'the-others',
      diagnosis: 'The positions that are not chosen are returned.',
      implementation: (length, places) =>
        places.map((place) => {
          const hidden = new Set(chosen(length, streamOf(place)));
          return Array.from({ length }, (_, i) => i).filter((i) => !hidden.has(i));
        }),
    },
  ],
  cases: [
    { name: 'six places', visibility: 'public', inputs: (draw) => inputs(draw, 80) },
    { name: 'longer sequences', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 200) },
  ],
  properties: [deterministic()],
  hints: [
    'What must two visits to the same sequence in the same epoch have in common, and what two visits in different epochs?',
    'For each place: rng = lab.createRng([seed, epoch, index].join("/")); for i = 0 … length − 1 draw one number, rng.next(); i is chosen when it is below 0.15.',
    'Liu et al., 2019, "RoBERTa", section 4.1: the masking pattern is made anew every time a sequence is fed to the model.',
  ],
});
