/**
 * The pairs corpus: two sentences that say the same in other words (label 1), or nearly the same but with one fact
 * changed (label 0), so that sharing most words is not enough.
 */

import { createRng, type Rng } from '../../src/core/random.ts';
import type { LabelledPair } from '../../src/datasets/records.ts';
import { person, pick, pickSome, sentence, shuffled } from './choose.ts';

/** Who did what to what, where: all that a sentence of this corpus says. */
interface Fact {
  name: string;
  subject: string;
  colour: string;
  thing: string;
  place: string;
}

const THINGS = ['ball', 'doll', 'drum', 'robot', 'kite', 'hat', 'cup', 'box', 'lamp', 'coat'];
const COLOURS = ['red', 'blue', 'green', 'yellow', 'brown', 'black'];
const PLACES = ['garden', 'kitchen', 'school', 'park', 'shop', 'barn'];

function fact(rng: Rng): Fact {
  const { name, subject } = person(rng);
  return { name, subject, colour: pick(rng, COLOURS), thing: pick(rng, THINGS), place: pick(rng, PLACES) };
}

const WORDINGS: readonly ((fact: Fact) => string)[] = [
  ({ name, colour, thing, place }) => `${name} found a ${colour} ${thing} in the ${place}.`,
  ({ name, colour, thing, place }) => `in the ${place} ${name} found a ${thing} that was ${colour}.`,
  ({ name, colour, thing, place }) => `a ${colour} ${thing} was found in the ${place} by ${name}.`,
  ({ name, colour, thing, place }) => `the ${thing} that ${name} found in the ${place} was ${colour}.`,
  ({ name, subject, colour, thing, place }) =>
    `when ${name} was in the ${place}, ${subject} found a ${colour} ${thing}.`,
];

/** The fact with one thing about it changed. */
function changed(rng: Rng, original: Fact): Fact {
  const other = fact(rng);
  switch (pick(rng, ['who', 'colour', 'thing', 'place'])) {
    case 'who':
      return { ...original, name: other.name, subject: other.subject };
    case 'colour':
      return { ...original, colour: other.colour };
    case 'thing':
      return { ...original, thing: other.thing };
    default:
      return { ...original, place: other.place };
  }
}

/** `count` different pairs, half of each label, in random order; the same for the same seed. */
export function generatePairs(count: number, seed: string | number): LabelledPair[] {
  const rng = createRng(seed);
  const made = new Map<string, LabelledPair>();
  while (made.size < count) {
    const label = made.size % 2 === 0 ? 1 : 0;
    const first = fact(rng);
    let second = label === 1 ? first : changed(rng, first);
    while (label === 0 && JSON.stringify(second) === JSON.stringify(first)) second = changed(rng, first);
    const [one, two] = pickSome(rng, WORDINGS, 2);
    if (one === undefined || two === undefined) throw new Error('two wordings are needed');
    const pair: LabelledPair = { first: sentence(one(first)), second: sentence(two(second)), label };
    made.set(`${pair.first}\n${pair.second}`, pair);
  }
  return shuffled(rng, [...made.values()]);
}
