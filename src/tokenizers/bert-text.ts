/**
 * BERT's basic tokenisation: text to words, before any subword is looked up.
 *
 * Source: Devlin et al. (2019) §3, "WordPiece embeddings", as fixed by the code the authors released with the paper.
 */

/** How a BERT vocabulary wants its text prepared. */
export interface BertTextOptions {
  /** Lower-case the text ("uncased" models). Default true. */
  lowercase?: boolean;
  /** Drop accents: é becomes e. Default: the same as `lowercase`. */
  stripAccents?: boolean;
  /** Drop control characters and make every space a plain one. Default true. */
  cleanText?: boolean;
  /** Set every CJK ideograph apart, so that each is a word of its own. Default true. */
  splitIdeographs?: boolean;
}

const WHITESPACE = /\s/u;
// Tab, line feed and carriage return are spaces; all other control and format characters vanish.
const INVISIBLE = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/u;
/** One punctuation mark. */
// What ASCII counts as a symbol ($ + < = > ^ ` | ~) is punctuation for BERT too.
export const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/u;
// The blocks "CJK Unified Ideographs", their extensions A to E and the two compatibility blocks. Hangul, hiragana
// and katakana are written with spaces or are alphabets, and stay within words.
const IDEOGRAPH =
  /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/u;

/** The cleaned text: no control characters, single kinds of space, accents and case as asked. */
export function normalizeBertText(text: string, options: BertTextOptions = {}): string {
  const { lowercase = true, cleanText = true, splitIdeographs = true, stripAccents = lowercase } = options;
  let cleaned = '';
  for (const character of text) {
    if (cleanText && INVISIBLE.test(character)) continue;
    if (cleanText && WHITESPACE.test(character)) cleaned += ' ';
    else if (splitIdeographs && IDEOGRAPH.test(character)) cleaned += ` ${character} `;
    else cleaned += character;
  }
  if (stripAccents) cleaned = cleaned.normalize('NFD').replace(/\p{Mn}/gu, '');
  if (!lowercase) return cleaned;
  // One character at a time: lower-casing a whole word would turn a final Σ into ς, which the vocabularies do not do.
  return Array.from(cleaned, (character) => character.toLowerCase()).join('');
}

/** The options as the normalizer of a `tokenizer.json`. */
export function bertNormalizerJson(options: BertTextOptions = {}): object {
  const { lowercase = true, cleanText = true, splitIdeographs = true, stripAccents = lowercase } = options;
  return {
    type: 'BertNormalizer',
    clean_text: cleanText,
    handle_chinese_chars: splitIdeographs,
    strip_accents: stripAccents,
    lowercase,
  };
}

/** Words and punctuation marks of a text, in order: `"Don't!"` gives `["don", "'", "t", "!"]`. */
export function bertWords(text: string, options: BertTextOptions = {}): string[] {
  const words: string[] = [];
  let word = '';
  const finish = (): void => {
    if (word !== '') words.push(word);
    word = '';
  };
  for (const character of normalizeBertText(text, options)) {
    if (WHITESPACE.test(character)) finish();
    else if (PUNCTUATION.test(character)) {
      finish();
      words.push(character);
    } else word += character;
  }
  finish();
  return words;
}
