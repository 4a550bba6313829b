/** Learning merges: the part that training WordPiece and training byte-pair encoding have in common. */

/** A pair of neighbouring symbols, with what a score may be made from. */
export interface PairStatistics {
  left: string;
  right: string;
  /** How often the pair stands in the corpus. */
  count: number;
  leftCount: number;
  rightCount: number;
}

export interface MergeTraining {
  /** How often each word stands in the corpus, with its symbols. */
  words: Iterable<{ symbols: readonly string[]; count: number }>;
  /** The symbol that two become. */
  join(left: string, right: string): string;
  /** The pair with the highest score is merged next. */
  score(pair: PairStatistics): number;
  /** Pairs seen less often are never merged. */
  minFrequency: number;
  /** Called for each merge, in order. Return false to stop. */
  onMerge(left: string, right: string, joined: string): boolean;
}

interface Word {
  symbols: string[];
  count: number;
}

interface Pair {
  left: string;
  right: string;
  count: number;
  /** Words that have, or had, the pair. */
  words: Set<Word>;
}

// No symbol contains a NUL: both tokenizers that train here drop it from the text.
const keyOf = (left: string, right: string): string => `${left}\0${right}`;

/**
 * Merges the best pair again and again, as Sennrich et al. (2016), Algorithm 1, with any score. Counts are kept up to
 * date instead of counted anew, so a merge costs as much as the words it changes. Deterministic: equal scores are
 * settled by the larger count, then by the alphabet (UTF-16 order of left, then right).
 */
export function learnMerges(training: MergeTraining): void {
  const symbolCounts = new Map<string, number>();
  const pairs = new Map<string, Pair>();

  const change = (word: Word, sign: 1 | -1): void => {
    for (const [i, symbol] of word.symbols.entries()) {
      symbolCounts.set(symbol, (symbolCounts.get(symbol) ?? 0) + sign * word.count);
      const right = word.symbols[i + 1];
      if (right === undefined) continue;
      const key = keyOf(symbol, right);
      let pair = pairs.get(key);
      if (pair === undefined) {
        pair = { left: symbol, right, count: 0, words: new Set() };
        pairs.set(key, pair);
      }
      pair.count += sign * word.count;
      pair.words.add(word);
      if (pair.count === 0) pairs.delete(key);
    }
  };
  for (const { symbols, count } of training.words) change({ symbols: [...symbols], count }, 1);

  for (;;) {
    const best = bestPair(pairs.values(), symbolCounts, training);
    if (best === undefined) return;
    const { left, right } = best;
    const joined = training.join(left, right);
    if (!training.onMerge(left, right, joined)) return;
    for (const word of [...best.words]) {
      change(word, -1);
      word.symbols = mergePair(word.symbols, left, right, joined);
      change(word, 1);
    }
  }
}

/** The symbols with every neighbouring `left`, `right` made one, from left to right. */
export function mergePair(symbols: readonly string[], left: string, right: string, joined: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i] ?? '';
    if (symbol === left && symbols[i + 1] === right) {
      merged.push(joined);
      i++;
    } else merged.push(symbol);
  }
  return merged;
}

function bestPair(
  pairs: Iterable<Pair>,
  symbolCounts: ReadonlyMap<string, number>,
  { minFrequency, score }: MergeTraining,
): Pair | undefined {
  let best: Pair | undefined;
  let bestScore = 0;
  for (const pair of pairs) {
    if (pair.count < minFrequency) continue;
    const value = score({
      left: pair.left,
      right: pair.right,
      count: pair.count,
      leftCount: symbolCounts.get(pair.left) ?? 0,
      rightCount: symbolCounts.get(pair.right) ?? 0,
    });
    if (best === undefined || value > bestScore || (value === bestScore && precedes(pair, best))) {
      best = pair;
      bestScore = value;
    }
  }
  return best;
}

function precedes(a: Pair, b: Pair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left === b.left ? a.right < b.right : a.left < b.left;
}
