/** Text in, text out: a tokenizer around generation. */
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { LanguageModel } from './decoding.ts';
import { streamTokens } from './generate.ts';
import type { GenerationOptions } from './options.ts';

/** What UTF-8 decoding makes of a character whose bytes are not all there yet. */
const INCOMPLETE = '\uFFFD';

/**
 * The continuation of a prompt (of an encoder-decoder: the answer to it), piece by piece as it is made. A character made
 * of several tokens comes once it is whole. Special tokens are left out.
 * @throws InputError as `streamTokens`
 */
export async function* streamText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  prompt: string,
  options: GenerationOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { inputIds } = tokenizer.encode(prompt);
  // Decoded together with the prompt, because some tokenizers drop the space before a first word.
  const ids = model.encode ? [] : [...inputIds];
  const textOf = (): string => tokenizer.decode(ids, { skipSpecialTokens: true });
  let shown = textOf().length;
  for await (const { tokens } of streamTokens(model, { inputIds: [inputIds] }, options)) {
    ids.push(...tokens);
    const text = textOf();
    if (text.endsWith(INCOMPLETE)) continue;
    if (text.length > shown) yield text.slice(shown);
    shown = text.length;
  }
  const rest = textOf().slice(shown);
  if (rest !== '') yield rest;
}

/** What `streamText` gives, in one piece. */
export async function generateText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  prompt: string,
  options: GenerationOptions = {},
): Promise<string> {
  let text = '';
  for await (const piece of streamText(model, tokenizer, prompt, options)) text += piece;
  return text;
}
