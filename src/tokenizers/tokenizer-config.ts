/** What a `tokenizer_config.json` says. */

import { z } from 'zod';
import { AddedToken } from './added-tokens.ts';
import type { SpecialRole } from './tokenizer.ts';

/** A special token in a configuration: its text, or an object that has it. */
const TokenText = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
/** The field that names the token of each role. */
export const ROLE_FIELDS = {
  pad: 'pad_token',
  unk: 'unk_token',
  cls: 'cls_token',
  sep: 'sep_token',
  mask: 'mask_token',
  bos: 'bos_token',
  eos: 'eos_token',
} as const satisfies Record<SpecialRole, string>;

export const TokenizerConfig = z.looseObject({
  pad_token: TokenText,
  unk_token: TokenText,
  cls_token: TokenText,
  sep_token: TokenText,
  mask_token: TokenText,
  bos_token: TokenText,
  eos_token: TokenText,
  additional_special_tokens: z.array(TokenText).nullish(),
  added_tokens_decoder: z.record(z.string(), AddedToken.omit({ id: true })).nullish(),
  add_prefix_space: z.boolean().nullish(),
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  padding_side: z.enum(['left', 'right']).nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  chat_template: z
    .union([
      z.string(),
      z.array(z.object({ name: z.string(), template: z.string() })),
      z.record(z.string(), z.string()),
    ])
    .nullish(),
});
export type TokenizerConfig = z.infer<typeof TokenizerConfig>;
