import { restoreSpans } from '../../../src/objectives/span-corruption.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number[], number[], number, number];

/** What each sentinel of the target stands for, in the order in which they come. */
function fillings([, labels, first, count]: Args): [number, number[]][] {
  const found: [number, number[]][] = [];
  for (const id of labels) {
    if (id <= first && id > first - count) found.push([id, []]);
    else found.at(-1)?.[1].push(id);
  }
  return found;
}

const fill = (args: Args, words: (sentinel: number, gap: number) => number[]): number[] => {
  const [inputIds, , first, count] = args;
  let gap = 0;
  return inputIds.flatMap((id) => (id <= first && id > first - count ? words(id, gap++) : [id]));
};

const wordsOf = (args: Args, sentinel: number): number[] | undefined =>
  fillings(args).find(([id]) => id === sentinel)?.[1];

/** A text with four gaps; the target, as a model may write it, fills them in another order and leaves one out. */
function inputs(draw: Draw, first: number, count: number): Args {
  const words = (length: number): number[] => Array.from({ length }, () => 3 + draw.rng.integer(60));
  const inputIds = [0, 1, 2, 3].flatMap((k) => [...words(1 + draw.rng.integer(4)), first - k]);
  const labels = [2, 0, 3].flatMap((k) => [first - k, ...words(2 + draw.rng.integer(3))]);
  return [[...inputIds, ...words(2), first + 3], [...labels, first - 4], first, count];
}

export default defineExercise<Args>({
  id: 't5/restore-spans',
  title: 'The text from its two halves',
  points: 2,
  entry: 'restoreSpans',
  difficulty: 3,
  minutes: 20,
  signature:
    'restoreSpans(inputIds: number[], labels: number[], firstSentinel: number, sentinels: number /* how many there are */): number[]',
  parameters: ['inputIds', 'labels', 'firstSentinel', 'sentinels'],
  tolerance: EXACT,
  reference: (inputIds, labels, firstSentinel, sentinels) =>
    restoreSpans(inputIds, labels, { firstSentinel, sentinels }),
  variants: [
    {
      name: 'by the place of each sentinel',
      implementation: (inputIds, labels, first, count) => {
        const mark = (id: number): boolean => id <= first && id > first - count;
        return inputIds.flatMap((id) => {
          if (!mark(id)) return [id];
          const at = labels.indexOf(id);
          if (at === -1) return [];
          const rest = labels.slice(at + 1);
          const end = rest.findIndex(mark);
          return end === -1 ? rest : rest.slice(0, end);
        });
      },
    },
  ],
  mutants: [
    {
      id: 'in-order',
      diagnosis:
        'The gaps are filled in the order of the target. A model may write them in another order or leave one out: look for the same sentinel.',
      implementation: (...args) => fill(args, (_, gap) => fillings(args)[gap]?.[1] ?? []),
    },
    {
      id: 'first-token-only',
      diagnosis: 'Only the first token of each span is put back. A span ends at the next sentinel.',
      implementation: (...args) => fill(args, (id) => (wordsOf(args, id) ?? []).slice(0, 1)),
    },
    {
      id: 'sentinels-left',
      diagnosis: 'The sentinels stay in the text. What they stand for takes their place.',
      implementation: (...args) => fill(args, (id) => [id, ...(wordsOf(args, id) ?? [])]),
    },
    {
      id: 'unknown-sentinel-left',
      diagnosis: 'A sentinel that the target lacks stays in the text. It stands for nothing.',
      implementation: (...args) => fill(args, (id) => wordsOf(args, id) ?? [id]),
    },
    {
      id: 'gaps-closed',
      diagnosis:
        'The gaps are closed, but nothing is put in. The words are in labels, behind the same sentinel.',
      implementation: (...args) => fill(args, () => []),
    },
    {
      id: 'next-gap',
      diagnosis: 'Each gap gets the words of the next sentinel. The words of a sentinel follow it.',
      implementation: (...args) => fill(args, (id) => wordsOf(args, id - 1) ?? []),
    },
    {
      id: 'sentinels-without-limit',
      diagnosis:
        'Ids outside the sentinels are taken for sentinels. They are firstSentinel and those below it, as many as sentinels says; other ids are words.',
      implementation: (...[inputIds, labels, first]) => {
        const wide: Args = [inputIds, labels, first + 10, 100];
        return fill(wide, (id) => wordsOf(wide, id) ?? []);
      },
    },
  ],
  cases: [
    {
      name: 'ten tokens, two spans',
      visibility: 'public',
      inputs: () => [[11, 12, 99, 16, 17, 18, 98, 20], [99, 13, 14, 15, 98, 19, 97], 99, 10],
    },
    { name: 'another order, one missing', visibility: 'public', inputs: (draw) => inputs(draw, 120, 20) },
    { name: 'other sentinels', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 90, 12) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'A Map from each sentinel to its words makes the second half easy.',
    'labels → Map(sentinel → the tokens up to the next sentinel); inputIds → each sentinel replaced by its list, or by nothing if the Map lacks it. An id is a sentinel if firstSentinel − sentinels < id ≤ firstSentinel.',
    'It is the inverse of span corruption. Raffel et al., 2020, section 3.1.4 and figure 2.',
  ],
});
