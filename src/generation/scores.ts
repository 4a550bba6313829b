/**
 * From the scores of a vocabulary to the next token, on plain numbers: what is drawn depends on the scores and the
 * seed alone, never on the backend.
 */
import type { Rng } from '../core/random.ts';

/** Softmax, with the largest score taken off first so that no power overflows. −∞ becomes probability 0. */
export function softmax(scores: Float32Array): Float64Array {
  const top = maximum(scores);
  const powers = Float64Array.from(scores, (score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Logarithms of the softmax. */
export function logSoftmax(scores: Float32Array): Float32Array {
  const top = maximum(scores);
  let total = 0;
  for (const score of scores) total += Math.exp(score - top);
  const normaliser = top + Math.log(total);
  return scores.map((score) => score - normaliser);
}

function maximum(scores: Float32Array): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const score of scores) if (score > top) top = score;
  return top;
}

/** The place of the largest score, the first of equals. */
export function argmax(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return best;
}

/** The places of the k largest scores, largest first; of equals, the one that comes first. */
export function topIndices(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  const at = (index: number | undefined): number =>
    (index === undefined ? undefined : scores[index]) ?? Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    const score = at(i);
    if (best.length === k && !(score > at(best[k - 1]))) continue;
    let place = best.length;
    while (place > 0 && score > at(best[place - 1])) place--;
    best.splice(place, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Draws a token from the softmax of the scores. */
export function sampleToken(scores: Float32Array, rng: Rng): number {
  const probabilities = softmax(scores);
  let left = rng.next();
  let last = 0;
  for (let token = 0; token < probabilities.length; token++) {
    const probability = probabilities[token] ?? 0;
    if (probability === 0) continue;
    last = token;
    left -= probability;
    if (left < 0) return token;
  }
  return last; // The probabilities may sum to a hair under 1.
}
