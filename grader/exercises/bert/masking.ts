import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

/** One number in [0, 1) for every position, and a token to put there: the exercise's whole randomness. */
interface Draws {
  choose: number[];
  fate: number[];
  token: number[];
}

interface Masked {
  inputIds: number[];
  labels: number[];
}

const IGNORED = -100;

/** Masks by the rules given: what the mutants vary. */
function mask(
  ids: readonly number[],
  special: readonly number[],
  draws: Draws,
  maskId: number,
  rules: {
    eligible?: (position: number) => boolean;
    chosen?: (uniform: number) => boolean;
    label?: (fate: number) => boolean;
    replaced?: number;
    randomised?: number;
    ignored?: number;
  } = {},
): Masked {
  const {
    chosen = (u) => u < 0.15,
    label = () => true,
    replaced = 0.8,
    randomised = 0.9,
    ignored = IGNORED,
  } = rules;
  const eligible = rules.eligible ?? ((position: number) => special[position] === 0);
  const inputIds = [...ids];
  const labels = ids.map(() => ignored);
  for (const [i, id] of ids.entries()) {
    if (!eligible(i) || !chosen(draws.choose[i] ?? 1)) continue;
    const fate = draws.fate[i] ?? 1;
    if (label(fate)) labels[i] = id;
    if (fate < replaced) inputIds[i] = maskId;
    else if (fate < randomised) inputIds[i] = draws.token[i] ?? 0;
  }
  return { inputIds, labels };
}

/**
 * A row as the tokenizer makes it: [CLS] … [SEP] … [SEP] [PAD] …. The first positions of every kind are drawn so that each of the
 * three fates comes up, and so that a special token and a padding position would be chosen if they were not left out.
 */
function inputs(
  draw: Draw,
  {
    words,
    padding,
    maskId,
    vocabulary,
  }: { words: number; padding: number; maskId: number; vocabulary: number },
): [number[], number[], Draws, { maskId: number }] {
  const word = (): number => 10 + draw.rng.integer(vocabulary - 10);
  const half = Math.floor(words / 2);
  const row = [
    2,
    ...Array.from({ length: half }, word),
    3,
    ...Array.from({ length: words - half }, word),
    3,
    ...Array.from({ length: padding }, () => 0),
  ];
  const special = row.map((id) => (id < 10 ? 1 : 0));
  const choose = row.map(() => draw.rng.next());
  const fate = row.map(() => draw.rng.next());
  const token = row.map(word);
  const place = (position: number, c: number, f: number): void => {
    choose[position] = c;
    fate[position] = f;
  };
  place(0, 0.01, 0.5); // [CLS]
  place(half + 1, 0.149, 0.3); // [SEP]
  place(row.length - 1, 0.02, 0.1); // [PAD] where there is padding, else [SEP]
  place(1, 0.05 + 0.09 * draw.rng.next(), 0.85); // becomes a random token
  place(2, 0.1, 0.95); // stays
  place(3, 0.14, 0.79); // becomes [MASK]
  place(4, 0.16, 0.4); // not chosen
  place(5, 0.86, 0.7); // chosen only by somebody who compares the wrong way
  return [row, special, { choose, fate, token }, { maskId }];
}

