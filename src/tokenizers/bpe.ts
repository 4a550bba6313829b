/** Byte-pair encoding: merging by rank, over characters or over bytes. */

import { bertNormalizerJson, bertWords } from './bert-text.ts';
import { BARE_FRAME } from './frame.ts';
import {
  createTokenizer,
  type SpecialRole,
  splitAround,
  type Template,
  type Tokenizer,
  type TokenizerDescription,
} from './tokenizer.ts';
import { requireToken, type Vocabulary } from './vocabulary.ts';

/** Two neighbouring symbols that become one. The place of a merge in its list is its rank. */
export type Merge = readonly [left: string, right: string];

/** What training gives and encoding needs. */
export interface BpeModel {
  vocabulary: Vocabulary;
  merges: readonly Merge[];
}

export interface BpeTokenizerOptions {
  /** Tokens of the vocabulary with a part to play. Texts that spell one out keep it whole. */
  specialTokens?: Partial<Record<SpecialRole, string>>;
  /** The frame around texts. Default: none, as for GPT. */
  template?: Template;
}

// Merges are looked up by both symbols, set apart by a character that neither can contain: no symbol of a published
// vocabulary has a space, for a merges file writes the pair with one between.
const keyOf = (left: string, right: string): string => `${left} ${right}`;

/** Ranks by pair, for `mergeByRank`. */
export function mergeRanks(merges: readonly Merge[]): ReadonlyMap<string, number> {
  return new Map(merges.map(([left, right], rank) => [keyOf(left, right), rank]));
}

/**
 * Merges the pair of lowest rank, everywhere it stands, until no pair has a rank (Sennrich et al., 2016, §3.2). The
 * order is that of the ranks, not from left to right: with the merges (b c), (a b) the word abc becomes a | bc.
 */
export function mergeByRank(symbols: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  let word = [...symbols];
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < word.length; i++) {
      best = Math.min(best, ranks.get(keyOf(word[i] ?? '', word[i + 1] ?? '')) ?? Number.POSITIVE_INFINITY);
    }
    if (best === Number.POSITIVE_INFINITY) return word;
    const merged: string[] = [];
    for (let i = 0; i < word.length; i++) {
      const [symbol = '', next] = [word[i], word[i + 1]];
      const joins = next !== undefined && ranks.get(keyOf(symbol, next)) === best;
      merged.push(joins ? symbol + next : symbol);
      if (joins) i++;
    }
    word = merged;
  }
}

/** GPT-2's table from bytes to printable characters: printable Latin-1 stands for itself, the rest for U+0100 on. */
export function byteToCharacter(): readonly string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(printable ? byte : next++);
  });
}

const CHARACTERS = byteToCharacter();
const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

/** Text as one character for each byte of its UTF-8: "é" gives "Ã©". */
export function toByteCharacters(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => CHARACTERS[byte]).join('');
}

