/** Training a unigram model: expectation–maximisation, and pruning to a size (Kudo, 2018, §3.2). */

import { InputError } from '../errors.ts';
import {
  bestSegmentation,
  type PieceTable,
  pieceTable,
  T5_SPECIAL_TOKENS,
  type UnigramModel,
  unigramWords,
} from './unigram.ts';

export interface UnigramTraining {
  /** The size to come down to, special tokens and every character included. */
  vocabSize: number;
  /** The longest piece, in characters. Default 12. */
  maxPieceLength?: number;
  /** How many pieces training begins with. Default: ten times `vocabSize`. */
  seedSize?: number;
  /** The share of pieces that stays each time. Default 0.75. */
  shrink?: number;
  /** Rounds of expectation–maximisation between two prunings. Default 2. */
  rounds?: number;
  /** The first pieces of the vocabulary. Default: T5's. */
  specialTokens?: readonly string[];
}

type Counted = readonly { word: string; count: number }[];

/**
 * A unigram model from texts. It begins with the frequent substrings, and then, in turn, makes the pieces' likelihoods
 * fit the text and drops the pieces that the text can best do without. Single characters are never dropped.
 */
export function trainUnigram(texts: Iterable<string>, training: UnigramTraining): UnigramModel {
  const { vocabSize, maxPieceLength = 12, seedSize = 10 * vocabSize, shrink = 0.75, rounds = 2 } = training;
  const specialTokens = training.specialTokens ?? Object.values(T5_SPECIAL_TOKENS);
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of unigramWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  if (counts.size === 0) throw new InputError('cannot train a vocabulary: the texts contain no word');
  const words = [...counts].map(([word, count]) => ({ word, count }));
  const alphabet = new Set(words.flatMap(({ word }) => Array.from(word)));
  const smallest = specialTokens.length + alphabet.size;
  if (!(vocabSize >= smallest)) {
    throw new InputError(
      `vocabSize must be at least ${smallest}: the special tokens and every character of the texts; got ${vocabSize}`,
    );
  }
  if (!(shrink > 0 && shrink < 1)) throw new InputError(`shrink must lie between 0 and 1, got ${shrink}`);

  const target = vocabSize - specialTokens.length;
  let table = normalise(seeds(words, alphabet, { maxPieceLength, seedSize }));
  for (;;) {
    for (let i = 0; i < rounds; i++) table = normalise(keepAlphabet(expectedCounts(words, table), alphabet));
    if (table.scores.size <= target) break;
    table = prune(words, table, alphabet, Math.max(target, Math.floor(table.scores.size * shrink)));
  }
  const ranked = [...table.scores].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return { pieces: [...specialTokens.map((token) => [token, 0] as const), ...ranked] };
}

/** All characters, and the substrings that occur at least twice, those that cover the most text first. */
function seeds(
  words: Counted,
  alphabet: ReadonlySet<string>,
  { maxPieceLength, seedSize }: { maxPieceLength: number; seedSize: number },
): Map<string, number> {
  const found = new Map<string, number>();
  for (const { word, count } of words) {
    const characters = Array.from(word);
    for (let start = 0; start < characters.length; start++) {
      let piece = '';
      for (const character of characters.slice(start, start + maxPieceLength)) {
        piece += character;
        found.set(piece, (found.get(piece) ?? 0) + count);
      }
    }
  }
  const longer = [...found].filter(([piece, count]) => count >= 2 && !alphabet.has(piece));
  const covered = ([piece, count]: [string, number]): number => count * Array.from(piece).length;
  longer.sort((a, b) => covered(b) - covered(a) || (a[0] < b[0] ? -1 : 1));
  const characters = [...alphabet].map((character): [string, number] => [
    character,
    found.get(character) ?? 0,
  ]);
  return new Map([...characters, ...longer.slice(0, seedSize)]);
}

