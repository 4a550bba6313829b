/** Training a small WordPiece vocabulary. */

import { InputError } from '../errors.ts';
import { type BertTextOptions, bertWords } from './bert-text.ts';
import { learnMerges } from './merge-training.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';
import { BERT_SPECIAL_TOKENS, CONTINUATION } from './wordpiece.ts';

export interface WordPieceTraining extends BertTextOptions {
  /** The size to reach. Training ends sooner when no pair is left to merge. */
  vocabSize: number;
  /** Pairs seen less often are never merged. Default 2. */
  minFrequency?: number;
  /**
   * What makes a pair worth merging. `likelihood` (the default) is WordPiece as it is taught:
   * count(ab) / (count(a) · count(b)), high where two pieces seldom come apart. `frequency` is count(ab), what byte-pair
   * encoding does; it favours frequent words and so gives shorter sequences from the same size.
   */
  score?: 'likelihood' | 'frequency';
}

/**
 * A vocabulary from texts: the special tokens, then every character (as the beginning of a word and as `##`
 * continuation, where it stands so) in alphabetical order, then the merged pieces in the order they were learned.
 * Wu et al. (2016), §4.1: the piece is added that raises the likelihood of the training text the most.
 */
export function trainWordPiece(texts: Iterable<string>, training: WordPieceTraining): Vocabulary {
  const { vocabSize, minFrequency = 2, score = 'likelihood' } = training;
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of bertWords(text, training)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  if (counts.size === 0) throw new InputError('cannot train a vocabulary: the texts contain no word');
  const words = [...counts].map(([word, count]) => ({
    symbols: Array.from(word, (character, i) => (i === 0 ? character : CONTINUATION + character)),
    count,
  }));
  const alphabet = [...new Set(words.flatMap(({ symbols }) => symbols))].sort();
  const tokens = new Set<string>([...Object.values(BERT_SPECIAL_TOKENS), ...alphabet]);
  if (!(vocabSize >= tokens.size)) {
    throw new InputError(
      `vocabSize must be at least ${tokens.size}: the special tokens and every character of the texts; got ${vocabSize}`,
    );
  }
  if (tokens.size < vocabSize) {
    learnMerges({
      words,
      minFrequency,
      join: (left, right) => left + right.slice(CONTINUATION.length),
      score: ({ count, leftCount, rightCount }) =>
        score === 'frequency' ? count : count / (leftCount * rightCount),
      // Two different merges can make the same piece; it is one token all the same.
      onMerge: (_left, _right, joined) => tokens.add(joined).size < vocabSize,
    });
  }
  return createVocabulary([...tokens]);
}
