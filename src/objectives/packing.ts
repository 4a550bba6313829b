/** Filling inputs of one length from a corpus. */

import { IGNORED } from '../core/losses.ts';
import { InputError } from '../errors.ts';

export interface FullSentencesOptions {
  /** The most tokens of an input, `begin` and `end` included. */
  maxTokens: number;
  /** Set between two documents that share an input. */
  separator: number;
  /** The first token of every input, if any. */
  begin?: number;
  /** The last token of every input, if any. */
  end?: number;
}

/**
 * FULL-SENTENCES of Liu et al. (2019), §4.2: inputs of as many whole sentences in order as fit. An input may cross from
 * one document into the next, with a separator between the two. A sentence that is too long for an input is cut up.
 *
 * @param documents documents of sentences of ids
 * @returns inputs of at most `maxTokens` ids; only the sentence that comes next decides how much room is left unused
 */
export function packFullSentences(
  documents: readonly (readonly (readonly number[])[])[],
  options: FullSentencesOptions,
): number[][] {
  const { maxTokens, separator, begin, end } = options;
  const head = begin === undefined ? [] : [begin];
  const tail = end === undefined ? [] : [end];
  const room = maxTokens - head.length - tail.length;
  if (!(room >= 1))
    throw new InputError(`packFullSentences: maxTokens ${maxTokens} leaves no room for a token`);

  const inputs: number[][] = [];
  let current: number[] = [];
  const finish = (): void => {
    if (current.length > 0) inputs.push([...head, ...current, ...tail]);
    current = [];
  };
  for (const document of documents) {
    let crossing = current.length > 0;
    for (const sentence of document.flatMap((one) => pieces(one, room))) {
      const glue = crossing ? [separator] : [];
      if (current.length + glue.length + sentence.length > room) {
        finish();
        current = [...sentence];
      } else current.push(...glue, ...sentence);
      crossing = false;
    }
  }
  finish();
  return inputs;
}

/**
 * Inputs of exactly `length` ids for a causal language model: all documents in one row, `end` after each, cut at every
 * `length` (Radford et al., 2019). What is left over at the end is dropped.
 */
export function packBlocks(
  documents: readonly (readonly number[])[],
  length: number,
  end: number,
): number[][] {
  if (!(length >= 1)) throw new InputError(`packBlocks: length must be at least 1, got ${length}`);
  const row = documents.flatMap((document) => [...document, end]);
  return pieces(row, length).filter((block) => block.length === length);
}

/**
 * Labels of a causal language model: the tokens themselves, −100 for padding. Nothing is shifted here: the loss does
 * that, once.
 */
export function causalLabels(inputIds: readonly number[], attentionMask: readonly number[]): number[] {
  if (inputIds.length !== attentionMask.length) {
    throw new InputError(
      `causalLabels: ${inputIds.length} ids need a mask as long, got ${attentionMask.length}`,
    );
  }
  return inputIds.map((id, i) => (attentionMask[i] === 1 ? id : IGNORED));
}

function pieces(tokens: readonly number[], length: number): number[][] {
  return Array.from({ length: Math.ceil(tokens.length / length) }, (_, i) =>
    tokens.slice(i * length, (i + 1) * length),
  );
}
