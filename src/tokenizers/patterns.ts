/** Patterns in a `tokenizer.json`: a string, or a regular expression in the syntax of Oniguruma. */

import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';

export const Pattern = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);
export type Pattern = z.infer<typeof Pattern>;

/** A JavaScript expression (global, Unicode) that finds what the pattern finds. */
export function compilePattern(pattern: Pattern, source: string): RegExp {
  try {
    // The package translates Oniguruma's syntax, but only inside of this class.
    const { pattern: compiled } = new SplitPreTokenizer({
      type: 'Split',
      pattern,
      behavior: 'Isolated',
      invert: true,
    });
    if (compiled !== null) return compiled;
  } catch (error) {
    throw new InputError(
      `${source}: cannot read the pattern ${JSON.stringify(pattern)} (${messageOf(error)})`,
    );
  }
  throw new InputError(`${source}: cannot read the pattern ${JSON.stringify(pattern)}`);
}

/** What happens to the places where a pattern was found. */
export const Behavior = z
  .string()
  .transform((name) => name.replace(/[^a-z]/gi, '').toLowerCase())
  .pipe(z.enum(['removed', 'isolated', 'mergedwithprevious', 'mergedwithnext', 'contiguous']));
export type Behavior = z.infer<typeof Behavior>;

/** Cuts a text at the places of a pattern. With `invert`, what lies between them counts as found. */
export function splitBy(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const spans: { text: string; found: boolean }[] = [];
  let at = 0;
  const push = (end: number, found: boolean): void => {
    if (end > at) spans.push({ text: text.slice(at, end), found: found !== invert });
    at = end;
  };
  for (const match of text.matchAll(pattern)) {
    push(match.index, false);
    push(match.index + match[0].length, true);
  }
  push(text.length, false);

  switch (behavior) {
    case 'removed':
      return spans.filter(({ found }) => !found).map((span) => span.text);
    case 'isolated':
      return spans.map((span) => span.text);
    case 'contiguous':
      return merge(spans, (previous, span) => previous.found === span.found);
    case 'mergedwithprevious':
      return merge(spans, (previous, span) => span.found && !previous.found);
    case 'mergedwithnext':
      return merge(spans, (previous, span) => previous.found && !span.found);
  }
}

/** Joins each span to the one before it where `joins` says so of the two as they were found. */
function merge(
  spans: readonly { text: string; found: boolean }[],
  joins: (previous: { found: boolean }, span: { found: boolean }) => boolean,
): string[] {
  const merged: string[] = [];
  for (const [i, span] of spans.entries()) {
    const previous = spans[i - 1];
    if (previous !== undefined && joins(previous, span)) merged.push((merged.pop() ?? '') + span.text);
    else merged.push(span.text);
  }
  return merged;
}
