import { packFullSentences } from '../../../src/objectives/index.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Documents = number[][][];
type Args = [Documents, number, number];

const SEPARATOR = 2;

interface Rules {
  separator?: boolean;
  /** Whether an input may hold two documents. */
  crossing?: boolean;
  /** Whether every sentence is followed by a separator. */
  afterEach?: boolean;
  /** Whether sentences are cut at the end of an input. */
  cut?: boolean;
  /** What the separator counts towards the room. */
  counted?: boolean;
}

function pack([documents, maxTokens, separator]: Args, rules: Rules = {}): number[][] {
  const { crossing = true, cut = false, afterEach = false, counted = true } = rules;
  const inputs: number[][] = [];
  let current: number[] = [];
  let used = 0;
  const finish = (): void => {
    if (current.length > 0) inputs.push(current);
    current = [];
    used = 0;
  };
  for (const document of documents) {
    if (!crossing) finish();
    for (const [i, sentence] of document.entries()) {
      const wants = rules.separator !== false && used > 0 && (afterEach || i === 0);
      const glue = wants ? [separator] : [];
      const size = (counted ? glue.length : 0) + sentence.length;
      if (used + size <= maxTokens) {
        current.push(...glue, ...sentence);
        used += size;
      } else if (cut) {
        const row = [...glue, ...sentence];
        const fits = Math.max(0, maxTokens - used);
        current.push(...row.slice(0, fits));
        finish();
        current = row.slice(fits);
        used = current.length;
      } else {
        finish();
        current = [...sentence];
        used = sentence.length;
      }
    }
  }
  finish();
  return inputs;
}

/** Documents whose sentences never fill an input exactly by themselves; every sentence fits into one. */
function inputs(draw: Draw, sizes: readonly number[], maxTokens: number): Args {
  let id = 10;
  const documents = sizes.map((sentences) =>
    Array.from({ length: sentences }, () =>
      Array.from({ length: 2 + draw.rng.integer(Math.floor(maxTokens / 3)) }, () => id++),
    ),
  );
  return [documents, maxTokens, SEPARATOR];
}

/** Two documents share the second input with a separator; the last sentence fits only if the separator takes no room. */
const TELLING: Args = [
  [
    [
      [10, 11, 12],
      [13, 14],
      [15, 16, 17],
    ],
    [
      [20, 21],
      [22, 23, 24],
    ],
    [
      [30, 31, 32, 33],
      [34, 35],
    ],
    [[40], [41, 42]],
  ],
  8,
  SEPARATOR,
];

export default defineExercise<Args>({
  id: 'roberta/packing',
  title: 'Full sentences: filling the inputs',
  points: 2,
  entry: 'packSentences',
  difficulty: 2,
  minutes: 20,
  signature: 'packSentences(documents: number[][][], maxTokens: number, separator: number): number[][]',
  parameters: ['documents', 'maxTokens', 'separator'],
  tolerance: EXACT,
  reference: (documents, maxTokens, separator) => packFullSentences(documents, { maxTokens, separator }),
  variants: [{ name: 'one pass that counts by itself', implementation: (...args) => pack(args) }],
  mutants: [
    {
      id: 'no-separator',
      diagnosis:
        'Two documents stand in one input without a separator: the model cannot see that they do not belong together. Put one between the last sentence of a document and the first of the next.',
      implementation: (...args) => pack(args, { separator: false }),
    },
    {
      id: 'documents-not-crossed',
      diagnosis:
        'A new input begins with every document. That is a variant in the paper (DOC-SENTENCES); with full sentences an input goes on into the next document.',
      implementation: (...args) => pack(args, { crossing: false }),
    },
    {
      id: 'separator-after-every-sentence',
      diagnosis: 'There is a separator between any two sentences. It stands between documents only.',
      implementation: (...args) => pack(args, { afterEach: true }),
    },
    {
      id: 'sentences-cut',
      diagnosis:
        'Sentences are cut where an input is full. A sentence that does not fit begins the next input whole.',
      implementation: (...args) => pack(args, { cut: true }),
    },
    {
      id: 'separator-not-counted',
      diagnosis:
        'An input becomes longer than maxTokens, because the separator is not counted. It takes room like a token.',
      implementation: (...args) => pack(args, { counted: false }),
    },
    {
      id: 'last-input-lost',
      diagnosis: 'The last input is lost. When the documents end, what has been collected is an input too.',
      implementation: (...args) => pack(args).slice(0, -1),
    },
  ],
  cases: [
    { name: 'four short documents', visibility: 'public', inputs: () => structuredClone(TELLING) },
    {
      name: 'random documents',
      visibility: 'hidden',
      weight: 2,
      // The telling ones are among them: chance alone does not show every mistake.
      inputs: (draw) => {
        const [documents, maxTokens] = inputs(draw, [4, 1, 6, 3, 2], 12);
        return [
          [
            ...documents,
            ...TELLING[0].map((document) =>
              document.map((sentence) => [...sentence, ...sentence.slice(0, 1)]),
            ),
          ],
          maxTokens,
          SEPARATOR,
        ];
      },
    },
    { name: 'long inputs', visibility: 'hidden', inputs: (draw) => inputs(draw, [5, 7, 2, 9, 4, 6, 3], 30) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Carry the input that is being filled. Two things can happen when a sentence comes: what are they?',
    'For every sentence: glue = [separator] if it is the first of its document and the current input is not empty, else []. If current + glue + sentence fits into maxTokens, append both; else finish the current input and begin a new one with the sentence alone.',
    'Liu et al., 2019, "RoBERTa", section 4.2, FULL-SENTENCES: inputs packed with full sentences sampled contiguously from one or more documents, with an extra separator token between documents.',
  ],
});
