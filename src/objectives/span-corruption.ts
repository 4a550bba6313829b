/** Span corruption, T5's objective (Raffel et al., 2020, §3.1.4 and Figure 2), and its inverse. */

import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import { sample } from './sampling.ts';

export interface Sentinels {
  /** The id of `<extra_id_0>`. The next sentinel is one less, and so on: they count down. */
  firstSentinel: number;
  /** How many sentinels the vocabulary has. Default 100. */
  sentinels?: number;
}

export interface SpanCorruptionOptions extends Sentinels {
  rng: Rng;
  /** The share of tokens to corrupt. Default 0.15. */
  noiseDensity?: number;
  /** The mean length of a span. Default 3. */
  meanSpanLength?: number;
  /** Set at the end of input and target: `</s>`. Default: nothing. */
  endId?: number;
}

/**
 * Takes spans out of a text. The input has a sentinel in place of each; the target has each sentinel followed by what
 * it stands for, and one more sentinel at the end:
 *
 *     Thank you <0> me to your party <1> week    →    <0> for inviting <1> last <2>
 *
 * The number of corrupted tokens and of spans is fixed by the length, as in T5's code; where they lie is random. Spans
 * never touch, and may lie at the beginning and at the end. (T5's code has every text end with a span, so that a text
 * with a single span loses its last words each time.)
 */
export function corruptSpans(
  ids: readonly number[],
  options: SpanCorruptionOptions,
): { inputIds: number[]; labels: number[] } {
  const { rng, firstSentinel, sentinels = 100, noiseDensity = 0.15, meanSpanLength = 3, endId } = options;
  if (!(noiseDensity > 0 && noiseDensity < 1)) {
    throw new InputError(`corruptSpans: noiseDensity must lie between 0 and 1, got ${noiseDensity}`);
  }
  if (!(meanSpanLength >= 1))
    throw new InputError(`corruptSpans: meanSpanLength must be at least 1, got ${meanSpanLength}`);
  if (ids.length < 2)
    throw new InputError(`corruptSpans: a text of ${ids.length} tokens has nothing to keep and to take out`);
  const noise = Math.min(Math.max(Math.round(ids.length * noiseDensity), 1), ids.length - 1);
  const kept = ids.length - noise;
  const spans = Math.min(Math.max(Math.round(noise / meanSpanLength), 1), kept + 1);
  if (spans + 1 > sentinels) {
    throw new InputError(
      `corruptSpans: ${spans} spans need ${spans + 1} sentinels, but there are ${sentinels}`,
    );
  }
  const noiseLengths = composition(noise, spans, rng);
  // One kept stretch before each span and one after the last; the first and the last may be empty.
  const keptLengths = composition(kept + 2, spans + 1, rng).map((length, i) =>
    i === 0 || i === spans ? length - 1 : length,
  );

  const end = endId === undefined ? [] : [endId];
  const inputIds: number[] = [];
  const labels: number[] = [];
  let at = 0;
  for (const [i, length] of noiseLengths.entries()) {
    const start = at + (keptLengths[i] ?? 0);
    inputIds.push(...ids.slice(at, start), firstSentinel - i);
    labels.push(firstSentinel - i, ...ids.slice(start, start + length));
    at = start + length;
  }
  inputIds.push(...ids.slice(at));
  labels.push(firstSentinel - spans);
  return { inputIds: [...inputIds, ...end], labels: [...labels, ...end] };
}

/**
 * The text that was corrupted, from input and target: what follows a sentinel in the target takes its place in the
 * input. Works for what a model has written too: a sentinel that the target lacks stands for nothing.
 */
export function restoreSpans(
  inputIds: readonly number[],
  labels: readonly number[],
  options: Sentinels & { endId?: number },
): number[] {
  const { firstSentinel, sentinels = 100, endId } = options;
  const isSentinel = (id: number): boolean => id <= firstSentinel && id > firstSentinel - sentinels;
  const spans = new Map<number, number[]>();
  let current: number[] | undefined;
  for (const id of labels) {
    if (id === endId) break;
    if (isSentinel(id)) {
      current = [];
      if (!spans.has(id)) spans.set(id, current);
    } else current?.push(id);
  }
  return inputIds.flatMap((id) => {
    if (id === endId) return [];
    return isSentinel(id) ? (spans.get(id) ?? []) : [id];
  });
}

/** `total` as a sum of `parts` positive whole numbers, every way to do so being equally likely. */
function composition(total: number, parts: number, rng: Rng): number[] {
  const cuts = sample([...Array(total - 1).keys()], parts - 1, rng).map((cut) => cut + 1);
  const edges = [0, ...cuts.sort((a, b) => a - b), total];
  return edges.slice(1).map((edge, i) => edge - (edges[i] ?? 0));
}
