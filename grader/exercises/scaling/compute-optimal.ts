import { allocateCompute, type LossLaw } from '../../../src/scaling/index.ts';
import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Split {
  parameters: number;
  tokens: number;
}

const CHINCHILLA: LossLaw = { E: 1.69, A: 406.4, B: 410.7, alpha: 0.34, beta: 0.28 };

/** The closed form for C = factor·N·D, with what the mutants exchange as arguments. */
function split(flops: number, law: LossLaw, factor = 6): Split {
  const { A, B, alpha, beta } = law;
  const G = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  const budget = flops / factor;
  return {
    parameters: G * budget ** (beta / (alpha + beta)),
    tokens: budget ** (alpha / (alpha + beta)) / G,
  };
}

const drawn = (draw: Draw): [number, LossLaw] => [
  10 ** (18 + 6 * draw.rng.next()),
  {
    E: 1 + draw.rng.next(),
    A: 200 + 400 * draw.rng.next(),
    B: 700 + 900 * draw.rng.next(),
    alpha: 0.3 + 0.05 * draw.rng.next(),
    beta: 0.4 + 0.1 * draw.rng.next(),
  },
];

export default defineExercise<[number, LossLaw]>({
  id: 'scaling/compute-optimal',
  title: 'Spend a budget well',
  points: 2,
  entry: 'computeOptimal',
  difficulty: 3,
  minutes: 25,
  signature:
    'computeOptimal(flops: number, law: {E, A, B, alpha, beta: number}): {parameters: number; tokens: number}',
  parameters: ['flops', 'law'],
  tolerance: { absolute: 0, relative: 1e-9, reason: 'closed form in double precision' },
  reference: (flops, law) => {
    const { parameters, tokens } = allocateCompute(flops, law);
    return { parameters, tokens };
  },
  variants: [
    {
      name: 'parameters from the closed form, tokens from the budget',
      implementation: (flops, law) => {
        const { parameters } = split(flops, law);
        return { parameters, tokens: flops / (6 * parameters) };
      },
    },
  ],
  mutants: [
    {
      id: 'alpha-and-beta-swapped',
      diagnosis: 'α and β are exchanged in the exponents: N grows as C^(β/(α+β)) and D as C^(α/(α+β)).',
      implementation: (flops, law) => {
        const { A, B, alpha, beta } = law;
        const G = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
        const budget = flops / 6;
        return {
          parameters: G * budget ** (alpha / (alpha + beta)),
          tokens: budget ** (beta / (alpha + beta)) / G,
        };
      },
    },
    {
      id: 'six-forgotten',
      diagnosis: 'The 6 of C = 6·N·D is forgotten: the budget for N·D is C/6.',
      implementation: (flops, law) => split(flops, law, 1),
    },
    {
      id: 'six-forgotten-for-tokens',
      diagnosis: 'The tokens are C/N. They are C/(6·N).',
      implementation: (flops, law) => {
        const { parameters } = split(flops, law);
        return { parameters, tokens: flops / parameters };
      },
    },
    {
      id: 'equal-split',
      diagnosis:
        'N and D are made equal. Their best ratio follows from A, B, α and β: set the derivative of the loss to 0.',
      implementation: (flops) => ({ parameters: Math.sqrt(flops / 6), tokens: Math.sqrt(flops / 6) }),
    },
    {
      id: 'a-and-b-swapped',
      diagnosis: 'A and B are exchanged: A belongs to the parameters, B to the tokens.',
      implementation: (flops, law) => split(flops, { ...law, A: law.B, B: law.A }),
    },
    {
      id: 'exponents-not-in-g',
      diagnosis:
        'G lacks the factors α and β: they come down when the powers are differentiated. G = (αA/(βB))^(1/(α+β)).',
      implementation: (flops, law) => split(flops, { ...law, A: law.A / law.alpha, B: law.B / law.beta }),
    },
    {
      id: 'g-inverted',
      diagnosis: 'G is upside down: N = G·…, D = …/G with G = (αA/(βB))^(1/(α+β)).',
      implementation: (flops, law) => {
        const { A, B, alpha, beta } = law;
        const G = ((beta * B) / (alpha * A)) ** (1 / (alpha + beta));
        const budget = flops / 6;
        return {
          parameters: G * budget ** (beta / (alpha + beta)),
          tokens: budget ** (alpha / (alpha + beta)) / G,
        };
      },
    },
  ],
  cases: [
    { name: "Chinchilla's budget and law", visibility: 'public', inputs: () => [5.76e23, { ...CHINCHILLA }] },
    { name: 'another law', visibility: 'hidden', weight: 2, inputs: drawn },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'The budget ties D to N. Put D = C/(6·N) into the loss: now it depends on N alone. Where is its derivative 0?',
    'L(N) = E + A·N^(−α) + B·(C/6)^(−β)·N^β; derivative 0: α·A·N^(−α) = β·B·(C/6)^(−β)·N^β; solve for N; then D = C/(6·N).',
    'N = G·(C/6)^(β/(α+β)), D = (C/6)^(α/(α+β))/G, G = (αA/(βB))^(1/(α+β)). Hoffmann et al., 2022, "Training compute-optimal large language models", section 3.3, equation 4.',
  ],
});
