import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

/** One number in [0, 1) of each kind for every pair: the exercise's whole randomness. */
interface Draws {
  coin: number[];
  document: number[];
  sentence: number[];
}

interface SentencePair {
  first: string;
  second: string;
  label: number;
}

const at = <T>(items: readonly T[], uniform: number | undefined): T | undefined =>
  items[Math.floor((uniform ?? 0) * items.length)];

/** The pairs by the rules given: what the mutants vary. */
function pairs(
  documents: readonly (readonly string[])[],
  draws: Draws,
  rules: {
    others?: (own: number) => readonly (readonly string[])[];
    isNext?: number;
    coin?: (uniform: number) => boolean;
  } = {},
): SentencePair[] {
  const { isNext = 0, coin = (uniform) => uniform < 0.5 } = rules;
  const others = rules.others ?? ((own: number) => documents.filter((_, index) => index !== own));
  const made: SentencePair[] = [];
  for (const [own, document] of documents.entries()) {
    for (const [i, first] of document.slice(0, -1).entries()) {
      const k = made.length;
      const next = document[i + 1] ?? '';
      const other = at(at(others(own), draws.document[k]) ?? [], draws.sentence[k]) ?? '';
      made.push(
        coin(draws.coin[k] ?? 0)
          ? { first, second: next, label: isNext }
          : { first, second: other, label: 1 - isNext },
      );
    }
  }
  return made;
}

/** Documents of different lengths whose sentences are all different. */
function inputs(draw: Draw, lengths: readonly number[]): [string[][], Draws] {
  const documents = lengths.map((length, d) =>
    Array.from(
      { length },
      (_, s) =>
        `Document ${d + 1} says ${['this', 'that', 'more', 'less'][draw.rng.integer(4)]}, sentence ${s + 1}.`,
    ),
  );
  const count = lengths.reduce((sum, length) => sum + length - 1, 0);
  const uniforms = (): number[] => Array.from({ length: count }, () => draw.rng.next());
  // Both kinds of pair are always there: the coins alternate between the halves, shuffled by a random start.
  const coin = uniforms().map((u, k) => (k % 2 === 0 ? u / 2 : 0.5 + u / 2));
  // Every document is drawn from, the own one included if somebody forgets to leave it out.
  const document = uniforms().map((u, k) => (k * 0.37 + u * 0.2) % 1);
  return [documents, { coin, document, sentence: uniforms() }];
}

export default defineExercise({
  id: 'bert/sentence-pairs',
  title: 'Sentence pairs for next-sentence prediction',
  points: 2,
  entry: 'sentencePairs',
  difficulty: 2,
  minutes: 20,
  signature:
    'sentencePairs(documents: string[][], draws: {coin: number[]; document: number[]; sentence: number[]}): {first: string; second: string; label: number}[]',
  parameters: ['documents', 'draws'],
  tolerance: EXACT,
  reference: (documents: string[][], draws: Draws) => pairs(documents, draws),
  variants: [
    {
      name: 'walks over all places first, then draws',
      implementation: (documents, draws) =>
        documents
          .flatMap((document, own) =>
            document.slice(1).map((next, i) => ({ own, first: document[i] ?? '', next })),
          )
          .map(({ own, first, next }, k) => {
            if ((draws.coin[k] ?? 0) < 0.5) return { first, second: next, label: 0 };
            const drawn = Math.floor((draws.document[k] ?? 0) * (documents.length - 1));
            const other = documents[drawn >= own ? drawn + 1 : drawn] ?? [];
            return {
              first,
              second: other[Math.floor((draws.sentence[k] ?? 0) * other.length)] ?? '',
              label: 1,
            };
          }),
    },
  ],
  mutants: [
    {
      id: 'negatives-from-any-document',
      diagnosis:
        'A negative may come from the same document: then it can be the very next sentence, labelled as if it were not. Leave the own document out before you draw.',
      implementation: (documents, draws) => pairs(documents, draws, { others: () => documents }),
    },
    {
      id: 'negatives-from-the-same-document',
      diagnosis:
        'The negatives are drawn from the same document. Draw them from one of the others: documents.filter((_, i) => i !== own).',
      implementation: (documents, draws) =>
        pairs(documents, draws, { others: (own) => [documents[own] ?? []] }),
    },
    {
      id: 'label-reversed',
      diagnosis:
        'The labels are reversed. In BERT 0 means "is the next sentence" and 1 means "is a random one".',
      implementation: (documents, draws) => pairs(documents, draws, { isNext: 1 }),
    },
    {
      id: 'coin-reversed',
      diagnosis: 'The coin is read the other way round: below 0.5 the true next sentence is taken.',
      implementation: (documents, draws) => pairs(documents, draws, { coin: (uniform) => uniform >= 0.5 }),
    },
    {
      id: 'across-documents',
      diagnosis:
        'The last sentence of a document is paired with the first of the next document. They do not follow each other: pairs end where the document ends.',
      implementation: (documents, draws) => {
        const all = documents.flatMap((document, own) => document.map((sentence) => ({ own, sentence })));
        return all.slice(0, -1).map(({ own, sentence: first }, k) => {
          if ((draws.coin[k] ?? 0) < 0.5) return { first, second: all[k + 1]?.sentence ?? '', label: 0 };
          const others = documents.filter((_, index) => index !== own);
          return {
            first,
            second: at(at(others, draws.document[k]) ?? [], draws.sentence[k]) ?? '',
            label: 1,
          };
        });
      },
    },
    {
      id: 'only-positives',
      diagnosis: 'Every pair is a true one. Half of them must be random, or there is nothing to tell apart.',
      implementation: (documents, draws) => pairs(documents, draws, { coin: () => true }),
    },
  ],
  cases: [
    { name: 'three documents', visibility: 'public', inputs: (draw) => inputs(draw, [4, 3, 5]) },
    {
      name: 'five documents',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, [5, 2, 6, 3, 4]),
    },
    { name: 'a document of one sentence', visibility: 'hidden', inputs: (draw) => inputs(draw, [6, 1, 5]) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Take the true pairs first: which sentences have a next one? Then decide for each whether to keep its next sentence.',
    'k counts the pairs in reading order. coin[k] < 0.5: {first: s[i], second: s[i+1], label: 0}. Else: others = the documents without this one; d = others[⌊document[k]·others.length⌋]; second = d[⌊sentence[k]·d.length⌋]; label 1.',
    'Devlin et al., 2019, "BERT", section 3.1, task 2: 50% of the time B is the actual next sentence (IsNext), 50% it is a random sentence from the corpus (NotNext).',
  ],
});
