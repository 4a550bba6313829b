/** The pre-tokenizers of a `tokenizer.json`: normalised text to the pieces that the model then cuts further. */

import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';
import { PUNCTUATION } from './bert-text.ts';
import { byteLevelWords, toByteCharacters } from './bpe.ts';
import { Typed } from './normalizers.ts';
import { Behavior, compilePattern, Pattern, splitBy } from './patterns.ts';

/** A piece of text, and whether the whole text begins with it. */
export interface Piece {
  text: string;
  first: boolean;
}
export type PreTokenizer = (pieces: readonly Piece[]) => Piece[];

const Split = z.object({ pattern: Pattern, behavior: Behavior, invert: z.boolean().default(false) });
const Punctuation = z.object({ behavior: Behavior.default('isolated') });
const Digits = z.object({ individual_digits: z.boolean().default(false) });
const Delimiter = z.object({ delimiter: z.string().min(1) });
const FixedLength = z.object({ length: z.int().min(1) });
const ByteLevel = z.object({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});
const Metaspace = z.object({
  replacement: z.string().min(1).default('▁'),
  // Files of older versions have add_prefix_space instead of prepend_scheme.
  prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
  add_prefix_space: z.boolean().nullish(),
  split: z.boolean().default(true),
});
const Sequence = z.object({ pretokenizers: z.array(Typed) });

const SPACES = /\p{White_Space}+/gu;
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
const ONE_MARK = new RegExp(PUNCTUATION.source, 'gu');

/** The function that a description stands for. Throws an InputError for a kind that is not known. */
export function preTokenizerOf(description: z.infer<typeof Typed> | null, source: string): PreTokenizer {
  if (description === null) return (pieces) => [...pieces];
  const fields = <T>(schema: z.ZodType<T>): T => parseWith(schema, description, `${source}: pre_tokenizer`);
  switch (description.type) {
    case 'Sequence': {
      const all = fields(Sequence).pretokenizers.map((one) => preTokenizerOf(one, source));
      return (pieces) => all.reduce((current, split) => split(current), [...pieces]);
    }
    case 'Whitespace':
      return each(({ text }) => splitBy(text, WORDS, 'removed', true));
    case 'WhitespaceSplit':
      return each(({ text }) => splitBy(text, SPACES, 'removed'));
    case 'BertPreTokenizer':
      return each(({ text }) =>
        splitBy(text, SPACES, 'removed').flatMap((word) => splitBy(word, ONE_MARK, 'isolated')),
      );
    case 'Punctuation': {
      const { behavior } = fields(Punctuation);
      return each(({ text }) => splitBy(text, ONE_MARK, behavior));
    }
    case 'Digits': {
      const behavior = fields(Digits).individual_digits ? 'isolated' : 'contiguous';
      return each(({ text }) => splitBy(text, /\p{N}/gu, behavior));
    }
    case 'CharDelimiterSplit': {
      const pattern = compilePattern({ String: fields(Delimiter).delimiter }, source);
      return each(({ text }) => splitBy(text, pattern, 'removed'));
    }
    case 'Split': {
      const { pattern, behavior, invert } = fields(Split);
      const compiled = compilePattern(pattern, source);
      return each(({ text }) => splitBy(text, compiled, behavior, invert));
    }
    case 'FixedLength': {
      const { length } = fields(FixedLength);
      return each(({ text }) => {
        const characters = Array.from(text);
        const count = Math.ceil(characters.length / length);
        return Array.from({ length: count }, (_, i) =>
          characters.slice(i * length, (i + 1) * length).join(''),
        );
      });
    }
    case 'ByteLevel': {
      const { add_prefix_space, use_regex } = fields(ByteLevel);
      return spelled(({ text }) => {
        const spaced = add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text;
        return (use_regex ? byteLevelWords(spaced) : [spaced]).map(toByteCharacters);
      });
    }
    case 'Metaspace': {
      const { replacement, prepend_scheme, add_prefix_space, split } = fields(Metaspace);
      const scheme = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always');
      const mark = compilePattern({ String: replacement }, source);
      return spelled(({ text, first }) => {
        const marked = text.replaceAll(' ', replacement);
        const prepends = scheme === 'always' || (scheme === 'first' && first);
        const prefixed = prepends && !marked.startsWith(replacement) ? replacement + marked : marked;
        return split ? splitBy(prefixed, mark, 'mergedwithnext') : [prefixed];
      });
    }
    default:
      throw new InputError(`${source}: pre_tokenizer: the type "${description.type}" is not supported`);
  }
}

/** Cuts every piece into parts of it. The text begins with the first part, unless what stood before it was dropped. */
function each(split: (piece: Piece) => string[]): PreTokenizer {
  return spelled(split, (piece, part) => piece.text.startsWith(part));
}

/** Cuts every piece into parts that may be spelled differently. */
function spelled(
  split: (piece: Piece) => string[],
  begins: (piece: Piece, part: string) => boolean = () => true,
): PreTokenizer {
  return (pieces) =>
    pieces.flatMap((piece) =>
      split(piece)
        .map((text, i) => ({ text, first: piece.first && i === 0 && begins(piece, text) }))
        .filter(({ text }) => text !== ''),
    );
}
