import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Law {
  exponent: number;
  constant: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Slope and intercept of the straight line nearest to the points by least squares. */
function line(x: readonly number[], y: readonly number[]): { slope: number; intercept: number } {
  const [mx, my] = [mean(x), mean(y)];
  const covariance = mean(x.map((one, i) => (one - mx) * ((y[i] ?? 0) - my)));
  const slope = covariance / mean(x.map((one) => (one - mx) ** 2));
  return { slope, intercept: my - slope * mx };
}

type Log = (value: number) => number;

function fit(x: readonly number[], y: readonly number[], logX: Log = Math.log, logY: Log = Math.log): Law {
  const { slope, intercept } = line(x.map(logX), y.map(logY));
  return { exponent: slope, constant: Math.exp(intercept) };
}

/** Points near a falling power law, over several powers of ten. */
function inputs(draw: Draw, count: number, noise: number): [number[], number[]] {
  const exponent = -(0.05 + 0.3 * draw.rng.next());
  const constant = 3 + 9 * draw.rng.next();
  const x = Array.from({ length: count }, (_, i) =>
    Math.round(10 ** (3 + (4 * i) / count + 0.3 * draw.rng.next())),
  );
  return [x, x.map((one) => constant * one ** exponent * Math.exp(noise * draw.rng.normal()))];
}

export default defineExercise<[number[], number[]]>({
  id: 'scaling/power-law',
  title: 'Fit a power law',
  points: 2,
  entry: 'powerLaw',
  difficulty: 2,
  minutes: 20,
  signature:
    'powerLaw(x: number[], y: number[]): {exponent: number; constant: number}  // y ≈ constant · x^exponent',
  parameters: ['x', 'y'],
  tolerance: { absolute: 1e-9, relative: 1e-7, reason: 'double precision; sums in another order' },
  reference: (x, y) => fit(x, y),
  variants: [
    {
      name: 'base 10 throughout',
      implementation: (x, y) => {
        const { slope, intercept } = line(x.map(Math.log10), y.map(Math.log10));
        return { exponent: slope, constant: 10 ** intercept };
      },
    },
  ],
  mutants: [
    {
      id: 'linear-space',
      diagnosis:
        'A straight line is fitted to the numbers themselves. A power law is straight in their logarithms: ln y = ln c + k·ln x.',
      implementation: (x, y) => {
        const { slope, intercept } = line(x, y);
        return { exponent: slope, constant: intercept };
      },
    },
    {
      id: 'logarithms-mixed',
      diagnosis:
        'Natural and base-10 logarithms are mixed: the exponent is wrong by the factor 2.303. Use one kind for both.',
      implementation: (x, y) => fit(x, y, Math.log10, Math.log),
    },
    {
      id: 'base-ten-undone-with-e',
      diagnosis:
        'The logarithms have base 10, but the intercept is undone with exp. Use 10 ** intercept, or natural logarithms throughout.',
      implementation: (x, y) => fit(x, y, Math.log10, Math.log10),
    },
    {
      id: 'intercept-not-exponentiated',
      diagnosis: 'The constant is still a logarithm. The intercept is ln c: c = exp(intercept).',
      implementation: (x, y) => {
        const { slope, intercept } = line(x.map(Math.log), y.map(Math.log));
        return { exponent: slope, constant: intercept };
      },
    },
    {
      id: 'exponential-law',
      diagnosis:
        'Only y is taken as a logarithm: that fits an exponential c·e^(k·x). Take the logarithm of x too.',
      implementation: (x, y) => fit(x, y, (one) => one, Math.log),
    },
    {
      id: 'ends-only',
      diagnosis: 'Only the first and the last point are used. Least squares uses all of them.',
      implementation: (x, y) => fit([x[0] ?? 1, x.at(-1) ?? 1], [y[0] ?? 1, y.at(-1) ?? 1]),
    },
    {
      id: 'sign-dropped',
      diagnosis:
        'The exponent has lost its sign. It is the slope on logarithmic axes, negative where y falls.',
      implementation: (x, y) => {
        const { exponent, constant } = fit(x, y);
        return { exponent: -exponent, constant };
      },
    },
  ],
  cases: [
    { name: 'seven noisy points', visibility: 'public', inputs: (draw) => inputs(draw, 7, 0.03) },
    { name: 'more noise', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 12, 0.1) },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'What does y = c·xᵏ become when you take the logarithm of both sides?',
    'u = ln x and v = ln y, arrays of n. Means ū, v̄. slope = Σ(u − ū)(v − v̄) / Σ(u − ū)²; intercept = v̄ − slope·ū.',
    "ln y = ln c + k·ln x: exponent = slope, constant = exp(intercept). The least-squares line is Legendre's (1805); laws of this form: Kaplan et al., 2020, equations 1.1 to 1.3.",
  ],
});
