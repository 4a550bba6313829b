import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Model {
  parameters: number;
  layers: number;
  width: number;
  inner: number;
  vocabulary: number;
}

interface Run {
  sequences: number;
  length: number;
}

interface Cost {
  approximate: number;
  exact: number;
}

interface Rules {
  /** passes of the cost of one forward pass: 3 for forward and backward */
  passes?: number;
  /** operations of a multiplication with an addition */
  each?: number;
  attention?: (length: number, width: number) => number;
  head?: boolean;
  factor?: number;
}

/** Both counts by the rules: what the mutants vary. */
function cost(model: Model, { sequences, length }: Run, rules: Rules = {}): Cost {
  const { passes = 3, each = 2, factor = 6, head = true } = rules;
  const { attention = (T: number, D: number) => 2 * T * T * D } = rules;
  const { parameters, layers, width: D, inner: F, vocabulary: V } = model;
  const products = length * (4 * D * D + 2 * D * F); // a layer's matrices, for all tokens of a sequence
  const forward = each * (layers * (products + attention(length, D)) + (head ? length * D * V : 0));
  return { approximate: factor * parameters * sequences * length, exact: passes * sequences * forward };
}

const drawn = (draw: Draw): [Model, Run] => [
  {
    parameters: 10_000 + draw.rng.integer(90_000),
    layers: 2 + draw.rng.integer(5),
    width: 24 + draw.rng.integer(40),
    inner: 100 + draw.rng.integer(90),
    vocabulary: 500 + draw.rng.integer(500),
  },
  // An odd length: with twice the width as length, two of the mistakes would come to the same number.
  { sequences: 5 + draw.rng.integer(50), length: 71 + 2 * draw.rng.integer(30) },
];

export default defineExercise<[Model, Run]>({
  id: 'scaling/training-flops',
  title: 'What does training cost?',
  points: 2,
  entry: 'trainingFlops',
  difficulty: 3,
  minutes: 25,
  signature:
    'trainingFlops(model: {parameters, layers, width, inner, vocabulary: number}, run: {sequences, length: number}): {approximate: number; exact: number}',
  parameters: ['model', 'run'],
  tolerance: { absolute: 0, relative: 1e-12, reason: 'whole numbers beyond 2^53 lose their last digits' },
  reference: (model, run) => cost(model, run),
  variants: [
    {
      name: 'counted by the token',
      implementation: (model, { sequences, length }) => {
        const { layers, width, inner, vocabulary } = model;
        const layer = 8 * width ** 2 + 4 * width * inner + 4 * length * width;
        const tokens = sequences * length;
        return {
          approximate: 6 * model.parameters * tokens,
          exact: 3 * tokens * (layers * layer + 2 * width * vocabulary),
        };
      },
    },
  ],
  mutants: [
    {
      id: 'forward-only',
      diagnosis:
        'Only the forward pass is counted. The backward pass makes two matrix products for each of the forward pass: three times the forward cost in all, and 6·N·D instead of 2·N·D.',
      implementation: (model, run) => cost(model, run, { passes: 1, factor: 2 }),
    },
    {
      id: 'exact-forward-only',
      diagnosis: 'The exact count holds the forward pass only. Training costs three times that.',
      implementation: (model, run) => cost(model, run, { passes: 1 }),
    },
    {
      id: 'backward-counted-once',
      diagnosis:
        'The backward pass is counted like one forward pass. It computes two gradients for each product, of the input and of the weight: twice the forward cost.',
      implementation: (model, run) => cost(model, run, { passes: 2, factor: 4 }),
    },
    {
      id: 'attention-squared-in-the-width',
      diagnosis:
        'The attention term is squared in the width. The scores compare every token with every other: T·T·D, and the same again for the weighted sum.',
      implementation: (model, run) => cost(model, run, { attention: (T, D) => 2 * T * D * D }),
    },
    {
      id: 'attention-scores-forgotten',
      diagnosis:
        'The scores and the weighted sums of the attention are left out: 2 · 2·T²·D operations a layer and sequence.',
      implementation: (model, run) => cost(model, run, { attention: () => 0 }),
    },
    {
      id: 'weighted-sum-forgotten',
      diagnosis:
        'Attention has two products with T²·D multiplications: the scores and the weighted sum of the values. One is missing.',
      implementation: (model, run) => cost(model, run, { attention: (T, D) => T * T * D }),
    },
    {
      id: 'head-forgotten',
      diagnosis: 'The head is left out: each token is compared with all V rows of width D.',
      implementation: (model, run) => cost(model, run, { head: false }),
    },
    {
      id: 'multiplications-only',
      diagnosis:
        'Only multiplications are counted. By custom a multiplication and the addition that follows count as two.',
      implementation: (model, run) => cost(model, run, { each: 1, factor: 3 }),
    },
  ],
  cases: [
    {
      name: 'a small model',
      visibility: 'public',
      inputs: () => [
        { parameters: 5000, layers: 3, width: 8, inner: 20, vocabulary: 50 },
        { sequences: 4, length: 12 },
      ],
    },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: drawn },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Each weight meets each token once in the forward pass. What does that make for one weight and one token, and what does the backward pass add?',
    'Forward, one sequence: L·(T·(4D² + 2DF) + 2·T²·D) + T·D·V multiplications, each with an addition. Then sequences, then forward and backward.',
    'approximate = 6·N·(sequences·T); exact = 3·sequences·2·[L·(T·(4D² + 2DF) + 2T²D) + T·D·V]. Kaplan et al., 2020, "Scaling laws for neural language models", section 2.1 and table 1.',
  ],
});
