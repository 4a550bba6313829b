/** Pairs of sentences: whether one follows the other, and in which order they stood. */

import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';

export interface SentencePair<S> {
  first: S;
  second: S;
  label: 0 | 1;
}

/**
 * Next-sentence prediction (Devlin et al., 2019, §3.1, Task 2). Each sentence that has a next one gives a pair: half
 * of the time with that one (label 0, is next), half of the time with a sentence of another document (label 1).
 *
 * A sentence may be anything: text, tokens, or several sentences in one.
 */
export function nextSentencePairs<S>(documents: readonly (readonly S[])[], rng: Rng): SentencePair<S>[] {
  const filled = documents.filter((document) => document.length > 0);
  if (filled.length < 2) {
    throw new InputError(
      `next-sentence pairs need at least 2 documents, so that a negative comes from another one; got ${filled.length}`,
    );
  }
  return filled.flatMap((document, own) =>
    neighbours(document).map(([first, next]): SentencePair<S> => {
      if (rng.next() < 0.5) return { first, second: next, label: 0 };
      // One of the others: step over the own place.
      const drawn = rng.integer(filled.length - 1);
      const other = filled[drawn < own ? drawn : drawn + 1] ?? [];
      return { first, second: pick(other, rng), label: 1 };
    }),
  );
}

/**
 * Sentence-order prediction (Lan et al., 2020, §3.1): two neighbours of one document, in order (label 0) or swapped
 * (label 1), half of the time each. Make the segments of the model's input from the pair as it comes out.
 */
export function sentenceOrderPairs<S>(documents: readonly (readonly S[])[], rng: Rng): SentencePair<S>[] {
  return documents.flatMap((document) =>
    neighbours(document).map(
      ([first, next]): SentencePair<S> =>
        rng.next() < 0.5 ? { first, second: next, label: 0 } : { first: next, second: first, label: 1 },
    ),
  );
}

function neighbours<S>(document: readonly S[]): [S, S][] {
  const pairs: [S, S][] = [];
  for (const [i, sentence] of document.entries()) {
    const next = document[i + 1];
    if (next !== undefined) pairs.push([sentence, next]);
  }
  return pairs;
}

function pick<S>(sentences: readonly S[], rng: Rng): S {
  const sentence = sentences[rng.integer(sentences.length)];
  if (sentence === undefined)
    throw new InputError('a document is empty: there is no sentence to pick from it');
  return sentence;
}
