/** Figures that say how good predictions are. All take plain numbers; labels of −100 do not count. */

import { IGNORED } from '../core/losses.ts';
import { InputError } from '../errors.ts';

/** The share of predictions that equal their label. NaN where there is no label. */
export function accuracy(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  const pairs = counted(predictions, labels, 'accuracy');
  return pairs.filter(([prediction, label]) => prediction === label).length / pairs.length;
}

export interface F1Options {
  /**
   * `binary` (default): of the class `positive`. `macro`: the plain mean over all classes that occur. `micro`: from the
   * counts of all classes together.
   */
  average?: 'binary' | 'macro' | 'micro';
  /** The class that counts as found. Default 1. */
  positive?: number;
}

/**
 * F1, the harmonic mean of precision and recall: 2·TP / (2·TP + FP + FN), and 0 where a class neither occurs nor is
 * predicted (van Rijsbergen, 1979, ch. 7).
 */
export function f1Score(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: F1Options = {},
): number {
  const { average = 'binary', positive = 1 } = options;
  const pairs = counted(predictions, labels, 'f1Score');
  const counts = (of: number): { hits: number; misses: number } => {
    const involved = pairs.filter(([prediction, label]) => prediction === of || label === of);
    const hits = involved.filter(([prediction, label]) => prediction === label).length;
    return { hits, misses: involved.length - hits };
  };
  const f1 = ({ hits, misses }: { hits: number; misses: number }): number =>
    hits + misses === 0 ? 0 : (2 * hits) / (2 * hits + misses);
  if (average === 'binary') return f1(counts(positive));
  const each = [...new Set(pairs.flat())].map(counts);
  if (average === 'macro') return each.reduce((sum, count) => sum + f1(count), 0) / each.length;
  return f1({
    hits: each.reduce((sum, { hits }) => sum + hits, 0),
    misses: each.reduce((sum, { misses }) => sum + misses, 0),
  });
}

/** e to the mean loss a token: how many equally likely tokens the model hesitates between. `loss` is in nats. */
export function perplexity(loss: number): number {
  return Math.exp(loss);
}

function counted(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  name: string,
): [number, number][] {
  if (predictions.length !== labels.length) {
    throw new InputError(
      `${name}: ${predictions.length} predictions need as many labels, got ${labels.length}`,
    );
  }
  const pairs: [number, number][] = [];
  const truth = Array.from(labels);
  for (const [i, prediction] of Array.from(predictions).entries()) {
    const label = truth[i] ?? IGNORED;
    if (label !== IGNORED) pairs.push([prediction, label]);
  }
  return pairs;
}
