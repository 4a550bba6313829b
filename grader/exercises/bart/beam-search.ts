import { type Draw, defineExercise, deterministic, inputsUnchanged } from '../../define.ts';

interface Config {
  numBeams: number;
  lengthPenalty: number;
  maxNewTokens: number;
  endId: number;
}

interface Hypothesis {
  tokens: number[];
  score: number;
}

type Args = [number[][], number[], Config];

/** Where a mutant may put its own. */
interface Rules {
  divisor?: (generated: number, total: number, penalty: number) => number;
  numBeams?: number;
  extendFinished?: boolean;
  keepUnfinished?: boolean;
}

const best = (list: Hypothesis[]): Hypothesis[] => list.toSorted((a, b) => b.score - a.score);

function search(table: number[][], prompt: number[], config: Config, rules: Rules = {}): Hypothesis[] {
  const { lengthPenalty, maxNewTokens, endId } = config;
  const { divisor = (generated, _, penalty) => generated ** penalty, numBeams = config.numBeams } = rules;
  const finish = ({ tokens, score }: Hypothesis): Hypothesis => ({
    tokens,
    score: score / divisor(tokens.length - prompt.length, tokens.length, lengthPenalty),
  });
  const finished: Hypothesis[] = [];
  let running: Hypothesis[] = [{ tokens: prompt, score: 0 }];
  for (let step = 0; step < maxNewTokens && running.length > 0; step++) {
    const candidates = running.flatMap(({ tokens, score }) =>
      (table[tokens.at(-1) ?? 0] ?? []).map((log, next) => ({
        tokens: [...tokens, next],
        score: score + log,
      })),
    );
    const kept = best(candidates).slice(0, numBeams);
    const ends = ({ tokens }: Hypothesis): boolean => tokens.at(-1) === endId;
    finished.push(...kept.filter(ends).map(finish));
    running = rules.extendFinished ? kept : kept.filter((beam) => !ends(beam));
  }
  const unfinished = rules.keepUnfinished === false ? [] : running.filter((b) => b.tokens.at(-1) !== endId);
  return best([...finished, ...unfinished.map(finish)]);
}

/**
 * A table of log-probabilities in which a beam ends at the first step, and others go on to the last; or one in which
 * none ends.
 */
function inputs(
  draw: Draw,
  {
    vocabulary,
    prompt,
    endless = false,
    ...config
  }: Config & { vocabulary: number; prompt: number; endless?: boolean },
): Args {
  const { endId } = config;
  const words = Array.from({ length: vocabulary }, (_, i) => i).filter((i) => i !== endId);
  const start = Array.from({ length: prompt }, () => words[draw.rng.integer(words.length)] ?? 0);
  const table = Array.from({ length: vocabulary }, (_, last) => {
    const scores = Array.from(
      { length: vocabulary },
      (_, next) => draw.rng.normal() - (next === endId ? 1 : 0),
    );
    if (endless) scores[endId] = -20;
    else if (last === start.at(-1)) scores[endId] = Math.max(...scores) + 0.5;
    // After the end come likely words, which only a search that goes on past it would meet.
    const sharp = last === endId ? scores.map((z) => 4 * z) : scores;
    const total = Math.log(sharp.reduce((sum, z) => sum + Math.exp(z), 0));
    return sharp.map((z) => z - total);
  });
  return [table, start, config];
}

