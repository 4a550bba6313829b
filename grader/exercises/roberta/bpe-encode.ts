import { mergeByRank } from '../../../src/tokenizers/index.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Ranks = ReadonlyMap<string, number>;
type Args = [string[], Ranks];

const ranksOf = (merges: readonly string[]): Ranks => new Map(merges.map((pair, rank) => [pair, rank]));

/** All places of the pair joined, from left to right. */
function join(symbols: readonly string[], pair: string, once = false): string[] {
  const joined: string[] = [];
  let done = false;
  for (let i = 0; i < symbols.length; i++) {
    const here = !(once && done) && `${symbols[i]} ${symbols[i + 1]}` === pair && i + 1 < symbols.length;
    joined.push(here ? `${symbols[i]}${symbols[i + 1]}` : (symbols[i] ?? ''));
    if (here) {
      done = true;
      i++;
    }
  }
  return joined;
}

const pairsOf = (symbols: readonly string[]): string[] =>
  symbols.slice(0, -1).map((symbol, i) => `${symbol} ${symbols[i + 1]}`);

/** Merges the pair that `choose` takes among those with a rank, until there is none. */
function merge(
  word: string,
  ranks: Ranks,
  choose: (candidates: { pair: string; rank: number }[]) => { pair: string; rank: number } | undefined,
  rounds = Number.POSITIVE_INFINITY,
): string[] {
  let symbols = Array.from(word);
  for (let round = 0; round < rounds; round++) {
    const candidates = pairsOf(symbols).flatMap((pair) => {
      const rank = ranks.get(pair);
      return rank === undefined ? [] : [{ pair, rank }];
    });
    const chosen = choose(candidates);
    if (chosen === undefined) break;
    symbols = join(symbols, chosen.pair);
  }
  return symbols;
}

type Candidate = { pair: string; rank: number };
const lowest = (candidates: Candidate[]): Candidate | undefined =>
  candidates.toSorted((a, b) => a.rank - b.rank)[0];

/** The longest symbol that the merges can make, from left to right, as WordPiece would. */
function greedy(word: string, ranks: Ranks): string[] {
  const known = new Set([...ranks.keys()].map((pair) => pair.replace(' ', '')));
  const pieces: string[] = [];
  for (let start = 0; start < word.length; ) {
    let end = word.length;
    while (end > start + 1 && !known.has(word.slice(start, end))) end--;
    pieces.push(word.slice(start, end));
    start = end;
  }
  return pieces;
}

const TELLING = ranksOf(['b c', 'a b', 'c d', 'bc d', 'a a', 'aa b', 'd e', 'e e', 'ab c', 'b e', 'b ee']);

/** Random merges, each of symbols that exist by then. */
function drawn(draw: Draw, words: number, merges: number): Args {
  const symbols = ['a', 'b', 'c', 'd', 'e'];
  const pairs = new Set<string>();
  const known = [...symbols];
  while (pairs.size < merges) {
    const left = known[draw.rng.integer(known.length)] ?? 'a';
    const right = known[draw.rng.integer(known.length)] ?? 'b';
    if ((left + right).length > 4 || pairs.has(`${left} ${right}`)) continue;
    pairs.add(`${left} ${right}`);
    known.push(left + right);
  }
  const word = (): string =>
    Array.from({ length: 3 + draw.rng.integer(10) }, () => symbols[draw.rng.integer(symbols.length)]).join(
      '',
    );
  return [Array.from({ length: words }, word), ranksOf([...pairs])];
}

export default defineExercise<Args>({
  id: 'roberta/bpe-encode',
  title: 'Byte-pair encoding: merges in the order of their ranks',
  points: 2,
  entry: 'bpe',
  difficulty: 3,
  minutes: 25,
  signature:
    'bpe(words: string[], ranks: ReadonlyMap<string, number>): string[][]  // keys of ranks: "left right"',
  parameters: ['words', 'ranks'],
  tolerance: EXACT,
  reference: (words, ranks) => words.map((word) => mergeByRank(Array.from(word), ranks)),
  variants: [
    {
      name: 'goes through all merges once, in order',
      implementation: (words, ranks) => {
        const ordered = [...ranks].sort((a, b) => a[1] - b[1]).map(([pair]) => pair);
        // A merge can only make use of symbols that earlier merges made, so one pass over all is enough …
        // … unless a later merge makes room for an earlier one again; then start over.
        return words.map((word) => {
          let symbols = Array.from(word);
          for (;;) {
            const pair = ordered.find((one) => pairsOf(symbols).includes(one));
            if (pair === undefined) return symbols;
            symbols = join(symbols, pair);
          }
        });
      },
    },
  ],
  mutants: [
    {
      id: 'left-to-right',
      diagnosis:
        'The first pair from the left that has a rank is merged. Among all pairs of the word the one with the lowest rank comes first, wherever it stands.',
      implementation: (words, ranks) =>
        words.map((word) => merge(word, ranks, (candidates) => candidates[0])),
    },
    {
      id: 'highest-rank-first',
      diagnosis: 'The pair with the highest rank is merged first. Rank 0 was learned first and comes first.',
      implementation: (words, ranks) =>
        words.map((word) =>
          merge(word, ranks, (candidates) => candidates.toSorted((a, b) => b.rank - a.rank)[0]),
        ),
    },
    {
      id: 'greedy-longest-match',
      diagnosis:
        'The longest known piece is cut off from the left: that is WordPiece. BPE starts from single symbols and merges pairs by rank.',
      implementation: (words, ranks) => words.map((word) => greedy(word, ranks)),
    },
    {
      id: 'one-merge-only',
      diagnosis:
        'Only one merge is made. Look for the best pair again after each one, until no pair has a rank.',
      implementation: (words, ranks) => words.map((word) => merge(word, ranks, lowest, 1)),
    },
    {
      id: 'no-merge',
      diagnosis: 'The word stays in single symbols. Keys of the map are "left right" with one space between.',
      implementation: (words) => words.map((word) => Array.from(word)),
    },
  ],
  cases: [
    {
      name: 'words where the order matters',
      visibility: 'public',
      inputs: () => [['abc', 'abcd', 'aab', 'aaab', 'cde', 'cdee', 'x', 'abcde', 'bee', 'abee'], TELLING],
    },
    { name: 'random merges', visibility: 'hidden', weight: 2, inputs: (draw) => drawn(draw, 30, 12) },
    { name: 'many merges', visibility: 'hidden', inputs: (draw) => drawn(draw, 30, 40) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'The merges were learned in an order. What would the word look like at the end of training, if it had been in the corpus?',
    'symbols = the characters; repeat: among the pairs (symbols[i], symbols[i + 1]) that are in the map take the one with the smallest rank, join it everywhere from left to right; stop when there is none.',
    'Sennrich, Haddow and Birch, 2016, "Neural machine translation of rare words with subword units", section 3.2: merges are applied in the order in which they were learned.',
  ],
});
