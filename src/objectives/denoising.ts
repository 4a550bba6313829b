/**
 * The five noises of BART (Lewis et al., 2020, §2.2). Each takes ids and gives the corrupted ids; the target is always
 * the original. Tokens in `specialIds` (start, end, padding) stay where they are and what they are.
 */

import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import { sample, shuffle } from './sampling.ts';

export interface NoiseOptions {
  rng: Rng;
  specialIds?: Iterable<number>;
}

export interface MaskNoiseOptions extends NoiseOptions {
  maskId: number;
  /** The share of tokens that the noise reaches, rounded. */
  ratio: number;
}

/** Token masking: random tokens become the mask, one each. */
export function maskRandomTokens(ids: readonly number[], options: MaskNoiseOptions): number[] {
  const chosen = choose(ids, options);
  return ids.map((id, i) => (chosen.has(i) ? options.maskId : id));
}

/** Token deletion: random tokens are gone, and the model has to find out where. */
export function deleteRandomTokens(
  ids: readonly number[],
  options: Omit<MaskNoiseOptions, 'maskId'>,
): number[] {
  const chosen = choose(ids, options);
  return ids.filter((_, i) => !chosen.has(i));
}

export interface InfillingOptions extends MaskNoiseOptions {
  /** The mean length of a span. Default 3. */
  meanSpanLength?: number;
}

/**
 * Text infilling: spans whose lengths are drawn from a Poisson distribution become one mask each. A span of length 0
 * inserts a mask. No two spans touch, so that each mask stands for one span.
 */
export function infillText(ids: readonly number[], options: InfillingOptions): number[] {
  const { rng, maskId, ratio, meanSpanLength = 3 } = options;
  checkRatio(ratio);
  if (!(meanSpanLength > 0))
    throw new InputError(`infillText: meanSpanLength must be positive, got ${meanSpanLength}`);
  const { before, own, after } = inner(ids, options);
  const budget = Math.round(ratio * own.length);
  const lengths: number[] = [];
  for (let total = 0; total < budget; ) {
    const length = Math.min(poisson(meanSpanLength, rng), budget - total);
    lengths.push(length);
    total += length;
  }
  // What is kept has one gap before each token and one at the end; each gap takes at most one span.
  const gaps = own.length - budget + 1;
  const spans = lengths.slice(0, gaps);
  const surplus = lengths.slice(gaps).reduce((sum, length) => sum + length, 0);
  const places = sample([...Array(gaps).keys()], spans.length, rng).sort((a, b) => a - b);
  const spanAt = new Map(
    places.map((gap, i) => [gap, (spans[i] ?? 0) + (i === places.length - 1 ? surplus : 0)]),
  );

  const noisy: number[] = [];
  let at = 0;
  for (let gap = 0; gap < gaps; gap++) {
    const length = spanAt.get(gap);
    if (length !== undefined) {
      noisy.push(maskId);
      at += length;
    }
    noisy.push(...own.slice(at, at + 1));
    at++;
  }
  return [...before, ...noisy, ...after];
}

/** Sentence permutation: what ends with one of `endIds` (full stops) is a sentence; the sentences are shuffled. */
export function permuteSentences(
  ids: readonly number[],
  options: NoiseOptions & { endIds: Iterable<number> },
): number[] {
  const ends = new Set(options.endIds);
  const { before, own, after } = inner(ids, options);
  const sentences: number[][] = [];
  let sentence: number[] = [];
  for (const id of own) {
    sentence.push(id);
    if (!ends.has(id)) continue;
    sentences.push(sentence);
    sentence = [];
  }
  if (sentence.length > 0) sentences.push(sentence);
  return [...before, ...shuffle(sentences, options.rng).flat(), ...after];
}

/** Document rotation: a token is drawn, and the document begins with it; what stood before it comes last. */
export function rotateDocument(ids: readonly number[], options: NoiseOptions): number[] {
  const { before, own, after } = inner(ids, options);
  const start = own.length === 0 ? 0 : options.rng.integer(own.length);
  return [...before, ...own.slice(start), ...own.slice(0, start), ...after];
}

/** A draw from the Poisson distribution (Knuth, 1969, vol. 2, §3.4.1): how many uniform factors keep above e^−mean. */
export function poisson(mean: number, rng: Rng): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = rng.next(); product > limit; product *= rng.next()) count++;
  return count;
}

/** A random share of the tokens that are not special. */
function choose(
  ids: readonly number[],
  { rng, ratio, specialIds = [] }: NoiseOptions & { ratio: number },
): Set<number> {
  checkRatio(ratio);
  const special = new Set(specialIds);
  const candidates = ids.flatMap((id, i) => (special.has(id) ? [] : [i]));
  return new Set(sample(candidates, Math.round(ratio * candidates.length), rng));
}

/** The ids between the special tokens at the beginning and those at the end. */
function inner(
  ids: readonly number[],
  { specialIds = [] }: NoiseOptions,
): { before: number[]; own: number[]; after: number[] } {
  const special = new Set(specialIds);
  const first = ids.findIndex((id) => !special.has(id));
  if (first === -1) return { before: [...ids], own: [], after: [] };
  const end = ids.findLastIndex((id) => !special.has(id)) + 1;
  return { before: ids.slice(0, first), own: ids.slice(first, end), after: ids.slice(end) };
}

function checkRatio(ratio: number): void {
  if (!(ratio >= 0 && ratio <= 1))
    throw new InputError(`noise: ratio must lie between 0 and 1, got ${ratio}`);
}
