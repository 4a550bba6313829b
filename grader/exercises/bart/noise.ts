/** What the exercises on BART's noises share: documents, and a mistake that is possible in each of them. */
import type { Draw } from '../../define.ts';

/** What the encoder reads, and what the decoder is to write. */
export interface Noised {
  source: number[];
  target: number[];
}

export const START = 0;
export const END = 2;

/** Tokens between a start and an end token, all different, so that each can be followed. */
export function document(draw: Draw, words: number): number[] {
  const first = 10 + draw.rng.integer(20);
  return [START, ...Array.from({ length: words }, (_, i) => first + 3 * i + draw.rng.integer(3)), END];
}

export const noised = (ids: readonly number[], source: number[]): Noised => ({ source, target: [...ids] });

export const TARGET_CORRUPTED =
  'The target is corrupted as well, so nothing is left to repair. The target is the document as it came: only the source gets the noise.';

/** The mistake of giving the noisy text as the target too. */
export const corruptedTarget = ({ source }: Noised): Noised => ({ source, target: [...source] });
