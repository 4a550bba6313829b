import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Word {
  pieces: string[];
  count: number;
}

type Score = (count: number, left: number, right: number) => number;

/** What the mutants vary. */
interface Rules {
  score?: Score;
  weight?: (word: Word) => number;
  tieToTheLast?: boolean;
  join?: (left: string, right: string) => string;
}

const likelihood: Score = (count, left, right) => count / (left * right);
const glue = (left: string, right: string): string => left + right.replace(/^##/, '');

/** Two scores closer than this are a tie: their quotients may differ in the last bit. */
const TIE = 1e-12;

/** The pair to merge next, undefined when no word has two pieces. */
function best(words: readonly Word[], rules: Rules): [string, string] | undefined {
  const { score = likelihood, weight = (word: Word) => word.count, tieToTheLast = false } = rules;
  const pairs = new Map<string, { left: string; right: string; count: number }>();
  const pieces = new Map<string, number>();
  for (const word of words) {
    for (const [i, left] of word.pieces.entries()) {
      pieces.set(left, (pieces.get(left) ?? 0) + weight(word));
      const right = word.pieces[i + 1];
      if (right === undefined) continue;
      const pair = pairs.get(`${left} ${right}`) ?? { left, right, count: 0 };
      pair.count += weight(word);
      pairs.set(`${left} ${right}`, pair);
    }
  }
  const ordered = [...pairs.values()].sort((a, b) =>
    a.left === b.left ? (a.right < b.right ? -1 : 1) : a.left < b.left ? -1 : 1,
  );
  if (tieToTheLast) ordered.reverse();
  const of = (pair: { left: string; right: string; count: number }): number =>
    score(pair.count, pieces.get(pair.left) ?? 0, pieces.get(pair.right) ?? 0);
  const chosen = ordered.reduce<(typeof ordered)[number] | undefined>(
    (winner, pair) => (winner === undefined || of(pair) > of(winner) + TIE ? pair : winner),
    undefined,
  );
  return chosen === undefined ? undefined : [chosen.left, chosen.right];
}

/** The pieces that the merges make, in their order. */
function train(words: readonly Word[], merges: number, rules: Rules = {}): string[] {
  const { join = glue } = rules;
  const learned: string[] = [];
  let current: readonly Word[] = words;
  while (learned.length < merges) {
    const pair = best(current, rules);
    if (pair === undefined) break;
    const [left, right] = pair;
    const joined = join(left, right);
    learned.push(joined);
    current = current.map(({ pieces, count }) => {
      const merged: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        const here = pieces[i] === left && pieces[i + 1] === right;
        merged.push(here ? joined : (pieces[i] ?? ''));
        if (here) i++;
      }
      return { pieces: merged, count };
    });
  }
  return learned;
}

const word = (text: string, count: number): Word => ({
  pieces: Array.from(text, (letter, i) => (i === 0 ? letter : `##${letter}`)),
  count,
});

/**
 * Random words, and some that show each mistake: "banana" holds a pair twice, the first and the last words are as good as each
 * other, and "qu" is rare but never comes apart.
 */
function corpus(draw: Draw, size: number): Word[] {
  const letters = ['e', 'n', 'o', 'r', 's', 't'] as const;
  const random = Array.from({ length: size }, () =>
    word(
      Array.from({ length: 2 + draw.rng.integer(4) }, () => draw.pick(letters)).join(''),
      1 + draw.rng.integer(9),
    ),
  );
  return [
    word('that', 6),
    word('banana', 2),
    word('quest', 3),
    word('the', 9),
    ...random,
    word('zy', 2),
    word('vx', 2),
  ];
}

export default defineExercise<[Word[], number]>({
  id: 'bert/wordpiece-train',
  title: 'WordPiece: learning the pieces',
  points: 3,
  entry: 'trainPieces',
  difficulty: 3,
  minutes: 35,
  signature: 'trainPieces(words: {pieces: string[]; count: number}[], merges: number): string[]',
  parameters: ['words', 'merges'],
  tolerance: EXACT,
  reference: (words, merges) => train(words, merges),
  variants: [
    {
      name: 'compares logarithms of the score',
      implementation: (words, merges) =>
        train(words, merges, {
          score: (count, left, right) => Math.log(count) - Math.log(left) - Math.log(right),
        }),
    },
  ],
  mutants: [
    {
      id: 'most-frequent-pair',
      diagnosis:
        'The most frequent pair is merged: that is byte-pair encoding. WordPiece divides the count of the pair by the counts of its two pieces.',
      implementation: (words, merges) => train(words, merges, { score: (count) => count }),
    },
    {
      id: 'word-counts-ignored',
      diagnosis: 'Every word counts once. Count it as often as it occurs: add word.count for each place.',
      implementation: (words, merges) => train(words, merges, { weight: () => 1 }),
    },
    {
      id: 'divided-by-the-sum',
      diagnosis:
        "The count of the pair is divided by the sum of its pieces' counts. The score divides by their product.",
      implementation: (words, merges) =>
        train(words, merges, { score: (count, left, right) => count / (left + right) }),
    },
    {
      id: 'divided-by-left-only',
      diagnosis:
        'The count of the pair is divided by the count of its left piece alone. Divide by the counts of both pieces.',
      implementation: (words, merges) => train(words, merges, { score: (count, left) => count / left }),
    },
    {
      id: 'mark-inside-a-piece',
      diagnosis:
        'The "##" of the right piece stays inside the new piece. Take it off before you join: "##a" and "##b" make "##ab".',
      implementation: (words, merges) => train(words, merges, { join: (left, right) => left + right }),
    },
    {
      id: 'mark-lost',
      diagnosis:
        'The new piece loses the "##" of its left part. A piece that was made inside words begins with "##" too: "##a" and "##b" make "##ab".',
      implementation: (words, merges) =>
        train(words, merges, { join: (left, right) => left.replace(/^##/, '') + right.replace(/^##/, '') }),
    },
    {
      id: 'words-not-updated',
      diagnosis:
        'The same pair is found again and again, because the words still hold the old pieces. After each merge replace the pair in every word and count anew.',
      implementation: (words, merges) => {
        const pair = best(words, {});
        return pair === undefined ? [] : Array.from({ length: merges }, () => glue(...pair));
      },
    },
    {
      id: 'tie-to-the-last',
      diagnosis:
        'Of several pairs with the same score the alphabetically last is merged. The task says: the first, by the left piece and then by the right.',
      implementation: (words, merges) => train(words, merges, { tieToTheLast: true }),
    },
  ],
  cases: [
    {
      name: 'four words',
      visibility: 'public',
      inputs: () => [[word('that', 6), word('the', 9), word('quest', 3), word('zy', 2), word('vx', 2)], 6],
    },
    { name: 'random words', visibility: 'hidden', weight: 2, inputs: (draw) => [corpus(draw, 12), 14] },
    {
      name: 'more merges than there are pairs',
      visibility: 'hidden',
      inputs: (draw) => [[word('abc', 1 + draw.rng.integer(4)), word('abd', 5), word('e', 2)], 50],
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'A frequent pair of frequent pieces is nothing special. Which pair comes together more often than its pieces would by chance?',
    'Repeat: two maps, piece → count and pair → count, both adding word.count for every place; the pair with the best score; a copy of the words in which it is one piece. Stop after `merges` rounds, or when no word has two pieces.',
    'score(a, b) = count(ab) / (count(a) · count(b)): the merge that raises the likelihood of the text the most. Schuster and Nakajima, 2012, "Japanese and Korean voice search", section 3; Wu et al., 2016, section 4.1.',
  ],
});
