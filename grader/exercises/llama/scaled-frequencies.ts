import { rotaryFrequencies } from '../../../src/core/index.ts';
import { defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Scaling {
  factor: number;
  low_freq_factor: number;
  high_freq_factor: number;
  original_max_position_embeddings: number;
}
type Args = [number, number, Scaling];

/** f changed by `change`, for every pair; `turns` are those within the length of training. */
const each = (
  [width, theta]: readonly [number, number],
  change: (frequency: number, wavelength: number) => number,
): number[] =>
  Array.from({ length: width / 2 }, (_, pair) => {
    const frequency = theta ** ((-2 * pair) / width);
    return change(frequency, (2 * Math.PI) / frequency);
  });

/** The rule with its three parts. */
const rule =
  (
    s: Scaling,
    {
      ramp = (kept: number) => kept,
      short = (f: number) => f,
      long = (f: number) => f / s.factor,
      period = 1,
    } = {},
  ) =>
  (frequency: number, wavelength: number): number => {
    const turns = s.original_max_position_embeddings / (wavelength * period);
    if (turns > s.high_freq_factor) return short(frequency);
    if (turns < s.low_freq_factor) return long(frequency);
    const kept = ramp((turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor));
    return kept * frequency + (1 - kept) * (frequency / s.factor);
  };

export default defineExercise<Args>({
  id: 'llama/scaled-frequencies',
  title: 'Rotary frequencies of LLaMA 3',
  points: 3,
  entry: 'scaledFrequencies',
  difficulty: 3,
  minutes: 25,
  signature:
    'scaledFrequencies(headWidth: number /* d */, theta: number, scaling: {factor; low_freq_factor; high_freq_factor; original_max_position_embeddings: number}): number[] /* d/2 */',
  parameters: ['headWidth', 'theta', 'scaling'],
  tolerance: { absolute: 1e-12, relative: 1e-5, reason: 'the library keeps frequencies in float32' },
  reference: (headWidth, theta, s) =>
    Array.from(
      rotaryFrequencies(
        {
          theta,
          headWidth,
          maxPositions: s.original_max_position_embeddings,
          scaling: {
            type: 'llama3',
            factor: s.factor,
            lowFrequencyFactor: s.low_freq_factor,
            highFrequencyFactor: s.high_freq_factor,
            originalMaxPositions: s.original_max_position_embeddings,
          },
        },
        1,
      ),
    ),
  variants: [
    {
      name: 'a ramp held between 0 and 1',
      implementation: (width, theta, s) =>
        each([width, theta], (frequency, wavelength) => {
          const turns = s.original_max_position_embeddings / wavelength;
          const ramp = (turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
          const kept = Math.min(1, Math.max(0, ramp));
          return frequency * (kept + (1 - kept) / s.factor);
        }),
    },
  ],
  mutants: [
    {
      id: 'ramp-inverted',
      diagnosis:
        'The ramp is inverted. Close to high_freq_factor a frequency is almost kept, close to low_freq_factor it is almost divided by the factor.',
      implementation: (width, theta, s) => each([width, theta], rule(s, { ramp: (kept) => 1 - kept })),
    },
    {
      id: 'no-ramp',
      diagnosis: 'Frequencies between the two bounds are kept. Mix f and f/factor there.',
      implementation: (width, theta, s) => each([width, theta], rule(s, { ramp: () => 1 })),
    },
    {
      id: 'ends-swapped',
      diagnosis: 'The short wavelengths are stretched and the long ones kept. It is the other way round.',
      implementation: (width, theta, s) =>
        each([width, theta], rule(s, { short: (f) => f / s.factor, long: (f) => f })),
    },
    {
      id: 'all-divided',
      diagnosis: 'All frequencies are divided by the factor. Short wavelengths stay as they are.',
      implementation: (width, theta, s) => each([width, theta], (frequency) => frequency / s.factor),
    },
    {
      id: 'not-scaled',
      diagnosis: 'The frequencies are not scaled. Those with long wavelengths are divided by the factor.',
      implementation: (width, theta) => each([width, theta], (frequency) => frequency),
    },
    {
      id: 'multiplied',
      diagnosis:
        'Long wavelengths are made shorter: their frequency is multiplied by the factor. Divide by it.',
      implementation: (width, theta, s) => each([width, theta], rule(s, { long: (f) => f * s.factor })),
    },
    {
      id: 'two-pi-forgotten',
      diagnosis: 'The wavelength is taken as 1/f. A full turn is 2π, so it is 2π/f.',
      implementation: (width, theta, s) => each([width, theta], rule(s, { period: 1 / (2 * Math.PI) })),
    },
    {
      id: 'theta-fixed',
      diagnosis: 'θ is fixed at 10000. Use the argument theta.',
      implementation: (width, _, s) => each([width, 10_000], rule(s)),
    },
  ],
  cases: [
    {
      name: 'a small head',
      visibility: 'public',
      inputs: () => [
        32,
        20_000,
        { factor: 4, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 512 },
      ],
    },
    {
      name: 'LLaMA 3.1',
      visibility: 'public',
      inputs: () => [
        128,
        500_000,
        { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 },
      ],
    },
    {
      name: 'other bounds',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) => [
        48,
        3000 + draw.rng.integer(4000),
        { factor: 6, low_freq_factor: 2, high_freq_factor: 9, original_max_position_embeddings: 1024 },
      ],
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'How many full turns does a pair make within the length of training? Those with many have seen every angle; those with less than one have not.',
    'For each pair i: f = θ^(−2i/d), wavelength = 2π/f, turns = original length / wavelength. More than high: f. Less than low: f/factor. Between: a mix.',
    'kept = (turns − low)/(high − low); f′ = kept·f + (1 − kept)·f/factor. Grattafiori et al., 2024, "The Llama 3 herd of models", for θ; the rule is that of the released code of LLaMA 3.1.',
  ],
});
