/** What a tokenizer returns, and how it is cut to a length and padded to a batch. */

import * as tf from '@tensorflow/tfjs-core';
import { InputError } from '../errors.ts';

/** One encoded text or pair of texts. All arrays have the same length T. */
export interface Encoding {
  inputIds: number[];
  /** 0 for the first text and 1 for the second, in the tokenizer's own reading of where special tokens belong. */
  tokenTypeIds: number[];
  /** 1 for a token, 0 for padding. */
  attentionMask: number[];
  /** 1 for a token that the tokenizer added ([CLS], [SEP], padding), 0 for the text's own. */
  specialTokensMask: number[];
  tokens: string[];
}

/** Encodings of one length T: every array is [B][T]. */
export interface EncodedBatch {
  inputIds: number[][];
  tokenTypeIds: number[][];
  attentionMask: number[][];
  specialTokensMask: number[][];
}

/** Which text gives way when a pair is too long. */
export type Truncation = 'longest_first' | 'only_first' | 'only_second';

export interface Padding {
  /** Pad to the longest of the batch, or to a given number of tokens. */
  length: 'longest' | number;
  /** Where the padding goes. Left for generation with a decoder, right for everything else. */
  side: 'left' | 'right';
  padId: number;
}

/**
 * How many tokens of each text may stay so that both together fit into `room`.
 * `longest_first` cuts the longer text down to the shorter one first and then shares the room evenly, the odd token
 * going to the text that was longer (to the second when both were equal).
 */
export function truncatedLengths(
  lengths: { first: number; second: number },
  room: number,
  strategy: Truncation,
): { first: number; second: number } {
  const excess = lengths.first + lengths.second - room;
  if (excess <= 0) return lengths;
  if (strategy !== 'longest_first') {
    const cut = strategy === 'only_first' ? 'first' : 'second';
    if (lengths[cut] < excess) {
      throw new InputError(
        `cannot shorten the ${cut} text of ${lengths[cut]} tokens by ${excess}, as truncation "${strategy}" asks`,
      );
    }
    return { ...lengths, [cut]: lengths[cut] - excess };
  }
  const short = Math.min(lengths.first, lengths.second, Math.floor(room / 2));
  const long = room - short;
  return lengths.first > lengths.second ? { first: long, second: short } : { first: short, second: long };
}

/** Pads encodings to one length. Padding has segment 0, attention 0, and counts as special. */
export function padBatch(encodings: readonly Encoding[], padding: Padding): EncodedBatch {
  const longest = encodings.reduce((length, { inputIds }) => Math.max(length, inputIds.length), 0);
  const length = padding.length === 'longest' ? longest : padding.length;
  if (longest > length) {
    throw new InputError(`cannot pad to ${length} tokens: one text has ${longest}; set maxLength to cut it`);
  }
  const pad = (values: readonly number[], filler: number): number[] => {
    const fill = new Array<number>(length - values.length).fill(filler);
    return padding.side === 'left' ? [...fill, ...values] : [...values, ...fill];
  };
  return {
    inputIds: encodings.map((encoding) => pad(encoding.inputIds, padding.padId)),
    tokenTypeIds: encodings.map((encoding) => pad(encoding.tokenTypeIds, 0)),
    attentionMask: encodings.map((encoding) => pad(encoding.attentionMask, 0)),
    specialTokensMask: encodings.map((encoding) => pad(encoding.specialTokensMask, 1)),
  };
}

/** The batch as int32 tensors [B, T], ready for a model. The caller disposes them. */
export function batchTensors(batch: Pick<EncodedBatch, 'inputIds' | 'tokenTypeIds' | 'attentionMask'>): {
  inputIds: tf.Tensor2D;
  tokenTypeIds: tf.Tensor2D;
  attentionMask: tf.Tensor2D;
} {
  const matrix = (rows: number[][]): tf.Tensor2D => {
    const columns = rows[0]?.length ?? 0;
    return tf.tensor2d(Int32Array.from(rows.flat()), [rows.length, columns], 'int32');
  };
  return {
    inputIds: matrix(batch.inputIds),
    tokenTypeIds: matrix(batch.tokenTypeIds),
    attentionMask: matrix(batch.attentionMask),
  };
}
