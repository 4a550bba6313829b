/** Loading the tokenizers of published checkpoints. */

import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWith, readJsonObject } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';
import {
  type ChatMessage,
  type ChatTemplateOptions,
  type ChatTemplates,
  renderChat,
} from './chat-template.ts';
import { tokenizerJsonFromMerges } from './merges-files.ts';
import type { Tokenizer } from './tokenizer.ts';
import { ROLE_FIELDS, TokenizerConfig } from './tokenizer-config.ts';
import { tokenizerFromJson } from './tokenizer-json.ts';
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

/**
 * The tokenizer of a folder with a `tokenizer.json`, with a BERT `vocab.txt`, or with the `vocab.json` and `merges.txt`
 * of GPT, GPT-2, RoBERTa and BART; or of a `tokenizer.json`'s parsed content.
 * `tokenizer_config.json` and `chat_template.jinja` are read where they are.
 *
 * Throws an InputError that names the file if one is missing, malformed, or asks for what is not supported.
 */
export async function loadTokenizer(source: string | TokenizerFiles): Promise<LoadedTokenizer> {
  if (typeof source !== 'string') {
    const { name = 'tokenizer.json' } = source;
    return readTokenizer(
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
    for (const key of Object.values(ROLE_FIELDS)) config[key] ??= map[key];
  }
  if (await exists(file('chat_template.jinja'))) {
    config.chat_template = await readFile(file('chat_template.jinja'), 'utf8');
  }
  if (await exists(file('tokenizer.json'))) {
    return readTokenizer(await readJsonObject(file('tokenizer.json')), config, file('tokenizer.json'));
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
  if ((await exists(file('vocab.json'))) && (await exists(file('merges.txt')))) {
    const content = await tokenizerJsonFromMerges(file('vocab.json'), file('merges.txt'), config);
    return readTokenizer(content, config, file('vocab.json'));
  }
  throw new InputError(
    `${source}: no tokenizer found: expected a folder with tokenizer.json, vocab.txt, or vocab.json and merges.txt`,
  );
}

/** Writes `tokenizer.json` and `tokenizer_config.json`, which `loadTokenizer` and transformers read. */
export async function saveTokenizer(folder: string, tokenizer: Tokenizer): Promise<void> {
  const { tokenizer: content, config } = tokenizer.files();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tokenizer.json'), `${JSON.stringify(content, null, 2)}\n`);
  await writeFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

function readTokenizer(content: unknown, config: TokenizerConfig, name: string): LoadedTokenizer {
  return withChat(tokenizerFromJson(content, config, name), config);
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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
