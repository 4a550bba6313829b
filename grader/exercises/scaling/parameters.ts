import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

/** The sizes of a GPT-2 under the names of its config.json. */
interface Config {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_inner: number;
}

interface Parts {
  tables: number;
  biases: number;
  layerNorms: number;
  finalNorm: number;
  matrices: number;
  positions: number;
  head: number;
}

/** Every kind of parameter by itself: what the mutants leave out or count again. */
function parts({ vocab_size, n_positions, n_embd: D, n_layer: L, n_inner: F }: Config): Parts {
  return {
    tables: vocab_size * D,
    positions: n_positions * D,
    matrices: L * (4 * D * D + 2 * D * F),
    biases: L * (4 * D + F + D),
    layerNorms: L * 4 * D,
    finalNorm: 2 * D,
    head: 0,
  };
}

const total = (config: Config, change: (all: Parts) => Partial<Parts> = () => ({})): number => {
  const all = parts(config);
  return Object.values({ ...all, ...change(all) }).reduce((sum, one) => sum + one, 0);
};

const GPT2: Config = { vocab_size: 50257, n_positions: 1024, n_embd: 768, n_layer: 12, n_inner: 3072 };

/** Sizes without a common factor, F not 4·D. */
const drawn = (draw: Draw): Config => ({
  vocab_size: 500 + draw.rng.integer(500),
  n_positions: 40 + draw.rng.integer(60),
  n_embd: 24 + draw.rng.integer(40),
  n_layer: 2 + draw.rng.integer(6),
  n_inner: 100 + draw.rng.integer(90),
});

export default defineExercise<[Config]>({
  id: 'scaling/parameters',
  title: 'Count the parameters of a decoder',
  points: 2,
  entry: 'parameterCount',
  difficulty: 2,
  minutes: 20,
  signature: 'parameterCount(config: {vocab_size, n_positions, n_embd, n_layer, n_inner: number}): number',
  parameters: ['config'],
  tolerance: EXACT,
  reference: (config) => total(config),
  variants: [
    {
      name: 'matrix by matrix',
      implementation: ({ vocab_size: V, n_positions: P, n_embd: D, n_layer: L, n_inner: F }) => {
        const linear = (from: number, to: number): number => from * to + to;
        const norm = 2 * D;
        const layer = norm + linear(D, 3 * D) + linear(D, D) + norm + linear(D, F) + linear(F, D);
        return V * D + P * D + L * layer + norm;
      },
    },
  ],
  mutants: [
    {
      id: 'tied-head-counted-twice',
      diagnosis:
        'The head is counted beside the token table. In GPT-2 they are one and the same matrix: count it once.',
      implementation: (config) => total(config, ({ tables }) => ({ head: tables })),
    },
    {
      id: 'biases-forgotten',
      diagnosis: 'The biases are left out. Each linear layer in → out has in · out weights and out biases.',
      implementation: (config) => total(config, () => ({ biases: 0 })),
    },
    {
      id: 'final-norm-forgotten',
      diagnosis: 'The norm after the last layer is left out: another D gains and D shifts.',
      implementation: (config) => total(config, () => ({ finalNorm: 0 })),
    },
    {
      id: 'norms-forgotten',
      diagnosis:
        'The norms are left out. Each layer has two, and one more follows the last; each has D gains and D shifts.',
      implementation: (config) => total(config, () => ({ layerNorms: 0, finalNorm: 0 })),
    },
    {
      id: 'norm-shifts-forgotten',
      diagnosis: 'The norms are counted with their gains only. A layer norm has D gains and D shifts.',
      implementation: (config) =>
        total(config, ({ layerNorms, finalNorm }) => ({
          layerNorms: layerNorms / 2,
          finalNorm: finalNorm / 2,
        })),
    },
    {
      id: 'positions-forgotten',
      diagnosis: 'The table of positions is left out: n_positions rows of width n_embd.',
      implementation: (config) => total(config, () => ({ positions: 0 })),
    },
    {
      id: 'twelve-d-squared',
      diagnosis: 'The layers are counted as 12·D², which holds only where n_inner = 4·n_embd. Use n_inner.',
      implementation: (config) => total({ ...config, n_inner: 4 * config.n_embd }),
    },
    {
      id: 'attention-output-forgotten',
      diagnosis:
        'The attention has four square matrices: query, key, value and output. One of them is missing.',
      implementation: (config) =>
        total(config, ({ matrices }) => ({ matrices: matrices - config.n_layer * config.n_embd ** 2 })),
    },
  ],
  cases: [
    {
      name: 'a small one',
      visibility: 'public',
      inputs: () => [{ vocab_size: 50, n_positions: 16, n_embd: 8, n_layer: 3, n_inner: 20 }],
    },
    { name: 'GPT-2 small', visibility: 'public', inputs: () => [{ ...GPT2, n_inner: 3072 }] },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => [drawn(draw)] },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Walk through the model from the bottom up and write down each table, matrix, bias and norm. Which one is used twice?',
    'Tables V·D and P·D; a layer: two norms of 2·D, attention 4·(D² + D), feed-forward D·F + F and F·D + D; a final norm of 2·D; the head is the token table.',
    'N = V·D + P·D + L·(4·D² + 2·D·F + 9·D + F) + 2·D. For GPT-2 small 124,439,808 (Radford et al., 2019, table 2, rounds it).',
  ],
});
