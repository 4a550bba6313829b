import * as tf from '@tensorflow/tfjs-core';
import { defineExercise, deterministic, EXACT, inputsUnchanged, noLeak } from '../../define.ts';
import { createDraw } from '../../draw.ts';
import { type ModelSizes, type StoryParams, storyLogits, storyParams } from './story-model.ts';

interface Settings {
  n_head: number;
  layer_norm_epsilon: number;
  n_positions: number;
  endId: number;
  maxNewTokens: number;
}

type Args = [StoryParams, number[], Settings];

/**
 * A model from a seed of its own rather than the learner's: which tokens it writes decides whether a mistake shows, so the
 * seeds were chosen by what their models write.
 */
function inputs(
  seed: string,
  sizes: ModelSizes,
  prompt: number[],
  settings: Pick<Settings, 'endId' | 'maxNewTokens'>,
): Args {
  return [
    storyParams(createDraw(seed), sizes),
    prompt,
    { n_head: sizes.heads, layer_norm_epsilon: 1e-5, n_positions: sizes.positions, ...settings },
  ];
}

const SMALL = { vocabulary: 19, positions: 16, layers: 2, heads: 2, headWidth: 4, forward: 12 };
const PLAIN = { vocabulary: 17, positions: 20, layers: 1, heads: 2, headWidth: 5, forward: 11 };
const LONG = { vocabulary: 23, positions: 7, layers: 2, heads: 3, headWidth: 3, forward: 14 };

interface Rules {
  window?: (ids: number[], positions: number) => number[];
  place?: (length: number) => number;
  ends?: 'without' | 'with' | 'never';
  count?: (asked: number) => number;
  choose?: (logits: number[]) => number;
  result?: (prompt: number[], written: number[]) => number[];
}

const largest = (logits: number[]): number => logits.indexOf(Math.max(...logits));

/** Writing by the rules given: what the mutants vary. */
async function write([params, prompt, settings]: Args, rules: Rules = {}): Promise<number[]> {
  const { window = (ids, positions) => ids.slice(-positions), place = (length) => length - 1 } = rules;
  const { ends = 'without', count = (asked) => asked, choose = largest } = rules;
  const { result = (_, written) => written } = rules;
  const written: number[] = [];
  while (written.length < count(settings.maxNewTokens)) {
    const seen = window([...prompt, ...written], settings.n_positions);
    const row = tf.tidy(() => {
      const logits = storyLogits(params, tf.tensor2d([seen], [1, seen.length], 'int32'), settings);
      return tf.slice(logits, [0, place(seen.length), 0], [1, 1, params.tokens.shape[0]]);
    });
    const token = choose(Array.from(await row.data()));
    row.dispose();
    if (token === settings.endId && ends === 'without') break;
    written.push(token);
    if (token === settings.endId && ends === 'with') break;
  }
  return result(prompt, written);
}

export default defineExercise<Args>({
  id: 'capstone/greedy',
  title: 'Going on, greedily',
  points: 3,
  entry: 'continueGreedily',
  difficulty: 3,
  minutes: 30,
  signature:
    'continueGreedily(params, prompt: number[], settings: {n_head; layer_norm_epsilon; n_positions; endId; maxNewTokens: number}): Promise<number[]>  // the new ids only',
  parameters: ['params', 'prompt', 'settings'],
  tolerance: EXACT,
  reference: (...args) => write(args),
  variants: [
    {
      name: 'the likeliest by tf.argMax',
      implementation: async (params, prompt, settings) => {
        const ids = [...prompt];
        for (let step = 0; step < settings.maxNewTokens; step++) {
          const seen = ids.slice(-settings.n_positions);
          const best = tf.tidy(() => {
            const logits = storyLogits(params, tf.tensor2d([seen], [1, seen.length], 'int32'), settings);
            return tf.argMax(tf.reshape(logits, [seen.length, -1]), 1);
          });
          const token = (await best.data()).at(-1) ?? settings.endId;
          best.dispose();
          if (token === settings.endId) break;
          ids.push(token);
        }
        return ids.slice(prompt.length);
      },
    },
  ],
  mutants: [
    {
      id: 'first-position',
      diagnosis:
        'The token is taken from the logits of the first position. What comes next is in those of the last: position T − 1.',
      implementation: (...args) => write(args, { place: () => 0 }),
    },
    {
      id: 'one-position-early',
      diagnosis:
        'The token is taken from the last position but one: that predicts the token you have already. Take position T − 1.',
      implementation: (...args) => write(args, { place: (length) => Math.max(0, length - 2) }),
    },
    {
      id: 'end-kept',
      diagnosis: 'The end token is part of the result. It stops the writing and is left out.',
      implementation: (...args) => write(args, { ends: 'with' }),
    },
    {
      id: 'end-ignored',
      diagnosis: 'The writing goes on after the end token. Stop when settings.endId is the likeliest.',
      implementation: (...args) => write(args, { ends: 'never' }),
    },
    {
      id: 'beginning-kept',
      diagnosis:
        'When the text is longer than n_positions, its beginning is shown to the model. Show the last n_positions tokens.',
      implementation: (...args) => write(args, { window: (ids, positions) => ids.slice(0, positions) }),
    },
    {
      id: 'last-token-only',
      diagnosis:
        'The model sees the last token only. Without a cache of keys and values it needs all of them.',
      implementation: (...args) => write(args, { window: (ids) => ids.slice(-1) }),
    },
    {
      id: 'prompt-returned',
      diagnosis: 'The prompt stands before the result. Return the new ids only.',
      implementation: (...args) => write(args, { result: (prompt, written) => [...prompt, ...written] }),
    },
    {
      id: 'one-too-few',
      diagnosis: 'One token is missing at the end: up to maxNewTokens are written.',
      implementation: (...args) => write(args, { count: (asked) => asked - 1 }),
    },
    {
      id: 'least-likely',
      diagnosis: 'The smallest logit is taken. The likeliest token has the largest.',
      implementation: (...args) => write(args, { choose: (logits) => logits.indexOf(Math.min(...logits)) }),
    },
  ],
  cases: [
    {
      name: 'the end token comes',
      visibility: 'public',
      inputs: () => inputs('greedy 24', SMALL, [3, 7, 1], { endId: 17, maxNewTokens: 9 }),
    },
    {
      name: 'the end token does not come',
      visibility: 'public',
      inputs: () => inputs('plain 24', PLAIN, [2, 9, 14, 6], { endId: 16, maxNewTokens: 6 }),
    },
    {
      name: 'more tokens than positions',
      visibility: 'hidden',
      weight: 2,
      inputs: () => inputs('long 76', LONG, [5, 2, 11, 8, 1, 20], { endId: 22, maxNewTokens: 8 }),
    },
    {
      name: 'another end',
      visibility: 'hidden',
      inputs: () => inputs('greedy 26', SMALL, [3, 7, 1], { endId: 9, maxNewTokens: 9 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), deterministic()],
  hints: [
    'Look, choose, append, and look again. When does it stop, and what does the model see when the text has grown too long?',
    'seen = the last n_positions of [...prompt, ...written]; logits [1, T, V]; row T − 1 [V]; the index of its largest number; end token → stop; else append; until maxNewTokens.',
    'uₜ = argmax_v p(v | u₀ … uₜ₋₁): greedy search (Holtzman et al., 2020, section 2, on decoding by maximising likelihood).',
  ],
});
