/** What the exercises on rotary positions share: a rotation that mutants vary, its mistakes and inputs. */
import * as tf from '@tensorflow/tfjs-core';
import { rotaryTables } from '../../../src/core/index.ts';
import type { Draw } from '../../define.ts';

/** x [B, H, T, d], θ, position of the first token. */
export type RotaryArgs = [tf.Tensor4D, number, number];
export type Layout = 'halves' | 'interleaved';

export const tables = (x: tf.Tensor4D, theta: number, start: number) =>
  rotaryTables(
    { theta, headWidth: x.shape[3], maxPositions: 64, scaling: { type: 'default' } },
    { start, count: x.shape[2] },
  );

interface Rules {
  theta?: number;
  start?: number;
  /** 1 turns forward, −1 back. */
  direction?: 1 | -1;
  frequency?: (pair: number, width: number, theta: number) => number;
  layout?: Layout;
  /** Writes the pairs in the other layout. */
  written?: Layout;
  /** Counts positions by the batch row or the head instead of the token. */
  byHead?: boolean;
}

const usual = (pair: number, width: number, base: number): number => base ** ((-2 * pair) / width);

/** The rotation as a product with a matrix that gathers partners: another way than the library's. */
export function rotate([x, theta, start]: RotaryArgs, right: Layout, rules: Rules = {}): tf.Tensor4D {
  const { direction = 1, frequency = usual, layout = right, written = layout, byHead = false } = rules;
  const [, heads, length, width] = x.shape;
  const half = width / 2;
  const place = (pair: number, part: 0 | 1, as: Layout): number =>
    as === 'halves' ? pair + part * half : 2 * pair + part;
  return tf.tidy((): tf.Tensor4D => {
    const count = byHead ? heads : length;
    const angle = (position: number, pair: number): number =>
      direction * ((rules.start ?? start) + position) * frequency(pair, width, rules.theta ?? theta);
    const table = (of: (phi: number) => number): tf.Tensor => {
      const values = Array.from({ length: count }, (_, t) =>
        Array.from({ length: half }, (__, pair) => of(angle(t, pair))),
      );
      return tf.reshape(tf.tensor2d(values), byHead ? [1, count, 1, half] : [1, 1, count, half]);
    };
    const pairs = Array.from({ length: half }, (_, pair) => pair);
    const take = (part: 0 | 1): tf.Tensor =>
      tf.gather(
        x,
        tf.tensor1d(
          pairs.map((pair) => place(pair, part, layout)),
          'int32',
        ),
        3,
      );
    const [a, b, cos, sin] = [take(0), take(1), table(Math.cos), table(Math.sin)];
    const both = tf.concat(
      [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))],
      3,
    );
    const order = new Array<number>(width).fill(0);
    for (const pair of pairs) {
      order[place(pair, 0, written)] = pair;
      order[place(pair, 1, written)] = pair + half;
    }
    return tf.gather<tf.Tensor4D>(both.as4D(...x.shape), tf.tensor1d(order, 'int32'), 3);
  });
}

/** The mistakes of either layout. */
export const rotaryMutants = (right: Layout) => {
  const other: Layout = right === 'halves' ? 'interleaved' : 'halves';
  const mutant = (id: string, diagnosis: string, rules: Rules) => ({
    id,
    diagnosis,
    implementation: (...args: RotaryArgs): tf.Tensor => rotate(args, right, rules),
  });
  return [
    mutant(
      'other-pairing',
      right === 'halves'
        ? 'Neighbours 2i and 2i + 1 are paired. Here feature i belongs with feature i + d/2.'
        : 'Feature i is paired with i + d/2. Here neighbours belong together: 2i and 2i + 1.',
      { layout: other },
    ),
    mutant(
      'pairings-mixed',
      'The pairs are read in one layout and written back in the other. Put each of the two numbers back where it came from.',
      { written: other },
    ),
    mutant(
      'offset-lost',
      'The positions are counted from 0. The first token stands at position start: with a cache, tokens came before it.',
      { start: 0 },
    ),
    mutant('theta-fixed', 'θ is fixed at 10000. Use the argument theta: LLaMA 3 has 500000.', {
      theta: 10_000,
    }),
    mutant('turned-back', 'The rotation goes the wrong way: the signs of the two sines are exchanged.', {
      direction: -1,
    }),
    mutant(
      'exponent-halved',
      'The exponent of θ is −i/d. Pair i of d/2 has the exponent −2i/d, so that the exponents reach from 0 almost to −1.',
      { frequency: (pair, width, base) => base ** (-pair / width) },
    ),
    mutant(
      'one-frequency',
      'All pairs turn at the same speed. Pair i turns by θ^(−2i/d) for each position: the first fast, the last slowly.',
      { frequency: () => 1 },
    ),
    mutant(
      'turned-by-head',
      'The angle depends on the head, not on the token. In [B, H, T, d] the position is counted along axis 2.',
      { byHead: true },
    ),
  ];
};

const inputs = (
  draw: Draw,
  shape: [number, number, number, number],
  theta: number,
  start: number,
): RotaryArgs => [draw.normal(shape).as4D(...shape), theta, start];

export const rotaryCases = [
  {
    name: 'θ = 10000, after 3 cached tokens',
    visibility: 'public' as const,
    inputs: (draw: Draw) => inputs(draw, [2, 3, 5, 6], 10_000, 3),
  },
  {
    name: 'θ = 500000, from the beginning',
    visibility: 'public' as const,
    inputs: (draw: Draw) => inputs(draw, [1, 2, 6, 8], 500_000, 0),
  },
  {
    name: 'another θ, with a cache',
    visibility: 'hidden' as const,
    weight: 2,
    inputs: (draw: Draw) => inputs(draw, [2, 4, 3, 10], 70 + draw.rng.integer(50), 5 + draw.rng.integer(9)),
  },
];

export const ROTARY_TOLERANCE = {
  absolute: 2e-5,
  relative: 1e-5,
  reason: 'angles up to about 20 in float32, then a sine',
};
