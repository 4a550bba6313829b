import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

/** Probabilities of the guesses, whether each was right, number of bins. */
type Args = [number[], boolean[], number];

interface Bin {
  count: number;
  confidence: number;
  accuracy: number;
}

/** Guesses of which about half are more confident than right; one is certain, and the last bin but one is empty. */
function inputs(draw: Draw, count: number, bins: number): Args {
  const confidences = Array.from({ length: count }, () => {
    const bin = draw.rng.integer(bins - 1);
    const place = bin === bins - 2 ? bins - 1 : bin;
    return (place + 0.05 + 0.9 * draw.rng.next()) / bins;
  });
  confidences[1] = 1;
  return [confidences, confidences.map((c) => draw.rng.next() < c ** 2), bins];
}

interface Rules {
  place?: (confidence: number, bins: number) => number;
  confidence?: (mean: number, bin: number, bins: number) => number;
  gap?: (bin: Bin) => number;
  weight?: (count: number, all: number, bins: number) => number;
}

const inBins: NonNullable<Rules['place']> = (c, bins) => Math.min(bins - 1, Math.floor(c * bins));

/** Measuring by the rules given: what the mutants vary. */
function calibrate([confidences, right, count]: Args, rules: Rules = {}): { bins: Bin[]; error: number } {
  const { place = inBins, confidence = (mean) => mean } = rules;
  const { gap = (bin) => Math.abs(bin.accuracy - bin.confidence), weight = (n, all) => n / all } = rules;
  const bins = Array.from({ length: count }, (_, b) => {
    const members = [...confidences.keys()].filter((i) => place(confidences[i] ?? 0, count) === b);
    const n = members.length;
    const mean = (value: (i: number) => number): number =>
      n === 0 ? 0 : members.reduce((sum, i) => sum + value(i), 0) / n;
    return {
      count: n,
      confidence:
        n === 0
          ? 0
          : confidence(
              mean((i) => confidences[i] ?? 0),
              b,
              count,
            ),
      accuracy: mean((i) => Number(right[i])),
    };
  });
  const error = bins.reduce((sum, bin) => sum + weight(bin.count, confidences.length, count) * gap(bin), 0);
  return { bins, error };
}

export default defineExercise<Args>({
  id: 'capstone/calibration',
  title: 'Does it know how sure it may be?',
  points: 3,
  entry: 'calibrationOf',
  difficulty: 3,
  minutes: 30,
  signature:
    'calibrationOf(confidences: number[], right: boolean[], bins: number): {bins: {count: number; confidence: number; accuracy: number}[]; error: number}',
  parameters: ['confidences', 'right', 'bins'],
  tolerance: {
    absolute: 1e-9,
    relative: 1e-9,
    reason: 'double precision; only the order of a sum may differ',
  },
  reference: (...args) => calibrate(args),
  variants: [
    {
      name: 'one pass with running sums',
      implementation: (confidences, right, count) => {
        const sums = Array.from({ length: count }, () => ({ n: 0, sure: 0, hits: 0 }));
        for (const [i, c] of confidences.entries()) {
          const bin = sums[c === 1 ? count - 1 : Math.trunc(c * count)];
          if (bin === undefined) continue;
          bin.n++;
          bin.sure += c;
          if (right[i]) bin.hits++;
        }
        return {
          bins: sums.map(({ n, sure, hits }) => ({
            count: n,
            confidence: sure / (n || 1),
            accuracy: hits / (n || 1),
          })),
          error: sums.reduce((sum, { sure, hits }) => sum + Math.abs(hits - sure), 0) / confidences.length,
        };
      },
    },
  ],
  mutants: [
    {
      id: 'certainty-lost',
      diagnosis:
        'A confidence of exactly 1 is in no bin: ⌊1 · bins⌋ is one bin too many. The last bin includes its upper end.',
      implementation: (...args) => calibrate(args, { place: (c, bins) => Math.floor(c * bins) }),
    },
    {
      id: 'bins-weigh-alike',
      diagnosis:
        'Every bin counts the same, full or nearly empty. Weigh each gap by its share of the guesses: count / total.',
      implementation: (...args) => calibrate(args, { weight: (_, __, bins) => 1 / bins }),
    },
    {
      id: 'gaps-cancel',
      diagnosis:
        'Gaps of opposite sign cancel: too sure here, not sure enough there. Take the absolute value of each gap.',
      implementation: (...args) =>
        calibrate(args, { gap: ({ accuracy, confidence }) => accuracy - confidence }),
    },
    {
      id: 'gaps-squared',
      diagnosis: 'The gaps are squared. The expected calibration error takes their absolute value.',
      implementation: (...args) =>
        calibrate(args, { gap: ({ accuracy, confidence }) => (accuracy - confidence) ** 2 }),
    },
    {
      id: 'middle-of-the-bin',
      diagnosis:
        'The confidence of a bin is the middle of its range. It is the mean of the confidences that fell into it.',
      implementation: (...args) => calibrate(args, { confidence: (_, bin, bins) => (bin + 0.5) / bins }),
    },
    {
      id: 'rounded-to-bins',
      diagnosis:
        'Confidences are rounded to the nearest bin. Bin b holds those from b / bins up to, but without, (b + 1) / bins: round down.',
      implementation: (...args) =>
        calibrate(args, { place: (c, bins) => Math.min(bins - 1, Math.round(c * bins)) }),
    },
    {
      id: 'bins-from-one',
      diagnosis:
        'Bins are numbered from 1: everything stands one bin too high. Bin 0 begins at confidence 0.',
      implementation: (...args) =>
        calibrate(args, { place: (c, bins) => Math.min(bins - 1, Math.floor(c * bins) + 1) }),
    },
  ],
  cases: [
    {
      name: 'eight guesses',
      visibility: 'public',
      inputs: () => [
        [0.1, 1, 0.22, 0.3, 0.15, 0.9, 0.28, 0.85],
        [false, true, true, false, true, true, false, false],
        4,
      ],
    },
    { name: 'many guesses', visibility: 'hidden', weight: 2, inputs: (draw) => inputs(draw, 200, 8) },
    { name: 'few guesses', visibility: 'hidden', inputs: (draw) => inputs(draw, 40, 5) },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Sort the guesses by how sure the model was. Among those it was 70% sure of, how many should be right?',
    'For each guess: bin = min(bins − 1, ⌊confidence · bins⌋). For each bin: count, mean confidence, share right (0 where it is empty). error = Σ count / total · |accuracy − confidence|.',
    'ECE = Σ_b (n_b / N)·|acc(b) − conf(b)|. Guo, Pleiss, Sun and Weinberger, 2017, "On calibration of modern neural networks", equation 3.',
  ],
});
