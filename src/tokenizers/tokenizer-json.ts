/** A tokenizer from the content of a `tokenizer.json`. */

import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError, messageOf } from '../errors.ts';
import { AddedToken, addedTokenSplitter } from './added-tokens.ts';
import { boundaryFrame, frameOf, PostProcessor } from './frame.ts';
import { normalizerOf, Typed } from './normalizers.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { createTokenizer, type SpecialRole, type Tokenizer } from './tokenizer.ts';
import { ROLE_FIELDS, type TokenizerConfig } from './tokenizer-config.ts';
import { closeUp } from './wordpiece.ts';

const Component = Typed.nullable().default(null);

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
type TokenizerJson = z.infer<typeof TokenizerJson>;

/**
 * The tokenizer that a `tokenizer.json` describes, with the special tokens that its configuration names. Models and
 * decoders are those of `@huggingface/tokenizers`; normalizers, pre-tokenizers and added tokens are ours, because the
 * package leaves some out and simplifies others.
 *
 * @param name what to call the file in messages
 * @throws InputError if it is malformed or asks for what is not supported
 */
export function tokenizerFromJson(content: unknown, config: TokenizerConfig, name: string): Tokenizer {
  const json = parseWith(TokenizerJson, content, name);
  const raw = parseWith(z.looseObject({}), content, name);
  addMissingTokens(json, config);
  const specialTokens = specialTokensOf(json, config);
  const inner = attempt(name, 'cannot build this tokenizer', () => {
    const bare = { ...json, normalizer: null, pre_tokenizer: null, post_processor: null };
    return new HuggingFaceTokenizer(bare, {
      ...config,
      unk_token: specialTokens.unk,
      chat_template: undefined,
    });
  });
  const normalize = normalizerOf(json.normalizer, name);
  const preTokenize = preTokenizerOf(json.pre_tokenizer, name);
  const split = addedTokenSplitter(json.added_tokens, normalize);
  const ids = [
    ...(Array.isArray(json.model.vocab) ? json.model.vocab.keys() : Object.values(json.model.vocab)),
    ...json.added_tokens.map(({ id }) => id),
  ];
  const special = json.added_tokens.filter((token) => token.special).map((token) => token.content);
  const metaspace = json.decoder?.type === 'Metaspace' ? parseWith(Metaspace, json.decoder, name) : undefined;
  const cleanUp = (config.clean_up_tokenization_spaces ?? false) && json.model.type !== 'BPE';

  /** The tokens of a piece as the vocabulary spells them; what it lacks is the unknown token, or nothing. */
  const tokensOf = (piece: string): string[] =>
    inner.model([piece]).flatMap((token) => {
      return inner.token_to_id(token) === undefined ? (specialTokens.unk ?? []) : token;
    });

  return createTokenizer({
    vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
    specialTokens,
    skipped: [...Object.values(specialTokens), ...special],
    template: explicitFrame(config, specialTokens) ?? frameOf(json.post_processor, name),
    paddingSide: config.padding_side ?? (json.padding?.direction.toLowerCase() === 'left' ? 'left' : 'right'),
    describe: () => ({ tokenizer: { ...raw, added_tokens: json.added_tokens }, config: { ...config } }),
    tokenToId: (token) => inner.token_to_id(token),
    idToToken: (id) => inner.id_to_token(id),
    tokenize: (text) =>
      attempt(name, 'cannot tokenize this text', () =>
        split(text.toWellFormed()).flatMap((section) => {
          if ('id' in section) return inner.id_to_token(section.id) ?? [];
          return preTokenize([{ text: section.text, first: section.start === 0 }]).flatMap(
            ({ text: piece }) => tokensOf(piece),
          );
        }),
      ),
    join: (tokens) => {
      if (metaspace !== undefined) return closeUp(joinMetaspace(tokens, metaspace), cleanUp);
      const known = tokens.flatMap((token) => inner.token_to_id(token) ?? []);
      if (known.length === 0) return '';
      return attempt(name, 'cannot decode these tokens', () => {
        return inner.decode(known, { clean_up_tokenization_spaces: cleanUp });
      });
    },
  });
}

