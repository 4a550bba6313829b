import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Word {
  symbols: string[];
  count: number;
}

type Args = [Word[], number];
type Pair = [string, string];

interface Rules {
  weight?: (word: Word) => number;
  score?: (count: number, left: number, right: number) => number;
  tieToTheLast?: boolean;
  /** Whether the words keep their old symbols. */
  frozen?: boolean;
}

function best(
  words: readonly Word[],
  { weight = ({ count }) => count, score = (count) => count, tieToTheLast }: Rules,
): Pair | undefined {
  const counts = new Map<string, { pair: Pair; count: number }>();
  const singles = new Map<string, number>();
  for (const word of words) {
    for (const [i, left] of word.symbols.entries()) {
      singles.set(left, (singles.get(left) ?? 0) + weight(word));
      const right = word.symbols[i + 1];
      if (right === undefined) continue;
      const entry = counts.get(`${left} ${right}`) ?? { pair: [left, right] satisfies Pair, count: 0 };
      entry.count += weight(word);
      counts.set(`${left} ${right}`, entry);
    }
  }
  const order = (a: Pair, b: Pair): number => (a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1);
  const scored = [...counts.values()].map(({ pair, count }) => ({
    pair,
    score: score(count, singles.get(pair[0]) ?? 0, singles.get(pair[1]) ?? 0),
  }));
  scored.sort((a, b) => b.score - a.score || (tieToTheLast ? -1 : 1) * order(a.pair, b.pair));
  return scored[0]?.pair;
}

function train(words: readonly Word[], merges: number, rules: Rules = {}): Pair[] {
  const learned: Pair[] = [];
  let current = words;
  while (learned.length < merges) {
    const pair = best(current, rules);
    if (pair === undefined) break;
    learned.push(pair);
    if (rules.frozen) continue;
    const [left, right] = pair;
    current = current.map(({ symbols, count }) => {
      const joined: string[] = [];
      for (let i = 0; i < symbols.length; i++) {
        const here = symbols[i] === left && symbols[i + 1] === right;
        joined.push(here ? left + right : (symbols[i] ?? ''));
        if (here) i++;
      }
      return { symbols: joined, count };
    });
  }
  return learned;
}

const word = (text: string, count: number): Word => ({ symbols: Array.from(text), count });

/** Random words with ties, rare sure pairs ("qu") and doubled letters among them. */
function corpus(draw: Draw, size: number): Word[] {
  const letters = ['a', 'e', 'l', 'n', 's', 't'] as const;
  const random = Array.from({ length: size }, () =>
    word(
      Array.from({ length: 2 + draw.rng.integer(5) }, () => draw.pick(letters)).join(''),
      1 + draw.rng.integer(6),
    ),
  );
  return [word('quz', 3), word('tattat', 2), ...random, word('vx', 2), word('vy', 2)];
}

export default defineExercise<Args>({
  id: 'roberta/bpe-train',
  title: 'Byte-pair encoding: learning the merges',
  points: 2,
  entry: 'trainBpe',
  difficulty: 3,
  minutes: 25,
  signature: 'trainBpe(words: {symbols: string[]; count: number}[], merges: number): [string, string][]',
  parameters: ['words', 'merges'],
  tolerance: EXACT,
  reference: (words, merges) => train(words, merges),
  variants: [
    {
      name: 'on text with spaces around the symbols',
      implementation: (words, merges) => {
        let texts = words.map(({ symbols, count }) => ({ text: ` ${symbols.join('  ')} `, count }));
        const learned: Pair[] = [];
        for (let round = 0; round < merges; round++) {
          const pair = best(
            texts.map(({ text, count }) => ({ symbols: text.trim().split('  '), count })),
            {},
          );
          if (pair === undefined) break;
          learned.push(pair);
          // Overlapping places ("t t t") are taken from the left, as every symbol has spaces of its own.
          texts = texts.map(({ text, count }) => ({
            text: text.replaceAll(` ${pair[0]}  ${pair[1]} `, ` ${pair[0]}${pair[1]} `),
            count,
          }));
        }
        return learned;
      },
    },
  ],
  mutants: [
    {
      id: 'word-counts-ignored',
      diagnosis: 'Every word counts once. A pair counts as often as its word occurs: add word.count.',
      implementation: (words, merges) => train(words, merges, { weight: () => 1 }),
    },
    {
      id: 'likelihood-score',
      diagnosis:
        'The count of the pair is divided by the counts of its parts: that is WordPiece. BPE merges the most frequent pair.',
      implementation: (words, merges) =>
        train(words, merges, { score: (count, left, right) => count / (left * right) }),
    },
    {
      id: 'words-not-updated',
      diagnosis:
        'The same pair is learned again and again, because the words keep their old symbols. Join the pair in every word, then count anew.',
      implementation: (words, merges) => train(words, merges, { frozen: true }),
    },
    {
      id: 'tie-to-the-last',
      diagnosis:
        'Of pairs with equal counts the alphabetically last is merged. The task says: the first, by the left symbol and then by the right.',
      implementation: (words, merges) => train(words, merges, { tieToTheLast: true }),
    },
    {
      id: 'rarest-pair',
      diagnosis: 'The rarest pair is merged. Take the most frequent one.',
      implementation: (words, merges) => train(words, merges, { score: (count) => -count }),
    },
    {
      id: 'joined-not-pairs',
      diagnosis:
        'The joined symbols are returned. A merge is the pair of its parts, in order: [left, right].',
      implementation: (words, merges) => train(words, merges).map(([left, right]) => left + right),
    },
  ],
  cases: [
    {
      name: 'four words',
      visibility: 'public',
      inputs: () => [
        [word('low', 5), word('lower', 2), word('newest', 6), word('widest', 3), word('quz', 1)],
        8,
      ],
    },
    { name: 'random words', visibility: 'hidden', weight: 2, inputs: (draw) => [corpus(draw, 12), 12] },
    {
      name: 'more merges than there are pairs',
      visibility: 'hidden',
      inputs: (draw) => [[word('abc', 1 + draw.rng.integer(3)), word('abd', 4), word('cab', 2)], 60],
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Count, merge the winner, count again. What changes in the words after a merge?',
    'Repeat up to `merges` times: pair → count (adding word.count for every place), the best pair by count (then alphabetically), joined in a copy of the words from left to right. Stop when no word has two symbols.',
    'Sennrich, Haddow and Birch, 2016, algorithm 1.',
  ],
});
