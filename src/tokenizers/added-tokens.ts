/** Added tokens: those that stand outside the model, and are found in a text before it is split. */

import { z } from 'zod';
import type { Normalizer } from './normalizers.ts';
import { escapeRegExp } from './tokenizer.ts';

export const AddedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string(),
  special: z.boolean().default(false),
  /** Only where no letter or digit touches it. */
  single_word: z.boolean().default(false),
  /** Takes the spaces before it. */
  lstrip: z.boolean().default(false),
  /** Takes the spaces after it. */
  rstrip: z.boolean().default(false),
  /** Looked for in normalised text, in its own normalised form. */
  normalized: z.boolean().default(true),
});
export type AddedToken = z.infer<typeof AddedToken>;

/** A stretch of text, or an added token that was found. */
export type Section = { text: string; start: number } | { id: number };

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';

/**
 * Finds added tokens: first, in the text as it is, those that are not normalised; then, in what lies between,
 * normalised, the others. Of two that begin at the same place the longer wins.
 */
export function addedTokenSplitter(
  tokens: readonly AddedToken[],
  normalize: Normalizer,
): (text: string) => Section[] {
  const raw = finder(tokens.filter(({ normalized }) => !normalized));
  const other = finder(
    tokens
      .filter(({ normalized }) => normalized)
      .map((token) => ({ ...token, content: normalize(token.content) })),
  );
  return (text) =>
    raw(text).flatMap((section) => {
      if ('id' in section) return [section];
      return other(normalize(section.text)).map((part) =>
        'id' in part ? part : { text: part.text, start: section.start + part.start },
      );
    });
}

function finder(tokens: readonly AddedToken[]): (text: string) => Section[] {
  const known = new Map(
    tokens.filter(({ content }) => content !== '').map((token) => [token.content, token]),
  );
  if (known.size === 0) return (text) => (text === '' ? [] : [{ text, start: 0 }]);
  const contents = [...known.values()]
    .sort((a, b) => b.content.length - a.content.length)
    .map(({ content, single_word }) => {
      const pattern = escapeRegExp(content);
      return single_word ? `(?<!${WORD})${pattern}(?!${WORD})` : pattern;
    });
  const pattern = new RegExp(contents.join('|'), 'gu');
  return (text) => {
    const sections: Section[] = [];
    let at = 0;
    for (const match of text.matchAll(pattern)) {
      const token = known.get(match[0]);
      if (token === undefined || match.index < at) continue;
      let start = match.index;
      let end = start + match[0].length;
      if (token.lstrip) start = at + text.slice(at, start).replace(/\p{White_Space}+$/u, '').length;
      if (token.rstrip) end += text.slice(end).match(/^\p{White_Space}+/u)?.[0].length ?? 0;
      if (start > at) sections.push({ text: text.slice(at, start), start: at });
      sections.push({ id: token.id });
      at = end;
    }
    if (at < text.length) sections.push({ text: text.slice(at), start: at });
    return sections;
  };
}