export default defineExercise<Args>({
  id: 'bart/beam-search',
  title: 'Beam search with a length penalty',
  points: 4,
  entry: 'beamSearch',
  difficulty: 4,
  minutes: 45,
  signature:
    'beamSearch(table: number[][] /* [V][V]: log-probability of the next token given the last */, prompt: number[], config: {numBeams: number; lengthPenalty: number; maxNewTokens: number; endId: number}): {tokens: number[]; score: number}[]  // best first',
  parameters: ['table', 'prompt', 'config'],
  reference: (table, prompt, config) => search(table, prompt, config),
  variants: [
    {
      name: 'finished beams kept in one list with the others',
      implementation: (table, prompt, { numBeams, lengthPenalty, maxNewTokens, endId }) => {
        let beams = [{ tokens: [...prompt], score: 0, done: false }];
        for (let length = 1; length <= maxNewTokens; length++) {
          const next: typeof beams = [];
          for (const { tokens, score, done } of beams) {
            if (done) continue;
            for (const [id, log] of (table[tokens[tokens.length - 1] ?? 0] ?? []).entries()) {
              next.push({ tokens: [...tokens, id], score: score + log, done: id === endId });
            }
          }
          next.sort((a, b) => b.score - a.score);
          beams = [...beams.filter(({ done }) => done), ...next.slice(0, numBeams)];
        }
        return best(
          beams.map(({ tokens, score }) => ({
            tokens,
            score: score * (tokens.length - prompt.length) ** -lengthPenalty,
          })),
        );
      },
    },
  ],
  mutants: [
    {
      id: 'finished-extended',
      diagnosis:
        'Beams that have ended are continued past the end token. Take them out of the running ones as soon as they end.',
      implementation: (table, prompt, config) => search(table, prompt, config, { extendFinished: true }),
    },
    {
      id: 'total-length',
      diagnosis:
        'The score is divided by the length of the whole sequence, prompt included. Count the generated tokens only (the end token is one of them).',
      implementation: (table, prompt, config) =>
        search(table, prompt, config, { divisor: (_, total, penalty) => total ** penalty }),
    },
    {
      id: 'not-normalised',
      diagnosis:
        'The scores are plain sums, which favours short texts. Divide by the number of generated tokens to the power lengthPenalty.',
      implementation: (table, prompt, config) => search(table, prompt, config, { divisor: () => 1 }),
    },
    {
      id: 'penalty-multiplied',
      diagnosis: 'The length is multiplied by lengthPenalty. It is raised to that power.',
      implementation: (table, prompt, config) =>
        search(table, prompt, config, { divisor: (generated, _, penalty) => generated * penalty }),
    },
    {
      id: 'end-not-counted',
      diagnosis: 'The end token is not counted in the length. It was generated, so it counts.',
      implementation: (table, prompt, config) =>
        search(table, prompt, config, {
          divisor: (generated, _, penalty) => Math.max(1, generated - 1) ** penalty,
        }),
    },
    {
      id: 'greedy',
      diagnosis: 'Only the best continuation is kept at each step. Keep the numBeams best over all beams.',
      implementation: (table, prompt, config) => search(table, prompt, config, { numBeams: 1 }),
    },
    {
      id: 'unfinished-dropped',
      diagnosis:
        'Beams that still run after maxNewTokens are dropped. They are results too, scored by the same rule.',
      implementation: (table, prompt, config) => search(table, prompt, config, { keepUnfinished: false }),
    },
  ],
  cases: [
    {
      name: 'three beams',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          vocabulary: 7,
          prompt: 2,
          numBeams: 3,
          lengthPenalty: 0.8,
          maxNewTokens: 4,
          endId: 2,
        }),
    },
    {
      name: 'more beams, a longer prompt, another end token',
      visibility: 'hidden',
      weight: 2,
      inputs: (draw) =>
        inputs(draw, { vocabulary: 9, prompt: 3, numBeams: 5, lengthPenalty: 2, maxNewTokens: 5, endId: 6 }),
    },
    {
      name: 'no beam ends in time',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, {
          vocabulary: 6,
          prompt: 1,
          endless: true,
          numBeams: 3,
          lengthPenalty: 1.5,
          maxNewTokens: 3,
          endId: 4,
        }),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'At each step, over all running beams and all next tokens: which numBeams sums are the largest? What happens to those that end?',
    'running: one beam, the prompt, with score 0. Each step: numBeams × V candidates with score + table[last][next] → the numBeams best → those that end with endId go to the finished, the others run on. After maxNewTokens the rest are finished too. Sort by the normalised score.',
    'score = Σ log p / n^α, with n generated tokens and α = lengthPenalty, as in the transformers library; Wu et al., 2016, "Google’s neural machine translation system", section 7, use ((5 + n) / 6)^α.',
  ],
});
