import { createRng } from '../../../src/core/random.ts';
import { softmax, temperature, topK, topP } from '../../../src/generation/index.ts';
import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Settings {
  temperature: number;
  topK: number;
  topP: number;
}

type Args = [number[], Settings];

/** Tempered probabilities, likeliest first; chosen so that each wrong order of the steps keeps another number of tokens. */
const TEMPERED = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04];

/**
 * Logits whose softmax at the given temperature is close to `TEMPERED`, in a random order and with a random constant added.
 */
function inputs(draw: Draw, settings: Settings): Args {
  const logits = TEMPERED.map(
    (p) => settings.temperature * Math.log(p * (1 + 0.02 * (draw.rng.next() - 0.5))),
  );
  const constant = draw.rng.normal();
  const rng = createRng(draw.rng.next());
  const order = logits.map((logit) => ({ logit, key: rng.next() })).sort((a, b) => a.key - b.key);
  return [order.map(({ logit }) => logit + constant), settings];
}

const power = (logits: readonly number[], t: number): number[] => {
  const top = Math.max(...logits);
  return logits.map((logit) => Math.exp((logit - top) / t));
};
const normalised = (weights: readonly number[]): number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};
const ranked = (weights: readonly number[]): number[] =>
  weights.map((_, i) => i).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
const keep = (weights: readonly number[], tokens: readonly number[]): number[] =>
  weights.map((weight, i) => (tokens.includes(i) ? weight : 0));

const largest = (weights: readonly number[], k: number): number[] =>
  k > 0 ? keep(weights, ranked(weights).slice(0, k)) : [...weights];

/** Keeps the likeliest tokens that together reach p of all that `weights` hold; `extra` of 0 leaves the last of them out. */
function nucleus(weights: readonly number[], p: number, extra = 1): number[] {
  if (p >= 1) return [...weights];
  const probabilities = normalised(weights);
  const order = ranked(weights);
  let mass = 0;
  let count = 0;
  while (count < order.length && mass < p) {
    mass += probabilities[order[count] ?? 0] ?? 0;
    count++;
  }
  return keep(weights, order.slice(0, Math.max(1, count - 1 + extra)));
}

export default defineExercise<Args>({
  id: 'gpt/filter',
  title: 'Temperature, top-k, top-p',
  points: 3,
  entry: 'nextTokenProbabilities',
  difficulty: 3,
  minutes: 30,
  signature:
    'nextTokenProbabilities(logits: number[] /* V */, settings: {temperature: number; topK: number /* 0: off */; topP: number /* 1: off */}): number[]  // V probabilities',
  parameters: ['logits', 'settings'],
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'the library keeps scores in float32' },
  reference: (logits, settings) => {
    let scores: Float32Array = temperature(settings.temperature)(Float32Array.from(logits));
    if (settings.topK > 0) scores = topK(settings.topK)(scores);
    if (settings.topP < 1) scores = topP(settings.topP)(scores);
    return Array.from(softmax(scores));
  },
  variants: [
    {
      name: 'weights instead of scores',
      implementation: (logits, { temperature: t, topK: k, topP: p }) =>
        normalised(nucleus(largest(power(logits, t), k), p)),
    },
  ],
  mutants: [
    {
      id: 'first-over-the-threshold-dropped',
      diagnosis:
        'Top-p drops the token with which the sum crosses p. It is kept: the kept tokens must hold at least p together, and so at least one token always remains.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) =>
        normalised(nucleus(largest(power(logits, t), k), p, 0)),
    },
    {
      id: 'filter-before-temperature',
      diagnosis:
        'Top-p looks at the probabilities before the temperature. Divide the logits by the temperature first: it changes how many tokens it takes to reach p.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) => {
        const kept = nucleus(largest(power(logits, 1), k), p);
        return normalised(power(logits, t).map((weight, i) => ((kept[i] ?? 0) > 0 ? weight : 0)));
      },
    },
    {
      id: 'top-p-before-top-k',
      diagnosis:
        'Top-p works with the probabilities of all tokens. It comes after top-k: the probabilities of those k tokens are made to sum to 1 again before the sum is compared with p.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) =>
        normalised(largest(nucleus(power(logits, t), p), k)),
    },
    {
      id: 'temperature-multiplied',
      diagnosis:
        'The logits are multiplied by the temperature. Divide: a temperature below 1 makes the distribution sharper, above 1 flatter.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) =>
        normalised(nucleus(largest(power(logits, 1 / t), k), p)),
    },
    {
      id: 'temperature-ignored',
      diagnosis: 'The temperature is not used. Divide the logits by it before anything else.',
      implementation: (logits, { topK: k, topP: p }) => normalised(nucleus(largest(power(logits, 1), k), p)),
    },
    {
      id: 'not-renormalised',
      diagnosis:
        'The probabilities of the kept tokens do not sum to 1. After the filters take the softmax again, or divide by the sum.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) => {
        const weights = power(logits, t);
        return keep(
          normalised(weights),
          nucleus(largest(weights, k), p).flatMap((weight, i) => (weight > 0 ? [i] : [])),
        );
      },
    },
    {
      id: 'top-k-ignored',
      diagnosis: 'Top-k is not applied: at most topK tokens may keep a probability, if topK is more than 0.',
      implementation: (logits, { temperature: t, topP: p }) => normalised(nucleus(power(logits, t), p)),
    },
    {
      id: 'top-p-ignored',
      diagnosis:
        'Top-p is not applied: keep the fewest likeliest tokens that reach it together, if it is below 1.',
      implementation: (logits, { temperature: t, topK: k }) => normalised(largest(power(logits, t), k)),
    },
    {
      id: 'least-likely-kept',
      diagnosis:
        'The filters keep the least likely tokens. Sort from the largest probability down before you cut.',
      implementation: (logits, { temperature: t, topK: k, topP: p }) => {
        const weights = power(logits, t);
        const upside = weights.map((weight) => 1 / weight);
        const kept = nucleus(largest(upside, k), p);
        return normalised(weights.map((weight, i) => ((kept[i] ?? 0) > 0 ? weight : 0)));
      },
    },
  ],
  cases: [
    {
      name: 'all three together',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { temperature: 2, topK: 4, topP: 0.7 }),
    },
    {
      name: 'top-p alone',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { temperature: 0.5, topK: 0, topP: 0.72 }),
    },
    {
      name: 'top-k alone',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { temperature: 0.8, topK: 3, topP: 1 }),
    },
    {
      name: 'a small p, less than the likeliest token',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { temperature: 1.5, topK: 0, topP: 0.2 }),
    },
    {
      name: 'no filter',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { temperature: 1.7, topK: 0, topP: 1 }),
    },
    {
      name: 'more than there are',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { temperature: 3, topK: 40, topP: 0.88 }),
    },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Three steps, in the order of their names in the title. What does each need to know of the one before?',
    'scores = logits / temperature; sort; all but the topK largest become −∞; softmax; go down the sorted list and add until the sum is at least topP, the token that gets there included; the rest becomes −∞; softmax.',
    'pᵢ = exp(zᵢ/τ) / Σⱼ exp(zⱼ/τ). Top-k: Fan, Lewis and Dauphin, 2018, "Hierarchical neural story generation", section 5.1. Top-p: the smallest set V⁽ᵖ⁾ with Σ p ≥ p, Holtzman et al., 2020, "The curious case of neural text degeneration", section 3.1.',
  ],
});
