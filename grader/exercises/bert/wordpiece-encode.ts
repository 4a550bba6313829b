import { wordPieces } from '../../../src/tokenizers/index.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Vocabulary = ReadonlyMap<string, number>;

const LETTERS = ['a', 'b', 'c', 'd'] as const;

/** A vocabulary of these pieces, ids in their order. */
const vocabularyOf = (pieces: Iterable<string>): Vocabulary =>
  new Map(['[UNK]', ...new Set(pieces)].map((piece, id) => [piece, id]));

const wordOf = (draw: Draw, length: number): string =>
  Array.from({ length }, () => draw.pick(LETTERS)).join('');

/** Every letter in both forms, so that each word has pieces, and longer ones for greed to find. */
function rich(draw: Draw, longer: number): string[] {
  const long = Array.from({ length: longer }, () => wordOf(draw, 2 + draw.rng.integer(3)));
  return [
    ...LETTERS,
    ...LETTERS.map((letter) => `##${letter}`),
    ...long,
    ...long.map((piece) => `##${piece}`),
  ];
}

/** A walk over the word with the rules given: what the mutants vary. */
function pieces(
  word: string,
  vocabulary: Vocabulary,
  rules: { prefix?: string; shortest?: boolean; partial?: boolean },
): string[] {
  const { prefix = '##', shortest = false, partial = false } = rules;
  const found: string[] = [];
  let start = 0;
  while (start < word.length) {
    const lengths = Array.from({ length: word.length - start }, (_, i) => i + 1);
    if (!shortest) lengths.reverse();
    const mark = start === 0 ? '' : prefix;
    const length = lengths.find((n) => vocabulary.has(mark + word.slice(start, start + n)));
    if (length === undefined && !partial) return ['[UNK]'];
    found.push(length === undefined ? '[UNK]' : mark + word.slice(start, start + length));
    start += length ?? 1;
  }
  return found;
}

/** The longest piece anywhere in the word first, then left and right of it. */
function longestAnywhere(word: string, vocabulary: Vocabulary, start = 0): string[] {
  if (word === '') return [];
  for (let length = word.length; length > 0; length--) {
    for (let at = 0; at + length <= word.length; at++) {
      const piece = (start + at === 0 ? '' : '##') + word.slice(at, at + length);
      if (!vocabulary.has(piece)) continue;
      return [
        ...longestAnywhere(word.slice(0, at), vocabulary, start),
        piece,
        ...longestAnywhere(word.slice(at + length), vocabulary, start + at + length),
      ];
    }
  }
  return ['[UNK]'];
}

/** Fixed words on which each known mistake shows, whatever the seed drew beside them. */
const TELLING: Vocabulary = vocabularyOf([
  'un',
  '##aff',
  '##able',
  'aff',
  'u',
  '##n',
  '##a',
  '##f',
  '##able',
  'nab',
  '##nable',
  '##b',
]);

export default defineExercise<[string[], Vocabulary]>({
  id: 'bert/wordpiece-encode',
  title: 'WordPiece: greedy longest match',
  points: 2,
  entry: 'wordPieces',
  difficulty: 2,
  minutes: 20,
  signature:
    'wordPieces(words: string[], vocabulary: ReadonlyMap<string, number>): string[][]  // the pieces of each word',
  parameters: ['words', 'vocabulary'],
  tolerance: EXACT,
  reference: (words, vocabulary) => words.map((word) => wordPieces(word, { ids: vocabulary })),
  variants: [
    {
      name: 'recursive',
      implementation: (words, vocabulary) => {
        const split = (rest: string, prefix: string): string[] | undefined => {
          if (rest === '') return [];
          for (let end = rest.length; end > 0; end--) {
            if (!vocabulary.has(prefix + rest.slice(0, end))) continue;
            // Greedy: the first match is final, even if the rest then cannot be split.
            const tail = split(rest.slice(end), '##');
            return tail === undefined ? undefined : [prefix + rest.slice(0, end), ...tail];
          }
          return undefined;
        };
        return words.map((word) => split(word, '') ?? ['[UNK]']);
      },
    },
  ],
  mutants: [
    {
      id: 'no-continuation-mark',
      diagnosis:
        'The pieces after the first are looked up without "##". Inside a word only entries that begin with "##" may match, and the mark stays on the piece.',
      implementation: (words, vocabulary) => words.map((word) => pieces(word, vocabulary, { prefix: '' })),
    },
    {
      id: 'mark-dropped',
      diagnosis:
        'The pieces are found correctly, but the "##" is taken off the result. A continuation keeps its mark: it is the name of another token.',
      implementation: (words, vocabulary) =>
        words.map((word) => pieces(word, vocabulary, {}).map((piece) => piece.replace(/^##/, ''))),
    },
    {
      id: 'unknown-per-piece',
      diagnosis:
        'A part that matches nothing becomes [UNK] while the rest of the word is kept. If any part has no match, the whole word is one [UNK].',
      implementation: (words, vocabulary) => words.map((word) => pieces(word, vocabulary, { partial: true })),
    },
    {
      id: 'shortest-match',
      diagnosis:
        'The shortest matching piece is taken. WordPiece is greedy for the longest: try the whole rest of the word first.',
      implementation: (words, vocabulary) =>
        words.map((word) => pieces(word, vocabulary, { shortest: true })),
    },
    {
      id: 'longest-anywhere',
      diagnosis:
        'The longest piece anywhere in the word is taken first. WordPiece goes from left to right and takes the longest piece that begins where the last one ended.',
      implementation: (words, vocabulary) =>
        words.map((word) => {
          const found = longestAnywhere(word, vocabulary);
          return found.includes('[UNK]') ? ['[UNK]'] : found;
        }),
    },
    {
      id: 'unknown-dropped',
      diagnosis: 'A word without a match disappears. It must leave one [UNK], or the sentence loses a word.',
      implementation: (words, vocabulary) =>
        words.map((word) => pieces(word, vocabulary, {}).filter((piece) => piece !== '[UNK]')),
    },
  ],
  cases: [
    {
      name: 'words with one, several and no pieces',
      visibility: 'public',
      inputs: () => [['unaffable', 'un', 'unable', 'affx', 'unaffnab', 'uab'], TELLING],
    },
    {
      name: 'another vocabulary',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => {
        const words = Array.from({ length: 24 }, () => wordOf(draw, 1 + draw.rng.integer(9)));
        return [
          [...words, 'abcda', 'zab', 'abz', 'abcd'],
          vocabularyOf([...rich(draw, 10), 'ab', '##cda', '##bcd']),
        ];
      },
    },
    {
      name: 'letters that exist in one form only',
      visibility: 'hidden',
      inputs: (draw) => {
        const words = Array.from({ length: 16 }, () => wordOf(draw, 2 + draw.rng.integer(6)));
        // No "##d": whatever has a d behind its first letter is unknown unless a longer piece covers it.
        const known = rich(draw, 5).filter((piece) => piece !== '##d' && !piece.startsWith('##d'));
        return [[...words, 'add', 'dab', 'abcdab'], vocabularyOf([...known, 'abc', '##dab'])];
      },
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Stand at the beginning of the word. What is the longest piece you could cut off, and how do you find it by trying?',
    'start = 0; while start < word.length: end goes from word.length down to start + 1; candidate = (start > 0 ? "##" : "") + word.slice(start, end); the first candidate in the vocabulary is the piece, and start becomes end. No candidate: the answer for the word is ["[UNK]"].',
    'Greedy longest-match-first, left to right: Wu et al., 2016, "Google\'s neural machine translation system", section 4.1; Devlin et al., 2019, section 3.',
  ],
});