/** Log-probabilities from counts (the M-step). */
function normalise(counts: ReadonlyMap<string, number>): PieceTable {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return pieceTable({ pieces: [...counts].map(([piece, count]) => [piece, Math.log(count / total)]) });
}

/** Drops pieces that are never used, all but single characters, which keep a little. */
function keepAlphabet(
  counts: ReadonlyMap<string, number>,
  alphabet: ReadonlySet<string>,
): Map<string, number> {
  const kept = new Map<string, number>();
  for (const character of alphabet) kept.set(character, Math.max(counts.get(character) ?? 0, 1e-3));
  for (const [piece, count] of counts) if (count >= 0.5 && !alphabet.has(piece)) kept.set(piece, count);
  return kept;
}

/** How often each piece is used, over all ways to cut the words, by their likelihood (the E-step, forward–backward). */
export function expectedCounts(words: Counted, table: PieceTable): Map<string, number> {
  const expected = new Map<string, number>([...table.scores.keys()].map((piece) => [piece, 0]));
  for (const { word, count } of words) {
    const characters = Array.from(word);
    const length = characters.length;
    const edges: { start: number; end: number; piece: string; score: number }[] = [];
    for (let end = 1; end <= length; end++) {
      for (let start = Math.max(0, end - table.longest); start < end; start++) {
        const piece = characters.slice(start, end).join('');
        const score = table.scores.get(piece);
        if (score !== undefined) edges.push({ start, end, piece, score });
      }
    }
    // Edges are sorted by their end, so each prefix is complete before it is used.
    const forward = new Array<number>(length + 1).fill(Number.NEGATIVE_INFINITY);
    forward[0] = 0;
    for (const { start, end, score } of edges) {
      forward[end] = logAdd(forward[end] ?? 0, (forward[start] ?? 0) + score);
    }
    const backward = new Array<number>(length + 1).fill(Number.NEGATIVE_INFINITY);
    backward[length] = 0;
    for (const { start, end, score } of [...edges].sort((a, b) => b.start - a.start)) {
      backward[start] = logAdd(backward[start] ?? 0, (backward[end] ?? 0) + score);
    }
    const all = forward[length] ?? 0;
    for (const { start, end, piece, score } of edges) {
      const share = Math.exp((forward[start] ?? 0) + score + (backward[end] ?? 0) - all);
      expected.set(piece, (expected.get(piece) ?? 0) + count * share);
    }
  }
  return expected;
}

/**
 * Keeps `size` pieces: the characters, and those whose loss would cost the most likelihood, were they spelled with
 * the best other pieces instead.
 */
function prune(words: Counted, table: PieceTable, alphabet: ReadonlySet<string>, size: number): PieceTable {
  const uses = new Map<string, number>();
  for (const { word, count } of words) {
    for (const piece of bestSegmentation(word, table)) {
      if (piece !== undefined) uses.set(piece, (uses.get(piece) ?? 0) + count);
    }
  }
  const scores = new Map(table.scores);
  const cost = ([piece, score]: [string, number]): number => {
    scores.delete(piece);
    const instead = bestSegmentation(piece, { ...table, scores });
    scores.set(piece, score);
    const other = instead.reduce((sum, part) => sum + (part === undefined ? 0 : (scores.get(part) ?? 0)), 0);
    return (uses.get(piece) ?? 0) * (score - other);
  };
  const candidates = [...table.scores].filter(([piece]) => !alphabet.has(piece));
  const costs = new Map(candidates.map((entry) => [entry[0], cost(entry)]));
  const ranked = candidates.sort(([a], [b]) => (costs.get(b) ?? 0) - (costs.get(a) ?? 0) || (a < b ? -1 : 1));
  const kept = new Set([
    ...alphabet,
    ...ranked.slice(0, Math.max(0, size - alphabet.size)).map(([piece]) => piece),
  ]);
  return pieceTable({ pieces: [...table.scores].filter(([piece]) => kept.has(piece)) });
}

function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log(Math.exp(a - high) + Math.exp(b - high));
}
