import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number[][], number[]];

/**
 * Rows of probabilities with zeros in front, between and at the end, and uniform numbers that fall on telling places: 0, the middle
 * of each token's share, and just under the sum.
 */
function inputs(draw: Draw, size: number): Args {
  const row = (): number[] => {
    const weights = Array.from({ length: size }, (_, i) =>
      i === 0 || i === 3 || i === size - 1 ? 0 : 0.2 + draw.rng.next(),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  };
  const rows: number[][] = [];
  const uniforms: number[] = [];
  for (let token = 1; token < size - 1; token++) {
    if (token === 3) continue;
    const probabilities = row();
    const before = probabilities.slice(0, token).reduce((sum, p) => sum + p, 0);
    rows.push(probabilities);
    uniforms.push(before + (0.3 + 0.4 * draw.rng.next()) * (probabilities[token] ?? 0));
  }
  // 0 belongs to the first token that is possible at all; rounding may leave the sum a little under 1.
  rows.push(
    row(),
    row().map((p) => p * 0.9999),
  );
  uniforms.push(0, 0.99995);
  return [rows, uniforms];
}

/** The token at which the running sum passes the uniform number; `order` says in which order tokens come. */
function drawn(
  probabilities: readonly number[],
  uniform: number,
  {
    order = probabilities.map((_, i) => i),
    passed = (sum, u) => u < sum,
    otherwise = probabilities.findLastIndex((p) => p > 0),
  }: { order?: number[]; passed?: (sum: number, u: number) => boolean; otherwise?: number } = {},
): number {
  let sum = 0;
  for (const token of order) {
    sum += probabilities[token] ?? 0;
    if (passed(sum, uniform)) return token;
  }
  return otherwise;
}

const each = (
  [rows, uniforms]: Args,
  choose: (probabilities: readonly number[], uniform: number) => number,
): number[] => rows.map((row, i) => choose(row, uniforms[i] ?? 0));

const argmax = (row: readonly number[]): number => row.indexOf(Math.max(...row));

export default defineExercise<Args>({
  id: 'gpt/sample',
  title: 'Drawing a token',
  points: 2,
  entry: 'sampleTokens',
  difficulty: 2,
  minutes: 15,
  signature:
    'sampleTokens(probabilities: number[][] /* N rows of V */, uniforms: number[] /* N numbers in [0, 1) */): number[]  // N token ids',
  parameters: ['probabilities', 'uniforms'],
  tolerance: EXACT,
  reference: (...args) => each(args, (row, u) => drawn(row, u)),
  variants: [
    {
      name: 'what is left of the uniform number',
      implementation: (...args) =>
        each(args, (row, u) => {
          let left = u;
          let last = 0;
          for (const [token, p] of row.entries()) {
            if (p === 0) continue;
            last = token;
            left -= p;
            if (left < 0) break;
          }
          return last;
        }),
    },
  ],
  mutants: [
    {
      id: 'likeliest',
      diagnosis:
        'The likeliest token is always taken: that is greedy search, not sampling. Use the uniform number: each token must come as often as its probability says.',
      implementation: (...args) => each(args, argmax),
    },
    {
      id: 'not-cumulative',
      diagnosis:
        'The uniform number is compared with single probabilities. Compare it with their running sum: token i owns the part of [0, 1) from p₀ + … + pᵢ₋₁ up to p₀ + … + pᵢ.',
      implementation: (...args) =>
        each(args, (row, u) => {
          const found = row.findIndex((p) => u < p);
          return found === -1 ? row.findLastIndex((p) => p > 0) : found;
        }),
    },
    {
      id: 'one-too-far',
      diagnosis:
        'The token after the right one is returned. Add the probability of a token before you compare, and return that token.',
      implementation: (...args) => each(args, (row, u) => Math.min(row.length - 1, drawn(row, u) + 1)),
    },
    {
      id: 'zero-can-be-drawn',
      diagnosis:
        'A uniform number of exactly 0 draws a token of probability 0. The sum must be more than the uniform number, not as much: u < p₀ + … + pᵢ.',
      implementation: (...args) =>
        each(args, (row, u) => drawn(row, u, { passed: (sum, uniform) => uniform <= sum })),
    },
    {
      id: 'falls-off-the-end',
      diagnosis:
        'Where the probabilities sum to a little less than 1, as rounded numbers do, nothing or an impossible token comes back. Return the last token whose probability is not 0.',
      implementation: (...args) => each(args, (row, u) => drawn(row, u, { otherwise: row.length - 1 })),
    },
    {
      id: 'rank-not-token',
      diagnosis:
        'The tokens are taken in the order of their probability, so other uniform numbers draw them. Go through them in the order of their ids.',
      implementation: (...args) =>
        each(args, (row, u) =>
          drawn(row, u, { order: row.map((_, i) => i).sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)) }),
        ),
    },
    {
      id: 'one-uniform-for-all',
      diagnosis:
        'All rows are drawn with the first uniform number. Row i has a number of its own: uniforms[i].',
      implementation: (rows, uniforms) => rows.map((row) => drawn(row, uniforms[0] ?? 0)),
    },
  ],
  cases: [
    { name: 'seven tokens', visibility: 'public', inputs: (draw) => inputs(draw, 7) },
    { name: 'eleven tokens', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 11) },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Lay the probabilities end to end on a line from 0 to 1. In whose part does the uniform number fall?',
    'For each row: sum = 0; for token = 0 … V − 1: sum += p[token]; the first token with u < sum is drawn. If none is, the last one with p > 0.',
    'token = min{i : u < p₀ + … + pᵢ}: the inverse of the cumulative distribution (Devroye, 1986, "Non-uniform random variate generation", chapter III.2).',
  ],
});
