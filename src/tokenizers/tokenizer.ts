/** The one shape every tokenizer has, whatever splits its words, and what all of them share. */

import { InputError } from '../errors.ts';
import { type EncodedBatch, type Encoding, padBatch, type Truncation, truncatedLengths } from './encoding.ts';

/** Tokens with a part to play, such as `{ cls: '[CLS]' }`. A tokenizer has those its model was trained with. */
export type SpecialRole = 'pad' | 'unk' | 'cls' | 'sep' | 'mask' | 'bos' | 'eos';

export interface EncodeOptions {
  /** A second text: `[CLS] first [SEP] second [SEP]` for BERT. */
  pair?: string;
  /** Frame the text as the model expects ([CLS], [SEP], end of sequence). Default true. */
  addSpecialTokens?: boolean;
  /** Cut to this many tokens, special tokens included. Default: never cut. */
  maxLength?: number;
  /** Which text is cut. Default `longest_first`. */
  truncation?: Truncation;
}

export interface EncodeBatchOptions extends Omit<EncodeOptions, 'pair'> {
  /** Pad to the longest of the batch (default) or to `maxLength`. */
  padding?: 'longest' | 'maxLength';
  paddingSide?: 'left' | 'right';
}

export interface DecodeOptions {
  /** Leave special tokens out. Default false. */
  skipSpecialTokens?: boolean;
}

/** Turns text into ids and back. */
export interface Tokenizer {
  /** One more than the largest id: the number of rows of the embedding. */
  readonly vocabSize: number;
  readonly specialTokens: Readonly<Partial<Record<SpecialRole, string>>>;
  readonly specialIds: Readonly<Partial<Record<SpecialRole, number>>>;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
  /** The tokens of a text, without special tokens around it. A special token written in the text is kept whole. */
  tokenize(text: string): string[];
  encode(text: string, options?: EncodeOptions): Encoding;
  /** Encodes texts, or pairs of texts, and pads them to one length. */
  encodeBatch(
    texts: readonly (string | readonly [string, string])[],
    options?: EncodeBatchOptions,
  ): EncodedBatch;
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The content of its `tokenizer.json` and `tokenizer_config.json`; `saveTokenizer` writes them. */
  files(): { tokenizer: object; config: object };
}

/** The frame around one text or two: special tokens by name, texts as A and B, each with its segment. */
export type TemplateItem = { special: string; segment: number } | { text: 'A' | 'B'; segment: number };

export interface Template {
  single: readonly TemplateItem[];
  pair: readonly TemplateItem[];
}

/** How a `tokenizer.json` writes down the way in which text is split and joined. */
export interface TokenizerDescription {
  normalizer: object | null;
  pre_tokenizer: object | null;
  model: object;
  decoder: object | null;
}

export interface TokenizerParts {
  vocabSize: number;
  specialTokens: Partial<Record<SpecialRole, string>>;
  /** Tokens that `skipSpecialTokens` drops. Default: the special tokens. */
  skipped?: Iterable<string>;
  template: Template;
  paddingSide?: 'left' | 'right';
  /** For `files`: a description to be completed with special tokens and frame, or the files as they were read. */
  describe(): TokenizerDescription | { tokenizer: object; config: object };
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
  tokenize(text: string): string[];
  join(tokens: string[]): string;
}

