/**
 * The reviews corpus: short opinions on films, food, hotels and toys, half of them good and half of them bad.
 *
 * Counting good and bad words is not enough: "not good" is bad, and after "but" the second half decides.
 */

import { createRng, type Rng } from '../../src/core/random.ts';
import type { Review } from '../../src/datasets/records.ts';
import { pick, sentence, shuffled } from './choose.ts';

interface Topic {
  thing: string;
  aspects: readonly string[];
  /** What one did with it, as in "we saw the film". */
  did: string;
}

const TOPICS: readonly Topic[] = [
  { thing: 'film', aspects: ['story', 'music', 'ending', 'beginning'], did: 'saw' },
  { thing: 'book', aspects: ['story', 'ending', 'beginning', 'language'], did: 'read' },
  { thing: 'soup', aspects: ['taste', 'smell', 'colour'], did: 'ate' },
  { thing: 'cake', aspects: ['taste', 'smell', 'look'], did: 'ate' },
  { thing: 'hotel', aspects: ['room', 'bed', 'view', 'breakfast'], did: 'visited' },
  { thing: 'train', aspects: ['seat', 'driver', 'window'], did: 'took' },
  { thing: 'robot', aspects: ['sound', 'look', 'price'], did: 'bought' },
  { thing: 'game', aspects: ['music', 'look', 'beginning', 'price'], did: 'played' },
];

const GOOD = ['good', 'great', 'wonderful', 'lovely', 'excellent', 'nice', 'perfect', 'pleasant'];
const BAD = ['bad', 'terrible', 'awful', 'boring', 'poor', 'horrible', 'dull', 'ugly'];
const VERY = ['very ', 'really ', 'so ', 'quite ', '', ''];

/** A word of the given sentiment, now and then as the denial of its opposite. */
function quality(rng: Rng, positive: boolean): string {
  if (rng.next() < 0.25) return `not ${pick(rng, positive ? BAD : GOOD)}`;
  return `${pick(rng, VERY)}${pick(rng, positive ? GOOD : BAD)}`;
}

function opinion(rng: Rng, topic: Topic, positive: boolean): string {
  const [aspect = 'look', other = 'price'] = shuffled(rng, topic.aspects);
  const { thing, did } = topic;
  const like = positive
    ? ['liked', 'enjoyed', 'loved']
    : ['disliked', 'hated', 'did not like', 'did not enjoy'];
  const forms: readonly (() => string)[] = [
    () => `the ${thing} was ${quality(rng, positive)}.`,
    () => `we ${did} the ${thing} and it was ${quality(rng, positive)}.`,
    () => `I ${pick(rng, like)} the ${aspect} of this ${thing}.`,
    () => `the ${aspect} was ${quality(rng, positive)} and the ${other} was ${quality(rng, positive)}.`,
    () => `the ${aspect} was ${quality(rng, !positive)}, but the ${thing} was ${quality(rng, positive)}.`,
    () => `I ${pick(rng, like)} the ${thing} because the ${aspect} was ${quality(rng, positive)}.`,
  ];
  return sentence(pick(rng, forms)());
}

function close(rng: Rng, topic: Topic, positive: boolean): string {
  const forms = positive
    ? [
        `I want to have this ${topic.thing} again.`,
        'Thank you!',
        'My family was happy.',
        'It was worth the money.',
      ]
    : [
        `I never want to have this ${topic.thing} again.`,
        'No, thank you!',
        'My family was sad.',
        'It was not worth the money.',
      ];
  return pick(rng, forms);
}

function review(rng: Rng, positive: boolean): string {
  const topic = pick(rng, TOPICS);
  // Two opinions of one mind: a word that is hidden in one can be guessed from the other.
  const parts = [opinion(rng, topic, positive), opinion(rng, topic, positive)];
  if (rng.next() < 0.15) parts.push(close(rng, topic, positive));
  return parts.join(' ');
}

/** `count` different reviews, half of each label, in random order; the same for the same seed. */
export function generateReviews(count: number, seed: string | number): Review[] {
  const rng = createRng(seed);
  const made = new Map<string, Review>();
  while (made.size < count) {
    const label = made.size % 2 === 0 ? 1 : 0;
    const text = review(rng, label === 1);
    if (!made.has(text)) made.set(text, { text, label });
  }
  return shuffled(rng, [...made.values()]);
}
