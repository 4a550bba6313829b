/** The unigram language model tokenizer (Kudo, 2018, §3.2), as in T5 and ALBERT. */

import {
  createTokenizer,
  type SpecialRole,
  splitAround,
  type Template,
  type Tokenizer,
} from './tokenizer.ts';
import { createVocabulary, requireToken } from './vocabulary.ts';

/** Pieces with the natural logarithm of their probability, ids in their order. */
export interface UnigramModel {
  pieces: readonly (readonly [piece: string, logProbability: number])[];
}

/** What stands for a space, at the beginning of a word. */
export const WORD_START = '▁';

/** T5's special tokens, in the order in which a trained vocabulary begins with them. */
export const T5_SPECIAL_TOKENS = { pad: '<pad>', eos: '</s>', unk: '<unk>' } as const;

/** How much less likely an unknown character is than the least likely piece, as in SentencePiece. */
const UNKNOWN_PENALTY = 10;

/** The words of a text as SentencePiece sees them: NFKC, a `▁` before each, no other space left. */
export function unigramWords(text: string): string[] {
  return text
    .toWellFormed()
    .normalize('NFKC')
    .split(/\p{White_Space}+/u)
    .filter((word) => word !== '')
    .map((word) => WORD_START + word);
}

/** Log-probabilities by piece, with the length of the longest: what a search needs. */
export interface PieceTable {
  scores: ReadonlyMap<string, number>;
  longest: number;
  unknownScore: number;
}

/** The table of a model. Special tokens are left out: they are not made of text. */
export function pieceTable(model: UnigramModel, special: ReadonlySet<string> = new Set()): PieceTable {
  const scores = new Map(model.pieces.filter(([piece]) => !special.has(piece)));
  let longest = 1;
  let lowest = 0;
  for (const [piece, score] of scores) {
    longest = Math.max(longest, Array.from(piece).length);
    lowest = Math.min(lowest, score);
  }
  return { scores, longest, unknownScore: lowest - UNKNOWN_PENALTY };
}

/**
 * The most likely way to cut a word into pieces (Viterbi). A character that no piece covers is `undefined`, and so
 * is a run of them together.
 */
export function bestSegmentation(word: string, table: PieceTable): (string | undefined)[] {
  const characters = Array.from(word);
  /** The best way to spell the characters before each place, by its last piece. */
  const best: { score: number; start: number; piece: string | undefined }[] = [];
  for (let end = 1; end <= characters.length; end++) {
    const before = (start: number): number => (start === 0 ? 0 : (best[start]?.score ?? 0));
    // One character, known or not, always leads here.
    const single = characters[end - 1] ?? '';
    const known = table.scores.get(single);
    let found = {
      score: before(end - 1) + (known ?? table.unknownScore),
      start: end - 1,
      piece: known === undefined ? undefined : single,
    };
    for (let start = end - 2; start >= Math.max(0, end - table.longest); start--) {
      const piece = characters.slice(start, end).join('');
      const score = table.scores.get(piece);
      if (score === undefined || before(start) + score < found.score) continue;
      found = { score: before(start) + score, start, piece };
    }
    best[end] = found;
  }
  const pieces: (string | undefined)[] = []; // from the end
  for (let end = characters.length; end > 0; ) {
    const step = best[end];
    if (step === undefined) break;
    if (step.piece !== undefined || pieces.length === 0 || pieces.at(-1) !== undefined)
      pieces.push(step.piece);
    end = step.start;
  }
  return pieces.reverse();
}

export interface UnigramTokenizerOptions {
  /** Default: `<pad>`, `</s>` and `<unk>`. */
  specialTokens?: Partial<Record<SpecialRole, string>> & { unk: string };
  /** Default: every text is followed by the end token, as for T5. */
  template?: Template;
}

/** A tokenizer over a unigram model, by default framed as T5's: `A </s>` or `A </s> B </s>`. */
export function unigramTokenizer(model: UnigramModel, options: UnigramTokenizerOptions = {}): Tokenizer {
  const specialTokens: Partial<Record<SpecialRole, string>> & { unk: string } =
    options.specialTokens ?? T5_SPECIAL_TOKENS;
  const vocabulary = createVocabulary(model.pieces.map(([piece]) => piece));
  for (const token of Object.values(specialTokens)) requireToken(vocabulary, token);
  const special = new Set(Object.values(specialTokens));
  const table = pieceTable(model, special);
  const split = splitAround(special);
  const end = specialTokens.eos === undefined ? [] : [{ special: specialTokens.eos, segment: 0 }];
  const first = [{ text: 'A' as const, segment: 0 }, ...end];
  const template = options.template ?? { single: first, pair: [...first, { text: 'B', segment: 0 }, ...end] };
  return createTokenizer({
    vocabSize: vocabulary.tokens.length,
    specialTokens,
    template,
    describe: () => ({
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'NFKC' },
          { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
          { type: 'Strip', strip_left: true, strip_right: true },
        ],
      },
      pre_tokenizer: { type: 'Metaspace', replacement: WORD_START, prepend_scheme: 'always', split: true },
      model: {
        type: 'Unigram',
        unk_id: vocabulary.ids.get(specialTokens.unk),
        vocab: model.pieces,
        byte_fallback: false,
      },
      decoder: { type: 'Metaspace', replacement: WORD_START, prepend_scheme: 'always', split: true },
    }),
    tokenToId: (token) => vocabulary.ids.get(token),
    idToToken: (id) => vocabulary.tokens[id],
    tokenize: (text) =>
      split(text).flatMap((part) =>
        part.isToken
          ? [part.text]
          : unigramWords(part.text).flatMap((word) =>
              bestSegmentation(word, table).map((piece) => piece ?? specialTokens.unk),
            ),
      ),
    join: (tokens) => tokens.join('').replaceAll(WORD_START, ' ').replace(/^ /, ''),
  });
}
