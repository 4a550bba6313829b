/** Small helpers for the generators: choosing, and the parts of English that must agree. */

import type { Rng } from '../../src/core/random.ts';

/** One of the options, all equally likely. */
export function pick<T>(rng: Rng, options: readonly T[]): T {
  const chosen = options[rng.integer(options.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

/** `count` different options, in random order. */
export function pickSome<T>(rng: Rng, options: readonly T[], count: number): T[] {
  return shuffled(rng, options).slice(0, count);
}

/** The options in random order (Fisher and Yates). */
export function shuffled<T>(rng: Rng, options: readonly T[]): T[] {
  const result = [...options];
  for (let last = result.length - 1; last > 0; last--) {
    const other = rng.integer(last + 1);
    const [a, b] = [result[last], result[other]];
    if (a !== undefined && b !== undefined) [result[last], result[other]] = [b, a];
  }
  return result;
}

/** The sentence with a capital at its beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "an apple", "a pear". */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** A person of a story, with the pronouns that refer to them. */
export interface Person {
  name: string;
  /** he or she */
  subject: string;
  /** him or her */
  object: string;
  /** his or her */
  own: string;
}

const GIRLS = ['Mia', 'Anna', 'Lily', 'Sara', 'Emma', 'Nora'];
const BOYS = ['Tom', 'Ben', 'Leo', 'Max', 'Sam', 'Finn'];

export function person(rng: Rng): Person {
  return rng.next() < 0.5
    ? { name: pick(rng, GIRLS), subject: 'she', object: 'her', own: 'her' }
    : { name: pick(rng, BOYS), subject: 'he', object: 'him', own: 'his' };
}
