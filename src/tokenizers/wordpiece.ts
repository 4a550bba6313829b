/** WordPiece, BERT's subword tokenizer (Schuster and Nakajima, 2012; Wu et al., 2016, §4.1; Devlin et al., 2019, §3). */

import { type BertTextOptions, bertNormalizerJson, bertWords } from './bert-text.ts';
import { bertFrame } from './frame.ts';
import { createTokenizer, splitAround, type Tokenizer } from './tokenizer.ts';
import { requireToken, type Vocabulary } from './vocabulary.ts';

/** BERT's special tokens, in the order in which a trained vocabulary begins with them. */
export const BERT_SPECIAL_TOKENS = {
  pad: '[PAD]',
  unk: '[UNK]',
  cls: '[CLS]',
  sep: '[SEP]',
  mask: '[MASK]',
} as const;

/** What marks a piece that continues a word. */
export const CONTINUATION = '##';

/** Words of more characters than this are unknown: a guard against the square of the length below. */
const LONGEST_WORD = 100;

/**
 * The pieces of one word by greedy longest match: the longest prefix in the vocabulary, then the longest prefix of
 * the rest that the vocabulary has as a continuation (`##…`), and so on. A word with a part that matches nothing is
 * one unknown token as a whole.
 */
export function wordPieces(
  word: string,
  vocabulary: Pick<Vocabulary, 'ids'>,
  unknown: string = BERT_SPECIAL_TOKENS.unk,
): string[] {
  const characters = Array.from(word);
  if (characters.length > LONGEST_WORD) return [unknown];
  const pieces: string[] = [];
  let start = 0;
  while (start < characters.length) {
    const prefix = start === 0 ? '' : CONTINUATION;
    let end = characters.length;
    let piece = prefix + characters.slice(start).join('');
    while (end > start && !vocabulary.ids.has(piece)) {
      end--;
      piece = prefix + characters.slice(start, end).join('');
    }
    if (end === start) return [unknown];
    pieces.push(piece);
    start = end;
  }
  return pieces;
}

/**
 * BERT's tokenizer over a vocabulary that has the five special tokens: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`,
 * where B and the [SEP] after it are segment 1.
 */
export function wordPieceTokenizer(vocabulary: Vocabulary, options: BertTextOptions = {}): Tokenizer {
  const special = BERT_SPECIAL_TOKENS;
  for (const token of Object.values(special)) requireToken(vocabulary, token);
  const split = splitAround(Object.values(special));
  return createTokenizer({
    vocabSize: vocabulary.tokens.length,
    specialTokens: special,
    template: bertFrame(special.cls, special.sep),
    describe: () => ({
      normalizer: bertNormalizerJson(options),
      pre_tokenizer: { type: 'BertPreTokenizer' },
      model: {
        type: 'WordPiece',
        unk_token: special.unk,
        continuing_subword_prefix: CONTINUATION,
        max_input_chars_per_word: LONGEST_WORD,
        vocab: Object.fromEntries(vocabulary.ids),
      },
      decoder: { type: 'WordPiece', prefix: CONTINUATION, cleanup: true },
    }),
    tokenToId: (token) => vocabulary.ids.get(token),
    idToToken: (id) => vocabulary.tokens[id],
    tokenize: (text) =>
      split(text).flatMap((part) =>
        part.isToken
          ? [part.text]
          : bertWords(part.text, options).flatMap((word) => wordPieces(word, vocabulary)),
      ),
    join: joinWordPieces,
  });
}

/** Text from pieces: continuations join the word before them, and the marks of English close up to it. */
export function joinWordPieces(tokens: readonly string[]): string {
  return tokens
    .map((token, index) => {
      if (index === 0) return token;
      return token.startsWith(CONTINUATION) ? token.slice(CONTINUATION.length) : ` ${token}`;
    })
    .map((piece) => closeUp(piece))
    .join('');
}

/** Closes the marks and contractions of English up to the word before them: "do n't !" becomes "don't!". */
export function closeUp(text: string, wanted = true): string {
  return wanted
    ? CLOSED_UP.reduce((current, [open, closed]) => current.replaceAll(open, closed), text)
    : text;
}

// The clean-up of the published decoder of WordPiece, which takes one piece at a time.
const CLOSED_UP: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];
