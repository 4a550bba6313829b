/** Loading the tokenizers of published checkpoints. */

import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { parseWith, readJsonObject } from '../checkpoints/json.ts';
import { InputError, messageOf } from '../errors.ts';
import {
  type ChatMessage,
  type ChatTemplateOptions,
  type ChatTemplates,
  renderChat,
} from './chat-template.ts';
import { boundaryFrame, frameOf, PostProcessor } from './frame.ts';
import { createTokenizer, type SpecialRole, type Tokenizer } from './tokenizer.ts';
import { loadVocabulary } from './vocabulary.ts';
import { wordPieceTokenizer } from './wordpiece.ts';

/** A tokenizer that came with a checkpoint. */
export interface LoadedTokenizer extends Tokenizer {
  /** By name; empty where the checkpoint is not for chats. */
  readonly chatTemplates: ChatTemplates;
  /** The text of a conversation, special tokens written out: encode it with `addSpecialTokens: false`. */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

/** The two files of a tokenizer, parsed. */
export interface TokenizerFiles {
  /** `tokenizer.json`. */
  tokenizer: unknown;
  /** `tokenizer_config.json`. */
  config?: unknown;
  /** What to call them in messages. */
  name?: string;
}

/** What is used of the package, whose own declarations TypeScript cannot follow from an ES module. */
interface Inner {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

const AddedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string(),
  special: z.boolean().default(false),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
});

const Component = z.looseObject({ type: z.string() }).nullable().default(null);

const TokenizerJson = z.looseObject({
  added_tokens: z
    .array(AddedToken)
    .nullish()
    .transform((tokens) => tokens ?? []),
  normalizer: Component,
  pre_tokenizer: Component,
  decoder: Component,
  post_processor: PostProcessor.transform((processor) => processor ?? null),
  padding: z.looseObject({ pad_token: z.string(), direction: z.string() }).nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([
      z.record(z.string(), z.int().nonnegative()),
      z.array(z.tuple([z.string(), z.number()])).min(1),
    ]),
    unk_token: z.string().nullish(),
    unk_id: z.int().nonnegative().nullish(),
  }),
});

/** A special token in a configuration: its text, or an object that has it. */
const TokenText = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
const ROLES = {
  pad: 'pad_token',
  unk: 'unk_token',
  cls: 'cls_token',
  sep: 'sep_token',
  mask: 'mask_token',
  bos: 'bos_token',
  eos: 'eos_token',
} as const;

