import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

/** Milliseconds of the runs, tokens that each wrote, how many runs at the beginning do not count. */
type Args = [number[], number, number];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

function median(values: readonly number[]): number {
  const order = sorted(values);
  const half = order.length / 2;
  const [low = 0, high = 0] = [order[Math.ceil(half) - 1], order[Math.floor(half)]];
  return (low + high) / 2;
}

/** Measuring by the rules given: what the mutants vary. */
function summarise(
  [milliseconds, tokens, warmUp]: Args,
  {
    counted = (all: number[], skipped: number) => all.slice(skipped),
    middle = median,
    order = sorted,
    rank = (n: number) => Math.ceil(0.95 * n) - 1,
    rate = (runs: number[]) => (1000 * tokens * runs.length) / sum(runs),
  } = {},
): { median: number; p95: number; tokensPerSecond: number } {
  const runs = counted(milliseconds, warmUp);
  return {
    median: middle(runs),
    p95: order(runs)[rank(runs.length)] ?? Number.NaN,
    tokensPerSecond: rate(runs),
  };
}

/** Slow runs at first, then times of two and three digits, of which a few are far slower. */
function inputs(draw: Draw, count: number, warmUp: number): Args {
  const runs = Array.from({ length: count }, (_, i) =>
    i < 2 ? 500 + 10 * i + draw.rng.next() : (i % 2 === 0 ? 80 : 102) + 17 * draw.rng.next(),
  );
  const first = Array.from({ length: warmUp }, () => 900 + 300 * draw.rng.next());
  return [[...first, ...runs], 3 + draw.rng.integer(40), warmUp];
}

export default defineExercise<Args>({
  id: 'capstone/timing',
  title: 'Latency and throughput',
  points: 2,
  entry: 'summariseTimes',
  difficulty: 2,
  minutes: 20,
  signature:
    'summariseTimes(milliseconds: number[], tokens: number /* written by each run */, warmUp: number /* runs that do not count */): {median: number /* ms */; p95: number /* ms */; tokensPerSecond: number}',
  parameters: ['milliseconds', 'tokens', 'warmUp'],
  tolerance: {
    absolute: 1e-9,
    relative: 1e-9,
    reason: 'double precision; only the order of a sum may differ',
  },
  reference: (...args) => summarise(args),
  variants: [
    {
      name: 'with a sorted typed array',
      implementation: (milliseconds, tokens, warmUp) => {
        const order = Float64Array.from(milliseconds.slice(warmUp)).sort();
        const n = order.length;
        const at = (i: number): number => order[i] ?? 0;
        return {
          median: n % 2 === 1 ? at((n - 1) / 2) : 0.5 * at(n / 2) + 0.5 * at(n / 2 - 1),
          p95: at(order.findIndex((_, i) => (i + 1) / n >= 0.95 - 1e-12)),
          tokensPerSecond: tokens / (order.reduce((total, ms) => total + ms / 1000, 0) / n),
        };
      },
    },
  ],
  mutants: [
    {
      id: 'warm-up-counted',
      diagnosis:
        'The first runs are counted. They compile and allocate, and say nothing about the runs after them: leave out the first warmUp.',
      implementation: (...args) => summarise(args, { counted: (all) => all }),
    },
    {
      id: 'sorted-as-text',
      diagnosis:
        'The times are sorted as text: 102 comes before 80. sort() without a comparison does that; write sort((a, b) => a - b).',
      implementation: (...args) =>
        summarise(args, {
          order: (values) => [...values].sort(),
          middle: (values) => {
            const order = [...values].sort();
            const half = order.length / 2;
            return ((order[Math.ceil(half) - 1] ?? 0) + (order[Math.floor(half)] ?? 0)) / 2;
          },
        }),
    },
    {
      id: 'mean-for-median',
      diagnosis:
        'The median is the mean. One slow run moves a mean far; half of the runs are faster than the median, half slower.',
      implementation: (...args) => summarise(args, { middle: (values) => sum(values) / values.length }),
    },
    {
      id: 'upper-of-the-middle',
      diagnosis: 'With an even number of runs the median is the mean of the two in the middle.',
      implementation: (...args) =>
        summarise(args, { middle: (values) => sorted(values)[Math.floor(values.length / 2)] ?? 0 }),
    },
    {
      id: 'p95-is-the-slowest',
      diagnosis:
        'p95 is the slowest run. It is the smallest time within which 95% of the runs ended: place ⌈0.95·n⌉, counted from 1.',
      implementation: (...args) => summarise(args, { rank: (n) => n - 1 }),
    },
    {
      id: 'p95-one-early',
      diagnosis:
        'p95 is one place too early: fewer than 95% of the runs were that fast. Place ⌈0.95·n⌉ counted from 1 is ⌈0.95·n⌉ − 1 counted from 0.',
      implementation: (...args) => summarise(args, { rank: (n) => Math.ceil(0.95 * n) - 2 }),
    },
    {
      id: 'mean-of-rates',
      diagnosis:
        'The rates of the runs are averaged, which gives fast runs too much weight. Divide all tokens by all the time.',
      implementation: (...args) =>
        summarise(args, {
          rate: (runs) => sum(runs.map((ms) => (1000 * args[1]) / ms)) / runs.length,
        }),
    },
    {
      id: 'per-millisecond',
      diagnosis: 'The rate is in tokens per millisecond. A second has 1000 of them.',
      implementation: (...args) => {
        const right = summarise(args);
        return { ...right, tokensPerSecond: right.tokensPerSecond / 1000 };
      },
    },
  ],
  cases: [
    {
      name: 'six runs after two of warm-up',
      visibility: 'public',
      inputs: () => [[950, 430, 95, 102, 88, 240, 110, 97], 20, 2],
    },
    {
      name: 'an even number of runs',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => inputs(draw, 40, 3),
    },
    { name: 'an odd number of runs', visibility: 'hidden', inputs: (draw) => inputs(draw, 31, 1) },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Which runs count? And which of the three figures needs the runs in order?',
    'runs = all but the first warmUp; sorted by number; median = the middle one, or the mean of the middle two; p95 = sorted[⌈0.95·n⌉ − 1]; tokensPerSecond = 1000 · tokens · n / sum of the runs.',
    'Nearest rank: the p-th percentile is the value at place ⌈p·n⌉ of the sorted list (Hyndman and Fan, 1996, "Sample quantiles in statistical packages", definition 1).',
  ],
});
