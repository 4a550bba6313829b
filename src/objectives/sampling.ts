/** Draws that several objectives need. */

import type { Rng } from '../core/random.ts';

/** `count` different items, in the order drawn: the beginning of a Fisher–Yates shuffle. */
export function sample<T>(items: readonly T[], count: number, rng: Rng): T[] {
  const pool = [...items];
  for (let i = 0; i < Math.min(count, pool.length); i++) {
    const j = i + rng.integer(pool.length - i);
    // Swap the two. (Indexing would have to prove that neither is undefined, which T may well be.)
    pool.splice(i, 1, ...pool.splice(j, 1, ...pool.slice(i, i + 1)));
  }
  return pool.slice(0, count);
}

/** All items in a random order. */
export function shuffle<T>(items: readonly T[], rng: Rng): T[] {
  return sample(items, items.length, rng);
}