const TokenizerConfig = z.looseObject({
  pad_token: TokenText,
  unk_token: TokenText,
  cls_token: TokenText,
  sep_token: TokenText,
  mask_token: TokenText,
  bos_token: TokenText,
  eos_token: TokenText,
  additional_special_tokens: z.array(TokenText).nullish(),
  added_tokens_decoder: z.record(z.string(), AddedToken.omit({ id: true })).nullish(),
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
type TokenizerConfig = z.infer<typeof TokenizerConfig>;

/**
 * The tokenizer of a folder with a `tokenizer.json`, or with a BERT `vocab.txt`, or of such a file's parsed content.
 * `tokenizer_config.json` and `chat_template.jinja` are read where they are.
 *
 * Throws an InputError that names the file if one is missing, malformed, or asks for what is not supported.
 */
export async function loadTokenizer(source: string | TokenizerFiles): Promise<LoadedTokenizer> {
  if (typeof source !== 'string') {
    const { name = 'tokenizer.json' } = source;
    return fromTokenizerJson(
      source.tokenizer,
      parseWith(TokenizerConfig, source.config ?? {}, `${name}'s config`),
      name,
    );
  }
  const file = (name: string): string => join(source, name);
  const config = (await exists(file('tokenizer_config.json')))
    ? parseWith(
        TokenizerConfig,
        await readJsonObject(file('tokenizer_config.json')),
        file('tokenizer_config.json'),
      )
    : parseWith(TokenizerConfig, {}, source);
  if (await exists(file('special_tokens_map.json'))) {
    const map = parseWith(
      TokenizerConfig,
      await readJsonObject(file('special_tokens_map.json')),
      file('special_tokens_map.json'),
    );
    for (const key of Object.values(ROLES)) config[key] ??= map[key];
  }
  if (await exists(file('chat_template.jinja'))) {
    config.chat_template = await readFile(file('chat_template.jinja'), 'utf8');
  }
  if (await exists(file('tokenizer.json'))) {
    return fromTokenizerJson(await readJsonObject(file('tokenizer.json')), config, file('tokenizer.json'));
  }
  if (await exists(file('vocab.txt'))) {
    const lowercase = config.do_lower_case ?? true;
    const tokenizer = wordPieceTokenizer(await loadVocabulary(file('vocab.txt')), {
      lowercase,
      stripAccents: config.strip_accents ?? lowercase,
      splitIdeographs: config.tokenize_chinese_chars ?? true,
    });
    return withChat(tokenizer, config);
  }
  throw new InputError(`${source}: no tokenizer found: expected a folder with tokenizer.json or vocab.txt`);
}

function fromTokenizerJson(content: unknown, config: TokenizerConfig, name: string): LoadedTokenizer {
  const json = parseWith(TokenizerJson, content, name);
  addMissingTokens(json, config);
  const inner: Inner = attempt(name, 'cannot build this tokenizer', () => {
    return new HuggingFaceTokenizer(
      { ...json, post_processor: null },
      { ...config, chat_template: undefined },
    );
  });
  const specialTokens = specialTokensOf(json, config);
  // The package lower-cases whole words, where a Σ at the end becomes ς; the reference goes character by character.
  const lowercases = /"type":"Lowercase"|"lowercase":true/.test(JSON.stringify(json.normalizer));
  const prepare = (text: string): string => (lowercases ? text.replaceAll('Σ', 'σ') : text).toWellFormed();
  const ids = [
    ...(Array.isArray(json.model.vocab) ? json.model.vocab.keys() : Object.values(json.model.vocab)),
    ...json.added_tokens.map(({ id }) => id),
  ];
  const cleanUp = (config.clean_up_tokenization_spaces ?? false) && json.model.type !== 'BPE';
  const tokenizer = createTokenizer({
    vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
    specialTokens,
    skipped: [
      ...Object.values(specialTokens),
      ...json.added_tokens.filter((t) => t.special).map((t) => t.content),
    ],
    template:
      config.add_bos_token != null || config.add_eos_token != null
        ? boundaryFrame(
            config.add_bos_token === true ? specialTokens.bos : undefined,
            config.add_eos_token === true ? specialTokens.eos : undefined,
          )
        : frameOf(json.post_processor, name),
    paddingSide: config.padding_side ?? (json.padding?.direction.toLowerCase() === 'left' ? 'left' : 'right'),
    tokenToId: (token) => inner.token_to_id(token),
    idToToken: (id) => inner.id_to_token(id),
    // By way of the ids, because a token that was matched in normalised text is not spelled as in the vocabulary.
    tokenize: (text) =>
      attempt(
        name,
        'cannot tokenize this text',
        () => inner.encode(prepare(text), { add_special_tokens: false }).ids,
      ).flatMap((id) => (id === undefined ? undefined : inner.id_to_token(id)) ?? specialTokens.unk ?? []),
    join: (tokens) => {
      const known = tokens.flatMap((token) => inner.token_to_id(token) ?? []);
      if (known.length === 0) return '';
      return attempt(name, 'cannot decode these tokens', () => {
        return inner.decode(known, { clean_up_tokenization_spaces: cleanUp });
      });
    },
  });
  return withChat(tokenizer, config);
}

/** The unknown token of a unigram model, which names it by id. */
function unknownPiece({ model }: Pick<z.infer<typeof TokenizerJson>, 'model'>): string | undefined {
  return Array.isArray(model.vocab) && model.unk_id != null ? model.vocab[model.unk_id]?.[0] : undefined;
}

/** Tokens that the configuration names and `tokenizer.json` lacks get the next free ids, as in transformers. */
function addMissingTokens(json: z.infer<typeof TokenizerJson>, config: TokenizerConfig): void {
  const vocabulary = json.model.vocab;
  const known = new Set([
    ...(Array.isArray(vocabulary) ? vocabulary.map(([token]) => token) : Object.keys(vocabulary)),
    ...json.added_tokens.map(({ content }) => content),
  ]);
  const listed = Object.entries(config.added_tokens_decoder ?? {});
  const wanted = [
    ...listed.sort(([a], [b]) => Number(a) - Number(b)).map(([, token]) => token),
    ...[
      ...Object.values(ROLES).map((key) => config[key]),
      ...(config.additional_special_tokens ?? []),
    ].flatMap((content) =>
      content == null
        ? []
        : [{ content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }],
    ),
  ];
  for (const token of wanted) {
    if (known.has(token.content)) continue;
    json.added_tokens.push({ ...token, id: known.size });
    known.add(token.content);
  }
}

function specialTokensOf(
  json: z.infer<typeof TokenizerJson>,
  config: TokenizerConfig,
): Partial<Record<SpecialRole, string>> {
  const tokens: Partial<Record<SpecialRole, string>> = {};
  const roles: SpecialRole[] = ['pad', 'unk', 'cls', 'sep', 'mask', 'bos', 'eos'];
  for (const role of roles) {
    const token = config[ROLES[role]];
    if (token != null) tokens[role] = token;
  }
  const unknown = json.model.unk_token ?? unknownPiece(json);
  if (unknown !== undefined) tokens.unk ??= unknown;
  if (json.padding != null) tokens.pad ??= json.padding.pad_token;
  return tokens;
}

function withChat(tokenizer: Tokenizer, config: TokenizerConfig): LoadedTokenizer {
  const template = config.chat_template;
  const chatTemplates: ChatTemplates =
    template == null
      ? {}
      : typeof template === 'string'
        ? { default: template }
        : Array.isArray(template)
          ? Object.fromEntries(template.map((one) => [one.name, one.template]))
          : template;
  const named: Record<string, string> = {};
  for (const [role, token] of Object.entries(tokenizer.specialTokens)) named[`${role}_token`] = token;
  return {
    ...tokenizer,
    chatTemplates,
    applyChatTemplate: (messages, options) => renderChat(chatTemplates, messages, named, options),
  };
}

function attempt<T>(name: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`${name}: ${what} (${messageOf(error)})`);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
