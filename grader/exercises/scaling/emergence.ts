import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Curves {
  exactMatch: number[];
  tokenLoss: number[];
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Models of growing skill; answers of 1 to 9 tokens. [models][questions][tokens] */
function inputs(draw: Draw, models: number, questions: number): [number[][][]] {
  const lengths = Array.from({ length: questions }, (_, q) => 1 + ((q * 3 + draw.rng.integer(3)) % 9));
  return [
    Array.from({ length: models }, (_, model) =>
      lengths.map((length) => Array.from({ length }, () => -(0.02 + (1.5 * draw.rng.next()) / (model + 1)))),
    ),
  ];
}

const curves = (
  models: readonly (readonly (readonly number[])[])[],
  exact: (questions: readonly (readonly number[])[]) => number,
  loss: (questions: readonly (readonly number[])[]) => number = (questions) => -mean(questions.flat()),
): Curves => ({ exactMatch: models.map(exact), tokenLoss: models.map(loss) });

const allRight = (questions: readonly (readonly number[])[]): number =>
  mean(questions.map((tokens) => Math.exp(sum(tokens))));

export default defineExercise<[number[][][]]>({
  id: 'scaling/emergence',
  title: 'Emergence: is the jump in the model or in the metric?',
  points: 2,
  entry: 'emergence',
  difficulty: 2,
  minutes: 20,
  signature:
    'emergence(logProbabilities: number[][][] /* [models][questions][tokens of the answer] */): {exactMatch: number[]; tokenLoss: number[]}',
  parameters: ['logProbabilities'],
  tolerance: { absolute: 1e-12, relative: 1e-9, reason: 'sums and exponentials in double precision' },
  reference: (models) => curves(models, allRight),
  variants: [
    {
      name: 'probabilities multiplied instead of logarithms added',
      implementation: (models) =>
        curves(models, (questions) =>
          mean(questions.map((tokens) => tokens.reduce((product, one) => product * Math.exp(one), 1))),
        ),
    },
  ],
  mutants: [
    {
      id: 'averaged-before-the-exponential',
      diagnosis:
        'The logarithms are averaged over the questions before the exponential. Each question has its own probability, exp of its sum; average those.',
      implementation: (models) => curves(models, (questions) => Math.exp(mean(questions.map(sum)))),
    },
    {
      id: 'token-probability',
      diagnosis:
        'This is the mean probability of a token. An exact match needs all tokens of an answer: add their logarithms first.',
      implementation: (models) =>
        curves(models, (questions) => mean(questions.flat().map((one) => Math.exp(one)))),
    },
    {
      id: 'mean-over-the-tokens',
      diagnosis:
        'The logarithms of an answer are averaged. The probability that all are right is exp of their sum.',
      implementation: (models) =>
        curves(models, (questions) => mean(questions.map((tokens) => Math.exp(mean(tokens))))),
    },
    {
      id: 'loss-by-question-first',
      diagnosis:
        'The loss is averaged within each question first, so that tokens of short answers weigh more. Every token counts the same.',
      implementation: (models) => curves(models, allRight, (questions) => -mean(questions.map(mean))),
    },
    {
      id: 'loss-summed-by-answer',
      diagnosis: 'The loss is summed over the tokens of an answer. It is a mean over all tokens.',
      implementation: (models) => curves(models, allRight, (questions) => -mean(questions.map(sum))),
    },
    {
      id: 'loss-sign',
      diagnosis: 'The loss is negative. It is minus the mean of the log-probabilities.',
      implementation: (models) => curves(models, allRight, (questions) => mean(questions.flat())),
    },
  ],
  cases: [
    { name: 'four models, ten questions', visibility: 'public', inputs: (draw) => inputs(draw, 4, 10) },
    { name: 'other sizes', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 7, 23) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'An answer of five tokens is right only if all five are. What is the probability of that, given the logarithms?',
    'For each model: exactMatch = mean over questions of exp(sum over tokens); tokenLoss = −mean over all tokens of all questions.',
    'P(exact) = Πₜ pₜ = exp(Σₜ log pₜ); loss = −mean log p. Schaeffer, Miranda and Koyejo, 2023, "Are emergent abilities of large language models a mirage?", section 2.',
  ],
});