export default defineExercise({
  id: 'bert/masking',
  title: 'Masking: 15%, of these 80/10/10',
  points: 3,
  entry: 'maskTokens',
  difficulty: 3,
  minutes: 25,
  signature:
    'maskTokens(inputIds: number[], specialTokensMask: number[], draws: {choose: number[]; fate: number[]; token: number[]}, config: {maskId: number}): {inputIds: number[]; labels: number[]}',
  parameters: ['inputIds', 'specialTokensMask', 'draws', 'config'],
  tolerance: EXACT,
  reference: (ids: number[], special: number[], draws: Draws, { maskId }: { maskId: number }) =>
    mask(ids, special, draws, maskId),
  variants: [
    {
      name: 'three passes: choose, label, replace',
      implementation: (ids, special, draws, { maskId }) => {
        const chosen = ids.map((_, i) => special[i] !== 1 && (draws.choose[i] ?? 1) < 0.15);
        const kind = draws.fate.map((f) => (f < 0.8 ? 'mask' : f < 0.9 ? 'random' : 'keep'));
        return {
          labels: ids.map((id, i) => (chosen[i] ? id : IGNORED)),
          inputIds: ids.map((id, i) =>
            !chosen[i] || kind[i] === 'keep' ? id : kind[i] === 'mask' ? maskId : (draws.token[i] ?? 0),
          ),
        };
      },
    },
  ],
  mutants: [
    {
      id: 'special-tokens-masked',
      diagnosis:
        'Special tokens are masked too. Leave out every position whose specialTokensMask is 1: [CLS] and [SEP] hold the sequence together, and predicting them teaches nothing.',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { eligible: (i) => ids[i] !== 0 }),
    },
    {
      id: 'padding-masked',
      diagnosis:
        'Padding is masked too: the model would learn to predict [PAD]. The specialTokensMask is 1 there, as it is for [CLS] and [SEP].',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { eligible: (i) => special[i] === 0 || ids[i] === 0 }),
    },
    {
      id: 'everything-eligible',
      diagnosis:
        'The specialTokensMask is not looked at: [CLS], [SEP] and padding are masked like words. Only positions where it is 0 may be chosen.',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { eligible: () => true }),
    },
    {
      id: 'kept-tokens-unlabelled',
      diagnosis:
        'The 10% that stay as they are get no label. They are chosen all the same and must be predicted: that is what keeps the model honest about tokens it can see.',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { label: (fate) => fate < 0.9 }),
    },
    {
      id: 'only-masked-labelled',
      diagnosis:
        'Only positions that became [MASK] get a label. All chosen positions do, whatever their fate.',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { label: (fate) => fate < 0.8 }),
    },
    {
      id: 'always-mask',
      diagnosis:
        'Every chosen token becomes [MASK]. Only 80% do; 10% become a random token and 10% stay, because [MASK] never occurs when the model is used.',
      implementation: (ids, special, draws, { maskId }) => mask(ids, special, draws, maskId, { replaced: 1 }),
    },
    {
      id: 'random-and-kept-swapped',
      diagnosis:
        'The two tenths are swapped: fate in [0.8, 0.9) becomes the random token, fate in [0.9, 1) stays.',
      implementation: (ids, special, draws, { maskId }) => {
        const swapped = {
          ...draws,
          fate: draws.fate.map((f) => (f < 0.8 ? f : f < 0.9 ? f + 0.1 : f - 0.1)),
        };
        return mask(ids, special, swapped, maskId);
      },
    },
    {
      id: 'label-everywhere',
      diagnosis:
        'Positions that were not chosen have their token as label. They must have −100, or the loss counts every token, most of them in plain sight.',
      implementation: (ids, special, draws, { maskId }) => ({
        inputIds: mask(ids, special, draws, maskId).inputIds,
        labels: [...ids],
      }),
    },
    {
      id: 'labels-after-masking',
      diagnosis:
        'The labels hold the token after it was replaced. A label is the original token: read it before you overwrite it.',
      implementation: (ids, special, draws, { maskId }) => {
        const { inputIds, labels } = mask(ids, special, draws, maskId);
        return {
          inputIds,
          labels: labels.map((label, i) => (label === IGNORED ? IGNORED : (inputIds[i] ?? 0))),
        };
      },
    },
    {
      id: 'zero-for-ignored',
      diagnosis:
        'Positions without a label hold 0, which is a token of the vocabulary. Use −100, the number that the loss leaves out.',
      implementation: (ids, special, draws, { maskId }) => mask(ids, special, draws, maskId, { ignored: 0 }),
    },
    {
      id: 'compared-the-wrong-way',
      diagnosis: 'The 85% are chosen and the 15% left. A position is chosen when choose[i] < 0.15.',
      implementation: (ids, special, draws, { maskId }) =>
        mask(ids, special, draws, maskId, { chosen: (u) => u >= 0.15 }),
    },
  ],
  cases: [
    {
      name: 'one padded row',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { words: 18, padding: 4, maskId: 4, vocabulary: 60 }),
    },
    {
      name: 'a long row and another mask id',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, { words: 120, padding: 17, maskId: 7, vocabulary: 200 }),
    },
    {
      name: 'a short row',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { words: 13, padding: 1, maskId: 5, vocabulary: 40 }),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Two questions for every position: is it chosen, and if so, what happens to it? The label depends on the first alone.',
    'All arrays have length T. Start with a copy of inputIds and T labels of −100. For each i with specialTokensMask[i] = 0 and choose[i] < 0.15: labels[i] = inputIds[i]; then fate[i] < 0.8 → maskId, < 0.9 → token[i], else nothing.',
    'Devlin et al., 2019, "BERT", section 3.1, task 1, and appendix A.1: 15% of the tokens are chosen; of these 80% become [MASK], 10% a random token, 10% stay. −100 is the index that cross entropy leaves out, as in PyTorch.',
  ],
});
