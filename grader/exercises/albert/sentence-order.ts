import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Special {
  clsId: number;
  sepId: number;
}

interface Example {
  inputIds: number[];
  tokenTypeIds: number[];
  label: number;
}

type Documents = number[][][];
type Args = [Documents, number[], Special];

/** `[CLS] first [SEP] second [SEP]`, the segments by the two lengths given. */
function example(
  first: number[],
  second: number[],
  label: number,
  { clsId, sepId }: Special,
  lengths = [first.length, second.length],
): Example {
  const [a = 0, b = 0] = lengths;
  return {
    inputIds: [clsId, ...first, sepId, ...second, sepId],
    tokenTypeIds: [...Array.from({ length: a + 2 }, () => 0), ...Array.from({ length: b + 1 }, () => 1)],
    label,
  };
}

interface Rules {
  make?: (first: number[], next: number[], swapped: boolean, special: Special) => Example;
  swapped?: (coin: number) => boolean;
  across?: boolean;
}

function pairs([documents, coins, special]: Args, rules: Rules = {}): Example[] {
  const { swapped = (coin) => coin < 0.5, across = false } = rules;
  const make =
    rules.make ??
    ((first, next, isSwapped, marks) =>
      isSwapped ? example(next, first, 1, marks) : example(first, next, 0, marks));
  const neighbours = (sentences: number[][]): [number[], number[]][] =>
    sentences.slice(1).map((next, i) => [sentences[i] ?? [], next]);
  const found = across ? neighbours(documents.flat()) : documents.flatMap(neighbours);
  return found.map(([first, next], k) => make(first, next, swapped(coins[k] ?? 0), special));
}

/** Sentences of different lengths; the coins give both kinds of pair in every case. */
function inputs(draw: Draw, sizes: readonly number[], special: Special): Args {
  let id = 20;
  let length = 1;
  const documents = sizes.map((sentences) =>
    Array.from({ length: sentences }, () => {
      length = 1 + ((length + draw.rng.integer(3)) % 6); // never as long as the one before
      return Array.from({ length }, () => id++);
    }),
  );
  const count = documents.flat().length;
  return [documents, Array.from({ length: count }, (_, k) => (draw.rng.next() + (k % 2)) / 2), special];
}

export default defineExercise<Args>({
  id: 'albert/sentence-order',
  title: 'Which sentence came first?',
  points: 2,
  entry: 'sentenceOrder',
  difficulty: 2,
  minutes: 20,
  signature:
    'sentenceOrder(documents: number[][][], coins: number[], special: {clsId: number; sepId: number}): {inputIds: number[]; tokenTypeIds: number[]; label: number}[]',
  parameters: ['documents', 'coins', 'special'],
  tolerance: EXACT,
  reference: (...args) => pairs(args),
  variants: [
    {
      name: 'the two sentences sorted into their places first',
      implementation: (documents, coins, { clsId, sepId }) => {
        let k = 0;
        return documents.flatMap((document) =>
          document.slice(0, -1).map((sentence, i) => {
            const label = (coins[k++] ?? 0) < 0.5 ? 1 : 0;
            const both = [sentence, document[i + 1] ?? []];
            if (label === 1) both.reverse();
            const rows = both.map((ids, segment) => {
              const row = [...(segment === 0 ? [clsId] : []), ...ids, sepId];
              return { row, types: row.map(() => segment) };
            });
            return {
              inputIds: rows.flatMap(({ row }) => row),
              tokenTypeIds: rows.flatMap(({ types }) => types),
              label,
            };
          }),
        );
      },
    },
  ],
  mutants: [
    {
      id: 'segments-not-rebuilt',
      diagnosis:
        'The segments are those of the pair before it was swapped: they change at the wrong place where the sentences differ in length. Make them from the pair as it stands in the input.',
      implementation: (...args) =>
        pairs(args, {
          make: (first, next, swapped, special) =>
            swapped
              ? example(next, first, 1, special, [first.length, next.length])
              : example(first, next, 0, special),
        }),
    },
    {
      id: 'segments-swapped-along',
      diagnosis:
        'The segment numbers were swapped along with the sentences, so the input begins with segment 1. Whatever stands first is segment 0: otherwise the segments would give the answer away.',
      implementation: (...args) =>
        pairs(args, {
          make: (first, next, swapped, special) => {
            const made = swapped ? example(next, first, 1, special) : example(first, next, 0, special);
            return swapped ? { ...made, tokenTypeIds: made.tokenTypeIds.map((type) => 1 - type) } : made;
          },
        }),
    },
    {
      id: 'across-documents',
      diagnosis:
        'The last sentence of a document is paired with the first of the next. Both sentences must be neighbours in one document.',
      implementation: (...args) => pairs(args, { across: true }),
    },
    {
      id: 'label-reversed',
      diagnosis: 'The labels are reversed: 1 means swapped, 0 means in order.',
      implementation: (...args) => pairs(args).map((made) => ({ ...made, label: 1 - made.label })),
    },
    {
      id: 'coin-reversed',
      diagnosis: 'The coin is read the other way round: below 0.5 the pair is swapped.',
      implementation: (...args) => pairs(args, { swapped: (coin) => coin >= 0.5 }),
    },
    {
      id: 'labelled-but-not-swapped',
      diagnosis: 'The label says swapped, but the sentences are in their order.',
      implementation: (...args) =>
        pairs(args, {
          make: (first, next, swapped, special) => example(first, next, swapped ? 1 : 0, special),
        }),
    },
    {
      id: 'last-separator-missing',
      diagnosis: 'The [SEP] after the second sentence is missing.',
      implementation: (...args) =>
        pairs(args).map(({ inputIds, tokenTypeIds, label }) => ({
          inputIds: inputIds.slice(0, -1),
          tokenTypeIds: tokenTypeIds.slice(0, -1),
          label,
        })),
    },
  ],
  cases: [
    {
      name: 'three documents',
      visibility: 'public',
      inputs: (draw) => inputs(draw, [4, 3, 5], { clsId: 2, sepId: 3 }),
    },
    {
      name: 'other documents',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [5, 1, 6, 2, 4], { clsId: 7, sepId: 9 }),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Both kinds of example come from two neighbouring sentences. What is the only thing that differs?',
    'k counts the pairs in reading order. coins[k] < 0.5: [next, first], label 1; else [first, next], label 0. inputIds = [clsId, …a, sepId, …b, sepId]; tokenTypeIds = a.length + 2 zeros, then b.length + 1 ones.',
    'Lan et al., 2020, "ALBERT", section 3.1, inter-sentence coherence loss: positives are two consecutive segments, negatives the same two segments with their order swapped.',
  ],
});
