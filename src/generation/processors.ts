/**
 * What changes the scores of the next token before it is chosen. Each step is a pure function of the scores [V] and
 * the sequence so far; `createProcessors` puts them in transformers' order: rules first, then temperature, then the
 * filters top-k, top-p, min-p.
 */
import type { ResolvedOptions } from './options.ts';
import { softmax, topIndices } from './scores.ts';

/** Scores [V] and the tokens so far (prompt included, padding on the left not) to new scores. */
export type ScoreProcessor = (scores: Float32Array, tokens: readonly number[]) => Float32Array;

/** The processors that the options ask for, as one. `length` in the rules counts padding, as `maxLength` does. */
export function createProcessors(
  options: ResolvedOptions,
): (scores: Float32Array, tokens: readonly number[], length: number) => Float32Array {
  const { eosTokenIds, forcedBosTokenId, forcedEosTokenIds } = options;
  return (scores, tokens, length) => {
    let changed = scores;
    if (options.repetitionPenalty !== 1)
      changed = repetitionPenalty(options.repetitionPenalty)(changed, tokens);
    if (options.noRepeatNgramSize > 0) changed = noRepeatNgram(options.noRepeatNgramSize)(changed, tokens);
    if (length < options.minLength) changed = without(changed, (token) => eosTokenIds.includes(token));
    if (forcedBosTokenId !== undefined && length === 1) changed = only(changed, [forcedBosTokenId]);
    if (forcedEosTokenIds.length > 0 && length === options.maxLength - 1)
      changed = only(changed, forcedEosTokenIds);
    if (!options.doSample) return changed;
    if (options.temperature !== 1) changed = temperature(options.temperature)(changed);
    if (options.topK > 0) changed = topK(options.topK)(changed);
    if (options.topP < 1) changed = topP(options.topP)(changed);
    if (options.minP > 0) changed = minP(options.minP)(changed);
    return changed;
  };
}

/** Divides the scores by the temperature: below 1 sharpens, above 1 flattens. */
export function temperature(value: number): (scores: Float32Array) => Float32Array {
  return (scores) => scores.map((score) => score / value);
}

/** Keeps the k largest scores, and what equals the last of them. */
export function topK(k: number): (scores: Float32Array) => Float32Array {
  return (scores) => {
    const last = topIndices(scores, Math.min(k, scores.length)).at(-1);
    const threshold = last === undefined ? Number.NEGATIVE_INFINITY : (scores[last] ?? 0);
    return without(scores, (_, score) => score < threshold);
  };
}

/**
 * Nucleus sampling (Holtzman et al., 2020): keeps the fewest likeliest tokens whose probabilities sum to at least p. The
 * token that crosses the threshold is kept, so at least one always is.
 */
export function topP(p: number): (scores: Float32Array) => Float32Array {
  return (scores) => {
    const probabilities = softmax(scores);
    const order = Array.from(scores.keys()).sort((a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0));
    // From the least likely up: a token goes while all below it and itself hold no more than 1 − p. Summing in this
    // direction, as transformers does, decides the same way where a sum falls on the threshold.
    const removed = new Set<number>();
    let mass = 0;
    for (const token of order.slice(0, -1)) {
      mass += probabilities[token] ?? 0;
      if (mass > 1 - p) break;
      removed.add(token);
    }
    return without(scores, (token) => removed.has(token));
  };
}

/** Keeps the tokens whose probability is at least p times the largest. */
export function minP(p: number): (scores: Float32Array) => Float32Array {
  return (scores) => {
    const probabilities = softmax(scores);
    const threshold = p * probabilities.reduce((top, probability) => Math.max(top, probability), 0);
    return without(scores, (token) => (probabilities[token] ?? 0) < threshold);
  };
}

/** Makes tokens that already occur less likely when the penalty is above 1: once each, however often they occur. */
export function repetitionPenalty(penalty: number): ScoreProcessor {
  return (scores, tokens) => {
    const changed = scores.slice();
    for (const token of new Set(tokens)) {
      const score = changed[token];
      if (score !== undefined) changed[token] = score < 0 ? score * penalty : score / penalty;
    }
    return changed;
  };
}

/** Forbids every token that would complete an n-gram of this size a second time. */
export function noRepeatNgram(size: number): ScoreProcessor {
  return (scores, tokens) => {
    const prefixStart = tokens.length + 1 - size;
    const banned = new Set<number>();
    for (let start = 0; start + size <= tokens.length; start++) {
      const matches = tokens
        .slice(start, start + size - 1)
        .every((token, i) => token === tokens[prefixStart + i]);
      const last = tokens[start + size - 1];
      if (matches && last !== undefined) banned.add(last);
    }
    return without(scores, (token) => banned.has(token));
  };
}

function without(scores: Float32Array, banned: (token: number, score: number) => boolean): Float32Array {
  return scores.map((score, token) => (banned(token, score) ? Number.NEGATIVE_INFINITY : score));
}

/** All tokens but these impossible, and these equally likely. */
function only(scores: Float32Array, allowed: readonly number[]): Float32Array {
  return scores.map((_, token) => (allowed.includes(token) ? 0 : Number.NEGATIVE_INFINITY));
}
