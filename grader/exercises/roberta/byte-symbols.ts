import { toByteCharacters } from '../../../src/tokenizers/index.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [string[]];
type Range = readonly [low: number, high: number];

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** Symbols by byte, the bytes that need another symbol numbered from `first`. */
const tableOf = (printable: (byte: number) => boolean, first = 0x100): string[] => {
  let next = first;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
};

const spell = (texts: readonly string[], table: readonly string[]): string[] =>
  texts.map((text) => Array.from(new TextEncoder().encode(text), (byte) => table[byte] ?? '').join(''));

/** Text of one to four bytes a character, spaces, control characters and a soft hyphen among them. */
function inputs(draw: Draw, count: number): Args {
  const ranges: [Range, ...Range[]] = [
    [0x00, 0x20],
    [0x20, 0x7f],
    [0x7f, 0x100],
    [0x370, 0x500],
    [0x4e00, 0x4f00],
    [0x1f600, 0x1f640],
  ];
  const text = (): string =>
    Array.from({ length: 2 + draw.rng.integer(7) }, () => {
      const [low, high] = draw.pick(ranges);
      return String.fromCodePoint(low + draw.rng.integer(high - low));
    }).join('');
  return [[...Array.from({ length: count }, text), ' a b', 'naïve\n', '\u00ad 🙂']];
}

export default defineExercise<Args>({
  id: 'roberta/byte-symbols',
  title: 'Bytes as visible symbols',
  points: 2,
  entry: 'byteSymbols',
  difficulty: 2,
  minutes: 20,
  signature: 'byteSymbols(texts: string[]): string[]  // one symbol for each byte of the UTF-8',
  parameters: ['texts'],
  tolerance: EXACT,
  reference: (texts) => texts.map(toByteCharacters),
  variants: [
    { name: 'a table made by hand', implementation: (texts) => spell(texts, tableOf(isPrintable)) },
    {
      name: 'the number of unprintable bytes below, counted for each byte',
      implementation: (texts) => {
        const below = (byte: number): number =>
          Array.from({ length: byte }, (_, other) => other).filter((other) => !isPrintable(other)).length;
        return texts.map((text) =>
          [...Buffer.from(text, 'utf8')]
            .map((byte) => String.fromCharCode(isPrintable(byte) ? byte : 256 + below(byte)))
            .join(''),
        );
      },
    },
  ],
  mutants: [
    {
      id: 'characters-not-bytes',
      diagnosis:
        'The text is taken character by character. One symbol stands for one byte of its UTF-8: "é" has two. TextEncoder gives the bytes.',
      implementation: (texts) => {
        const table = tableOf(isPrintable);
        return texts.map((text) =>
          Array.from(text, (character) => table[(character.codePointAt(0) ?? 0) & 0xff] ?? '').join(''),
        );
      },
    },
    {
      id: 'not-shifted',
      diagnosis:
        'Every byte stands for itself, also those that are blank or invisible. Bytes without a visible character get the symbols from U+0100 on.',
      implementation: (texts) =>
        spell(
          texts,
          tableOf(() => true),
        ),
    },
    {
      id: 'only-the-space-shifted',
      diagnosis:
        'Only the space is replaced. All bytes without a visible character are: 0 to 32, 127 to 160 and 173.',
      implementation: (texts) =>
        spell(
          texts,
          Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(byte === 0x20 ? 0x120 : byte)),
        ),
    },
    {
      id: 'shifted-by-256',
      diagnosis:
        'An unprintable byte b gets the symbol 256 + b. They are numbered one after the other instead: the first gets 256, the next 257, whatever lies between. (For the space it is the same: 288, "Ġ".)',
      implementation: (texts) =>
        spell(
          texts,
          Array.from({ length: 256 }, (_, byte) =>
            String.fromCodePoint(isPrintable(byte) ? byte : 256 + byte),
          ),
        ),
    },
    {
      id: 'soft-hyphen-kept',
      diagnosis:
        'Byte 173, the soft hyphen, stands for itself, but it is invisible. It is the one hole in the range 161 to 255.',
      implementation: (texts) =>
        spell(
          texts,
          tableOf((byte) => isPrintable(byte) || byte === 0xad),
        ),
    },
    {
      id: 'numbered-from-257',
      diagnosis: 'The replaced bytes are numbered from 257. The first of them, byte 0, gets 256.',
      implementation: (texts) => spell(texts, tableOf(isPrintable, 0x101)),
    },
  ],
  cases: [
    {
      name: 'spaces, accents and a smile',
      visibility: 'public',
      inputs: () => [['Hello world', ' the', 'naïve café\n', '日本 🙂', '\u00ad\u0000\u007f\u00a0']],
    },
    { name: 'random text', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 12) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'There are 256 bytes. Which of them, taken as a code point, would you see on paper?',
    'A table of 256 symbols: n = 256; for byte 0 … 255: printable (33–126, 161–172, 174–255) → the character of that code; else → the character of n, then n + 1. A text: new TextEncoder().encode(text) → each byte through the table → joined.',
    'Radford et al., 2019, "Language models are unsupervised multitask learners", section 2.2 (byte-level BPE); the table is in the code they released. RoBERTa uses the same one (Liu et al., 2019, section 4.4).',
  ],
});
