/** Training byte-pair encodings. */

import { InputError } from '../errors.ts';
import { bertWords } from './bert-text.ts';
import {
  type BpeModel,
  byteLevelWords,
  byteToCharacter,
  type Merge,
  toByteCharacters,
  wordSymbols,
} from './bpe.ts';
import { learnMerges } from './merge-training.ts';
import { createVocabulary } from './vocabulary.ts';

export interface BpeTraining {
  /** The size to reach, special tokens and single symbols included. Fewer if no pair is left to merge. */
  vocabSize: number;
  /** Pairs seen less often are never merged. Default 2. */
  minFrequency?: number;
  /** The first tokens of the vocabulary. */
  specialTokens?: readonly string[];
}

/** Byte-level BPE (Radford et al., 2019, §2.2): special tokens, the 256 bytes, then what the merges make. */
export function trainByteLevelBpe(texts: Iterable<string>, training: BpeTraining): BpeModel {
  const words = countWords(texts, (text) => byteLevelWords(text.toWellFormed()));
  const counted = [...words].map(([word, count]) => ({ symbols: Array.from(toByteCharacters(word)), count }));
  return trainBpe(counted, [...byteToCharacter()].sort(), training);
}

/** BPE over characters (Sennrich et al., 2016): special tokens, the characters that occur, then the merges. */
export function trainPlainBpe(texts: Iterable<string>, training: BpeTraining): BpeModel {
  const words = countWords(texts, (text) => bertWords(text));
  const counted = [...words].map(([word, count]) => ({ symbols: wordSymbols(word), count }));
  const alphabet = [...new Set(counted.flatMap(({ symbols }) => symbols))].sort();
  const specialTokens = training.specialTokens ?? ['<unk>'];
  return trainBpe(counted, alphabet, { ...training, specialTokens });
}

function trainBpe(
  words: readonly { symbols: string[]; count: number }[],
  alphabet: readonly string[],
  { vocabSize, minFrequency = 2, specialTokens = [] }: BpeTraining,
): BpeModel {
  if (words.length === 0) throw new InputError('cannot train a vocabulary: the texts contain no word');
  const tokens = new Set([...specialTokens, ...alphabet]);
  if (!(vocabSize >= tokens.size)) {
    throw new InputError(
      `vocabSize must be at least ${tokens.size}: the special tokens and every single symbol; got ${vocabSize}`,
    );
  }
  const merges: Merge[] = [];
  if (tokens.size < vocabSize) {
    learnMerges({
      words,
      minFrequency,
      join: (left, right) => left + right,
      score: ({ count }) => count,
      onMerge(left, right, joined) {
        merges.push([left, right]);
        return tokens.add(joined).size < vocabSize;
      },
    });
  }
  return { vocabulary: createVocabulary([...tokens]), merges };
}

function countWords(texts: Iterable<string>, split: (text: string) => string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of split(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
