import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number[], number];

interface Rules {
  limit?: (mean: number) => number;
  /** what a product begins with once a length is drawn */
  restart?: (product: number) => number;
  /** what is added to each length */
  extra?: number;
  /** whether the uniform numbers left over at the end make a length too */
  rest?: boolean;
}

function lengthsFrom([uniforms, mean]: Args, rules: Rules = {}): number[] {
  const { limit = (m) => Math.exp(-m), restart = () => 1, extra = 0, rest = false } = rules;
  const lengths: number[] = [];
  let product = 1;
  let factors = 0;
  for (const uniform of uniforms) {
    product *= uniform;
    factors++;
    if (product > limit(mean)) continue;
    lengths.push(factors - 1 + extra);
    product = restart(product);
    factors = 0;
  }
  if (rest && factors > 0) lengths.push(factors);
  return lengths;
}

/** Uniform numbers that end in the middle of a length. */
function inputs(draw: Draw, count: number, mean: number): Args {
  return [[...Array.from({ length: count }, () => draw.rng.next()), 0, 0.99, 0.98], mean];
}

export default defineExercise<Args>({
  id: 'bart/poisson-lengths',
  title: 'Lengths of spans',
  points: 2,
  entry: 'poissonLengths',
  difficulty: 2,
  minutes: 15,
  signature: 'poissonLengths(uniforms: number[], mean: number): number[]',
  parameters: ['uniforms', 'mean'],
  tolerance: EXACT,
  reference: (...args) => lengthsFrom(args),
  variants: [
    {
      name: 'with sums of logarithms',
      implementation: (uniforms, mean) => {
        const lengths: number[] = [];
        let [sum, count] = [0, 0];
        for (const uniform of uniforms) {
          sum -= Math.log(uniform);
          if (sum < mean) count++;
          else {
            lengths.push(count);
            [sum, count] = [0, 0];
          }
        }
        return lengths;
      },
    },
  ],
  mutants: [
    {
      id: 'last-factor-counted',
      diagnosis:
        'Every length is one too large: the factor that brings the product down to the limit is counted. Then no span has length 0, and the mean is mean + 1.',
      implementation: (...args) => lengthsFrom(args, { extra: 1 }),
    },
    {
      id: 'product-not-restarted',
      diagnosis:
        'After the first length, all are 0: the product goes on from where it ended. It starts again at 1 for each length.',
      implementation: (...args) => lengthsFrom(args, { restart: (product) => product }),
    },
    {
      id: 'limit-without-exponential',
      diagnosis: 'The product is compared with 1/mean. The limit is e to the power of −mean.',
      implementation: (...args) => lengthsFrom(args, { limit: (mean) => 1 / mean }),
    },
    {
      id: 'unfinished-length',
      diagnosis:
        'The numbers left over at the end make a length of their own. It is not finished: the product has not reached the limit, so it is no draw.',
      implementation: (...args) => lengthsFrom(args, { rest: true }),
    },
    {
      id: 'exponential-rounded',
      diagnosis:
        'Each uniform number makes a length, round(−mean·ln u). That is an exponential distribution: its commonest length is 0, that of a Poisson distribution is near the mean.',
      implementation: (uniforms, mean) =>
        uniforms.map((u) => Math.round(-mean * Math.log(Math.max(u, 1e-12)))),
    },
  ],
  cases: [
    { name: 'mean 3, as in BART', visibility: 'public', inputs: (draw) => inputs(draw, 60, 3) },
    {
      name: 'another mean and more numbers',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, 90, 1.5 + draw.rng.next()),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'How many factors go into the product before it is too small? And which of them does not count?',
    'product = 1, count = 0; for each u: product = product · u. Above e^(−mean): count one more. Otherwise: count is a length; product = 1 and count = 0 again.',
    'The smallest k with u₁·u₂·…·u₍k+1₎ ≤ e^(−λ) is Poisson distributed with mean λ. Knuth, 1969, "The art of computer programming", volume 2, section 3.4.1.',
  ],
});
