import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Word {
  pieces: string[];
  count: number;
}

type Pair = [string, string];

interface Counts {
  pairs: Map<string, { pair: Pair; count: number }>;
  pieces: Map<string, number>;
}

/** Counts of pairs and pieces; what the mutants count differently is an argument. */
function countsOf(words: readonly Word[], weighOf: (word: Word) => number = (word) => word.count): Counts {
  const pairs: Counts['pairs'] = new Map();
  const pieces: Counts['pieces'] = new Map();
  for (const word of words) {
    const weight = weighOf(word);
    for (const [i, piece] of word.pieces.entries()) {
      pieces.set(piece, (pieces.get(piece) ?? 0) + weight);
      const next = word.pieces[i + 1];
      if (next === undefined) continue;
      const key = `${piece} ${next}`;
      const entry = pairs.get(key) ?? { pair: [piece, next] satisfies Pair, count: 0 };
      entry.count += weight;
      pairs.set(key, entry);
    }
  }
  return { pairs, pieces };
}

type Score = (count: number, left: number, right: number) => number;

const likelihood: Score = (count, left, right) => count / (left * right);

function best(counts: Counts, score: Score, later = false): Pair {
  const scored = [...counts.pairs.values()].map(({ pair, count }) => ({
    pair,
    score: score(count, counts.pieces.get(pair[0]) ?? 0, counts.pieces.get(pair[1]) ?? 0),
  }));
  const order = (a: Pair, b: Pair): number => (a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1);
  scored.sort((a, b) => b.score - a.score || (later ? -1 : 1) * order(a.pair, b.pair));
  return scored[0]?.pair ?? ['', ''];
}

/** Words over a few letters, spelled as WordPiece begins: a letter, then marked letters. */
function words(draw: Draw, count: number): Word[] {
  const letters = ['e', 'n', 'o', 'r', 's', 't'] as const;
  return Array.from({ length: count }, () => ({
    pieces: Array.from(
      { length: 2 + draw.rng.integer(4) },
      (_, i) => (i === 0 ? '' : '##') + draw.pick(letters),
    ),
    count: 1 + draw.rng.integer(9),
  }));
}

/**
 * On these words every mistake below gives another pair than the right one, (q, ##u), whose pieces come together only.
 * (t, ##h) is the most frequent, (s, ##t) is the best if words are not weighted by their counts.
 */
const TELLING: Word[] = [
  { pieces: ['t', '##h', '##e'], count: 9 },
  { pieces: ['t', '##h', '##a', '##t'], count: 6 },
  { pieces: ['q', '##u', '##e'], count: 2 },
  { pieces: ['q', '##u', '##a'], count: 3 },
  { pieces: ['s', '##w', '##e'], count: 6 },
  { pieces: ['t', '##e', '##a'], count: 4 },
  { pieces: ['s', '##e', '##t'], count: 5 },
];

export default defineExercise<[Word[]]>({
  id: 'bert/wordpiece-train',
  title: 'WordPiece: which pair to merge next',
  points: 2,
  entry: 'bestMerge',
  difficulty: 2,
  minutes: 20,
  signature: 'bestMerge(words: {pieces: string[]; count: number}[]): [string, string]',
  parameters: ['words'],
  tolerance: EXACT,
  reference: (given) => best(countsOf(given), likelihood),
  variants: [
    {
      name: 'compares logarithms of the score',
      implementation: (given) => {
        const counts = countsOf(given);
        // Rounded, because two equal scores may differ in the last bit of their logarithms.
        return best(counts, (count, left, right) =>
          Number((Math.log(count) - Math.log(left) - Math.log(right)).toFixed(9)),
        );
      },
    },
  ],
  mutants: [
    {
      id: 'most-frequent-pair',
      diagnosis:
        'The most frequent pair is merged: that is byte-pair encoding. WordPiece divides the count of the pair by the counts of its two pieces.',
      implementation: (given) => best(countsOf(given), (count) => count),
    },
    {
      id: 'word-counts-ignored',
      diagnosis: 'Every word counts once. Multiply by how often the word occurs: count += word.count.',
      implementation: (given) =>
        best(
          countsOf(given, () => 1),
          likelihood,
        ),
    },
    {
      id: 'divided-by-the-sum',
      diagnosis:
        "The count of the pair is divided by the sum of its pieces' counts. The score divides by their product.",
      implementation: (given) => best(countsOf(given), (count, left, right) => count / (left + right)),
    },
    {
      id: 'divided-by-left-only',
      diagnosis:
        'The count of the pair is divided by the count of its left piece alone. Divide by the counts of both pieces.',
      implementation: (given) => best(countsOf(given), (count, left) => count / left),
    },
    {
      id: 'worst-pair',
      diagnosis: 'The pair with the lowest score is chosen. Take the highest.',
      implementation: (given) =>
        best(countsOf(given), (count, left, right) => -likelihood(count, left, right)),
    },
    {
      id: 'tie-to-the-last',
      diagnosis:
        'Of several pairs with the same score the alphabetically last is chosen. The task says: the first, by the left piece and then by the right.',
      implementation: (given) => best(countsOf(given), likelihood, true),
    },
  ],
  cases: [
    {
      name: 'a pair that never comes apart',
      visibility: 'public',
      inputs: () => [TELLING.map((word) => ({ ...word }))],
    },
    {
      name: 'two equally good pairs',
      visibility: 'public',
      inputs: () => [
        [
          { pieces: ['b', '##o', '##n'], count: 2 },
          { pieces: ['a', '##z'], count: 4 },
          { pieces: ['b', '##y'], count: 4 },
          { pieces: ['c', '##x'], count: 4 },
          { pieces: ['b', '##o'], count: 3 },
        ],
      ],
    },
    { name: 'random words', visibility: 'hidden', weight: 2, inputs: (draw) => [words(draw, 14)] },
    { name: 'other random words', visibility: 'hidden', weight: 2, inputs: (draw) => [words(draw, 40)] },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'A frequent pair of frequent pieces is nothing special. Which pair comes together more often than its pieces would by chance?',
    'Two maps: piece → count and pair → count, both adding word.count for every place. Then one pass over the pairs to find the best score.',
    'score(a, b) = count(ab) / (count(a) · count(b)): the merge that raises the likelihood of the text the most. Schuster and Nakajima, 2012, "Japanese and Korean voice search", section 3; Wu et al., 2016, section 4.1.',
  ],
});