/** The text that `toByteCharacters` was made of; bytes that are no UTF-8 become U+FFFD. */
export function fromByteCharacters(characters: string): string {
  const bytes = Array.from(characters, (character) => BYTES.get(character) ?? 0x3f);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

// GPT-2's own pattern (Radford et al., 2019, §2.2, and the code they released): a word takes the space before it.
// White_Space instead of \s, which in JavaScript leaves out U+0085 and takes in U+FEFF.
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The words of byte-level BPE, spaces included: "It's  2" gives "It", "'s", " ", " 2". */
export function byteLevelWords(text: string): string[] {
  return text.match(GPT2_WORDS) ?? [];
}

/** What ends a word in plain BPE, so that "est" within a word and at its end are different tokens. */
export const END_OF_WORD = '</w>';

/** The characters of a word, the last one marked as its end. */
export function wordSymbols(word: string): string[] {
  const characters = Array.from(word);
  return characters.map((character, i) =>
    i === characters.length - 1 ? character + END_OF_WORD : character,
  );
}

/**
 * Byte-level BPE as in GPT-2, RoBERTa and BART: every text can be spelled, there is no unknown token. The frames of
 * these models differ; give `robertaFrame(...)` for the latter two.
 */
export function byteLevelBpeTokenizer(model: BpeModel, options: BpeTokenizerOptions = {}): Tokenizer {
  return bpeTokenizer(model, options, {
    words: byteLevelWords,
    symbols: (word) => Array.from(toByteCharacters(word)),
    describe: (bpe) => ({
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: bpe,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    }),
    join(tokens, special) {
      // Special tokens are text as they stand, all others are bytes.
      const parts: { text: string; bytes: boolean }[] = [];
      for (const token of tokens) {
        const last = parts.at(-1);
        const bytes = !special.has(token);
        if (last?.bytes === true && bytes) last.text += token;
        else parts.push({ text: token, bytes });
      }
      return parts.map(({ text, bytes }) => (bytes ? fromByteCharacters(text) : text)).join('');
    },
  });
}

/** BPE over characters as in GPT-1: lower-cased words, ended by `</w>`; the vocabulary needs `<unk>`. */
export function plainBpeTokenizer(model: BpeModel, options: BpeTokenizerOptions = {}): Tokenizer {
  const unknown = options.specialTokens?.unk ?? '<unk>';
  requireToken(model.vocabulary, unknown);
  return bpeTokenizer(
    model,
    { ...options, specialTokens: { ...options.specialTokens, unk: unknown } },
    {
      words: (text) => bertWords(text),
      symbols: wordSymbols,
      describe: (bpe) => ({
        normalizer: bertNormalizerJson(),
        pre_tokenizer: { type: 'BertPreTokenizer' },
        model: { ...bpe, unk_token: unknown, end_of_word_suffix: END_OF_WORD },
        decoder: { type: 'BPEDecoder', suffix: END_OF_WORD },
      }),
      join: (tokens) =>
        tokens
          .map((token) => (token.endsWith(END_OF_WORD) ? `${token.slice(0, -END_OF_WORD.length)} ` : token))
          .join('')
          .trimEnd(),
    },
  );
}

/** How a kind of BPE makes symbols of text, and text of tokens. */
interface BpeKind {
  words(text: string): string[];
  symbols(word: string): string[];
  join(tokens: string[], special: ReadonlySet<string>): string;
  /** Its `tokenizer.json`, given what all kinds write of their model. */
  describe(model: object): TokenizerDescription;
}

function bpeTokenizer(
  { vocabulary, merges }: BpeModel,
  options: BpeTokenizerOptions,
  kind: BpeKind,
): Tokenizer {
  const { specialTokens = {}, template = BARE_FRAME } = options;
  const ranks = mergeRanks(merges);
  const special = new Set(Object.values(specialTokens));
  const split = splitAround(special);
  const unknown = specialTokens.unk;
  // Most words of a text come again and again.
  const cache = new Map<string, string[]>();
  const pieces = (word: string): string[] => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const merged = mergeByRank(kind.symbols(word), ranks).flatMap((symbol) =>
      vocabulary.ids.has(symbol) ? symbol : (unknown ?? []),
    );
    if (cache.size < CACHE_LIMIT) cache.set(word, merged);
    return merged;
  };
  return createTokenizer({
    vocabSize: vocabulary.tokens.length,
    specialTokens,
    template,
    describe: () =>
      kind.describe({
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(vocabulary.ids),
        merges,
      }),
    tokenToId: (token) => vocabulary.ids.get(token),
    idToToken: (id) => vocabulary.tokens[id],
    tokenize: (text) =>
      split(text.toWellFormed()).flatMap((part) =>
        part.isToken ? [part.text] : kind.words(part.text).flatMap(pieces),
      ),
    join: (tokens) => kind.join(tokens, special),
  });
}

const CACHE_LIMIT = 50_000;