/** A tokenizer from a way to split text and a frame to put around it. */
export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const { template, specialTokens } = parts;
  const skipped = new Set(parts.skipped ?? Object.values(specialTokens));
  const specialIds: Partial<Record<SpecialRole, number>> = {};
  for (const role of ROLES) {
    const token = specialTokens[role];
    if (token !== undefined) specialIds[role] = idOf(token);
  }

  function idOf(token: string): number {
    const id = parts.tokenToId(token);
    if (id === undefined) throw new InputError(`the vocabulary lacks the special token ${token}`);
    return id;
  }

  // A splitter emits only tokens of its vocabulary, save where the file it was read from is at odds with itself.
  function idOfPiece(piece: string): number {
    const id = parts.tokenToId(piece) ?? specialIds.unk;
    if (id === undefined)
      throw new InputError(`the vocabulary has neither ${JSON.stringify(piece)} nor an unknown token`);
    return id;
  }

  function tokenize(text: string): string[] {
    if (typeof text !== 'string') throw new InputError(`a tokenizer takes text, not ${typeof text}`);
    return parts.tokenize(text);
  }

  function encode(text: string, options: EncodeOptions = {}): Encoding {
    const { pair, addSpecialTokens = true, maxLength, truncation = 'longest_first' } = options;
    let first = tokenize(text);
    let second = pair === undefined ? [] : tokenize(pair);
    const items = (pair === undefined ? template.single : template.pair).filter(
      (item) => addSpecialTokens || 'text' in item,
    );
    if (maxLength !== undefined) {
      const frame = items.filter((item) => 'special' in item).length;
      if (!Number.isInteger(maxLength) || maxLength < frame) {
        throw new InputError(
          `maxLength must be a whole number of at least ${frame}, the special tokens; got ${maxLength}`,
        );
      }
      const lengths = { first: first.length, second: second.length };
      const kept =
        pair === undefined
          ? { first: Math.min(first.length, maxLength - frame), second: 0 }
          : truncatedLengths(lengths, maxLength - frame, truncation);
      first = first.slice(0, kept.first);
      second = second.slice(0, kept.second);
    }
    const encoding: Encoding = {
      inputIds: [],
      tokenTypeIds: [],
      attentionMask: [],
      specialTokensMask: [],
      tokens: [],
    };
    for (const item of items) {
      const special = 'special' in item;
      const tokens = special ? [item.special] : item.text === 'A' ? first : second;
      for (const token of tokens) {
        encoding.tokens.push(token);
        encoding.inputIds.push(special ? idOf(token) : idOfPiece(token));
        encoding.tokenTypeIds.push(item.segment);
        encoding.attentionMask.push(1);
        encoding.specialTokensMask.push(special ? 1 : 0);
      }
    }
    return encoding;
  }

  return {
    vocabSize: parts.vocabSize,
    specialTokens,
    specialIds,
    tokenToId: parts.tokenToId,
    idToToken: parts.idToToken,
    tokenize,
    encode,
    encodeBatch(texts, options = {}) {
      const { padding = 'longest', paddingSide = parts.paddingSide ?? 'right', ...each } = options;
      const encodings = texts.map((text) =>
        typeof text === 'string' ? encode(text, each) : encode(text[0], { ...each, pair: text[1] }),
      );
      if (padding === 'maxLength' && each.maxLength === undefined) {
        throw new InputError('padding to "maxLength" needs the option maxLength');
      }
      const length = padding === 'maxLength' && each.maxLength !== undefined ? each.maxLength : 'longest';
      const needed = encodings.some(
        ({ inputIds }) => inputIds.length !== encodings[0]?.inputIds.length || length !== 'longest',
      );
      if (needed && specialIds.pad === undefined) {
        throw new InputError(
          'this tokenizer has no padding token: encode texts of one length, or one at a time',
        );
      }
      return padBatch(encodings, {
        length,
        side: paddingSide,
        padId: specialIds.pad ?? 0,
      });
    },
    decode(ids, options = {}) {
      const tokens: string[] = [];
      for (const id of ids) {
        const token = parts.idToToken(id);
        if (token === undefined)
          throw new InputError(`id ${id} is outside the vocabulary of ${parts.vocabSize} tokens`);
        if (!(options.skipSpecialTokens === true && skipped.has(token))) tokens.push(token);
      }
      return parts.join(tokens);
    },
    files() {
      const description = parts.describe();
      return 'tokenizer' in description ? description : completeFiles(description, parts, idOf);
    },
  };
}

/** The two files of a tokenizer that was made here. */
function completeFiles(
  description: TokenizerDescription,
  { specialTokens, template }: TokenizerParts,
  idOf: (token: string) => number,
): { tokenizer: object; config: object } {
  const special = [...new Set(Object.values(specialTokens))].sort((a, b) => idOf(a) - idOf(b));
  const items = (list: readonly TemplateItem[]): object[] =>
    list.map((item) =>
      'special' in item
        ? { SpecialToken: { id: item.special, type_id: item.segment } }
        : { Sequence: { id: item.text, type_id: item.segment } },
    );
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const roles = ROLES.flatMap((role) =>
    specialTokens[role] === undefined ? [] : [[`${role}_token`, specialTokens[role]]],
  );
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.map((content) => ({ id: idOf(content), content, ...flags })),
      ...description,
      post_processor: {
        type: 'TemplateProcessing',
        single: items(template.single),
        pair: items(template.pair),
        special_tokens: Object.fromEntries(special.map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
      },
    },
    config: {
      ...Object.fromEntries(roles),
      clean_up_tokenization_spaces: false,
      tokenizer_class: 'PreTrainedTokenizerFast',
    },
  };
}

const ROLES: readonly SpecialRole[] = ['pad', 'unk', 'cls', 'sep', 'mask', 'bos', 'eos'];

/**
 * Splits a text where one of the tokens stands in it, so that "the [MASK] sat" keeps `[MASK]` whole. Of two tokens
 * that begin at the same place the longer wins.
 */
export function splitAround(
  tokens: Iterable<string>,
): (text: string) => { text: string; isToken: boolean }[] {
  const longestFirst = [...tokens].filter((token) => token !== '').sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return (text) => (text === '' ? [] : [{ text, isToken: false }]);
  const known = new Set(longestFirst);
  const pattern = new RegExp(`(${longestFirst.map((token) => escapeRegExp(token)).join('|')})`, 'u');
  return (text) =>
    text
      .split(pattern)
      .map((part, index) => ({ text: part, isToken: index % 2 === 1 && known.has(part) }))
      .filter((part) => part.text !== '');
}

/** A pattern, for expressions with the flag u, that finds the text itself. */
export function escapeRegExp(text: string): string {
  return text.replace(
    /[\\^$.*+?()[\]{}|/-]/g,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