const Metaspace = z.object({
  replacement: z.string().min(1).default('▁'),
  prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
  add_prefix_space: z.boolean().nullish(),
});

/** Text from pieces that carry their spaces. (The package drops the first space also where none was set before it.) */
function joinMetaspace(tokens: readonly string[], description: z.infer<typeof Metaspace>): string {
  const { replacement, prepend_scheme, add_prefix_space } = description;
  const prepended = (prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')) !== 'never';
  return tokens.map((token, i) => token.replaceAll(replacement, i === 0 && prepended ? '' : ' ')).join('');
}

/** The frame that a configuration asks for in place of the one in `tokenizer.json`. */
function explicitFrame(config: TokenizerConfig, tokens: Partial<Record<SpecialRole, string>>) {
  if (config.add_bos_token == null && config.add_eos_token == null) return undefined;
  return boundaryFrame(
    config.add_bos_token === true ? tokens.bos : undefined,
    config.add_eos_token === true ? tokens.eos : undefined,
  );
}

/** Tokens that the configuration names and `tokenizer.json` lacks get the next free ids, as in transformers. */
function addMissingTokens(json: TokenizerJson, config: TokenizerConfig): void {
  const vocabulary = json.model.vocab;
  const known = new Set([
    ...(Array.isArray(vocabulary) ? vocabulary.map(([token]) => token) : Object.keys(vocabulary)),
    ...json.added_tokens.map(({ content }) => content),
  ]);
  const listed = Object.entries(config.added_tokens_decoder ?? {});
  const wanted = [
    ...listed.sort(([a], [b]) => Number(a) - Number(b)).map(([, token]) => token),
    ...[
      ...Object.values(ROLE_FIELDS).map((key) => config[key]),
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

function specialTokensOf(json: TokenizerJson, config: TokenizerConfig): Partial<Record<SpecialRole, string>> {
  const tokens: Partial<Record<SpecialRole, string>> = {};
  const roles: SpecialRole[] = ['pad', 'unk', 'cls', 'sep', 'mask', 'bos', 'eos'];
  for (const role of roles) {
    const token = config[ROLE_FIELDS[role]];
    if (token != null) tokens[role] = token;
  }
  // A folder without a configuration: transformers knows the roles from the class, we from the usual spellings.
  if (Object.keys(tokens).length === 0) {
    const present = new Set(json.added_tokens.map(({ content }) => content));
    for (const role of roles) {
      const usual = USUAL_SPELLINGS[role].find((token) => present.has(token));
      if (usual !== undefined) tokens[role] = usual;
    }
  }
  const unknown = json.model.unk_token ?? unknownPiece(json);
  if (unknown !== undefined) tokens.unk ??= unknown;
  if (json.padding != null) tokens.pad ??= json.padding.pad_token;
  return tokens;
}

const USUAL_SPELLINGS: Readonly<Record<SpecialRole, readonly string[]>> = {
  pad: ['[PAD]', '<pad>'],
  unk: ['[UNK]', '<unk>'],
  cls: ['[CLS]'],
  sep: ['[SEP]'],
  mask: ['[MASK]', '<mask>'],
  bos: ['<s>', '<|endoftext|>', '<|begin_of_text|>'],
  eos: ['</s>', '<|endoftext|>', '<|end_of_text|>'],
};

/** The unknown token of a unigram model, which names it by id. */
function unknownPiece({ model }: TokenizerJson): string | undefined {
  return Array.isArray(model.vocab) && model.unk_id != null ? model.vocab[model.unk_id]?.[0] : undefined;
}

function attempt<T>(name: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new InputError(`${name}: ${what} (${messageOf(error)})`);
  }
}
