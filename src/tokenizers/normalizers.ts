/** The normalizers of a `tokenizer.json`: what happens to text before it is split. */

import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';
import { normalizeBertText } from './bert-text.ts';
import { toByteCharacters } from './bpe.ts';
import { compilePattern, Pattern } from './patterns.ts';
import { precompiledNormalizer } from './precompiled.ts';

/** Text to text. */
export type Normalizer = (text: string) => string;

export const Typed = z.looseObject({ type: z.string() });

const Bert = z.object({
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});
const Strip = z.object({ strip_left: z.boolean().default(true), strip_right: z.boolean().default(true) });
const Replace = z.object({ pattern: Pattern, content: z.string() });
const Prepend = z.object({ prepend: z.string() });
const Precompiled = z.object({ precompiled_charsmap: z.base64().nullish() });
const Sequence = z.object({ normalizers: z.array(Typed) });

/** The function that a description stands for. Throws an InputError for a kind that is not known. */
export function normalizerOf(description: z.infer<typeof Typed> | null, source: string): Normalizer {
  if (description === null) return (text) => text;
  const fields = <T>(schema: z.ZodType<T>): T => parseWith(schema, description, `${source}: normalizer`);
  switch (description.type) {
    case 'Sequence': {
      const all = fields(Sequence).normalizers.map((one) => normalizerOf(one, source));
      return (text) => all.reduce((current, normalize) => normalize(current), text);
    }
    case 'BertNormalizer': {
      const { clean_text, handle_chinese_chars, strip_accents, lowercase } = fields(Bert);
      return (text) =>
        normalizeBertText(text, {
          cleanText: clean_text,
          splitIdeographs: handle_chinese_chars,
          stripAccents: strip_accents ?? lowercase,
          lowercase,
        });
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = description.type;
      return (text) => text.normalize(form);
    }
    // One character at a time, so that a final Σ becomes σ as in the reference, not ς.
    case 'Lowercase':
      return (text) => Array.from(text, (character) => character.toLowerCase()).join('');
    case 'StripAccents':
      return (text) => text.replace(/\p{Mn}/gu, '');
    case 'Strip': {
      const { strip_left, strip_right } = fields(Strip);
      return (text) => {
        const left = strip_left ? text.replace(/^\p{White_Space}+/u, '') : text;
        return strip_right ? left.replace(/\p{White_Space}+$/u, '') : left;
      };
    }
    case 'Replace': {
      const { pattern, content } = fields(Replace);
      const compiled = compilePattern(pattern, source);
      return (text) => text.replaceAll(compiled, () => content);
    }
    case 'Prepend': {
      const { prepend } = fields(Prepend);
      return (text) => (text === '' ? '' : prepend + text);
    }
    case 'Nmt':
      return (text) => text.replace(NMT_DROPPED, '').replace(NMT_SPACES, ' ');
    case 'ByteLevel':
      return toByteCharacters;
    case 'Precompiled': {
      const { precompiled_charsmap } = fields(Precompiled);
      return precompiled_charsmap == null
        ? (text) => text
        : precompiledNormalizer(precompiled_charsmap, source);
    }
    default:
      throw new InputError(`${source}: normalizer: the type "${description.type}" is not supported`);
  }
}

// SentencePiece's "nmt" rules: control characters go, and what looks like a space becomes one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule is about
const NMT_DROPPED = /[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g;
const NMT_SPACES = /[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/g;
