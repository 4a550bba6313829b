/**
 * The text-to-text corpus: six tasks in one format, a text and the text to answer with. A model is told which task it
 * is by a prefix. Some need a rule (reverse, plural), some a few facts by heart (past, plural of irregular words), some
 * reading (title, sentiment), and one arithmetic.
 */

import { createRng, type Rng } from '../../src/core/random.ts';
import type { Split, TextToTextRecord } from '../../src/datasets/records.ts';
import { person, pick, pickSome, shuffled } from './choose.ts';
import { generateReviews } from './reviews.ts';

type Pair = Omit<TextToTextRecord, 'task'>;

/** A noun and its plural. */
const NOUNS: readonly (readonly [string, string])[] = [
  ...['ball', 'drum', 'kite', 'hat', 'cup', 'lamp', 'coat', 'book', 'boat', 'tree', 'door', 'spoon'].map(
    (noun) => [noun, `${noun}s`] as const,
  ),
  ...['box', 'fox', 'bus', 'dish', 'brush', 'bench', 'dress', 'peach'].map(
    (noun) => [noun, `${noun}es`] as const,
  ),
  ...['baby', 'puppy', 'cherry', 'berry', 'story', 'city'].map(
    (noun) => [noun, `${noun.slice(0, -1)}ies`] as const,
  ),
  ['leaf', 'leaves'],
  ['knife', 'knives'],
  ['mouse', 'mice'],
  ['goose', 'geese'],
  ['child', 'children'],
  ['sheep', 'sheep'],
];
const SIZES = ['small', 'big', 'old', 'new', 'nice', 'heavy'];
const COLOURS = ['red', 'blue', 'green', 'yellow', 'brown', 'black'];

/** A verb in the present and the past, and what may follow it. */
const VERBS: readonly { present: string; past: string; rest: readonly string[] }[] = [
  { present: 'walks', past: 'walked', rest: ['to the barn', 'to school', 'up the hill'] },
  { present: 'plays', past: 'played', rest: ['in the garden', 'with the dog', 'the drum'] },
  { present: 'opens', past: 'opened', rest: ['the door', 'the box', 'the window'] },
  { present: 'paints', past: 'painted', rest: ['a house', 'a picture', 'the fence'] },
  { present: 'washes', past: 'washed', rest: ['the cup', 'the dog', 'the windows'] },
  { present: 'carries', past: 'carried', rest: ['the basket', 'the puppy', 'a heavy bag'] },
  { present: 'tries', past: 'tried', rest: ['the soup', 'a new hat', 'the cake'] },
  { present: 'goes', past: 'went', rest: ['to the farm', 'to the shop', 'home'] },
  { present: 'eats', past: 'ate', rest: ['an apple', 'the soup', 'bread and jam'] },
  { present: 'sees', past: 'saw', rest: ['a fox', 'the moon', 'a red kite'] },
  { present: 'finds', past: 'found', rest: ['a coin', 'the ball', 'a shell'] },
  { present: 'brings', past: 'brought', rest: ['some hay', 'the milk', 'a letter'] },
  { present: 'buys', past: 'bought', rest: ['a lamp', 'ten eggs', 'a book'] },
  { present: 'writes', past: 'wrote', rest: ['a story', 'a letter', 'a long list'] },
  { present: 'sings', past: 'sang', rest: ['a song', 'in the rain', 'to the baby'] },
  { present: 'runs', past: 'ran', rest: ['to the lake', 'after the bus', 'home'] },
];
const WHEN = ['', '', ' every day', ' again', ' with a friend'];

const LARGEST = 59;

function reverse(rng: Rng): Pair {
  const words = pickSome(rng, NOUNS, 2 + rng.integer(3)).map(([noun]) => noun);
  return { input: words.join(' '), target: words.toReversed().join(' ') };
}

function plural(rng: Rng): Pair {
  const [noun, many] = pick(rng, NOUNS);
  const adjectives =
    rng.next() < 0.6 ? [pick(rng, SIZES), pick(rng, COLOURS)] : [pick(rng, [...SIZES, ...COLOURS])];
  const phrase = `the ${adjectives.join(' ')}`;
  return { input: `${phrase} ${noun}`, target: `${phrase} ${many}` };
}

function pastTense(rng: Rng): Pair {
  const { present, past, rest } = pick(rng, VERBS);
  const { name } = person(rng);
  const end = `${pick(rng, rest)}${pick(rng, WHEN)}.`;
  return { input: `${name} ${present} ${end}`, target: `${name} ${past} ${end}` };
}

function add(rng: Rng): Pair {
  const [a, b] = [rng.integer(LARGEST + 1), rng.integer(LARGEST + 1)];
  return { input: `${a} + ${b}`, target: String(a + b) };
}

/** A story of three sentences, two of them of other things, and who and what it is about. */
function title(rng: Rng): Pair {
  const hero = person(rng);
  const [colour = '', otherColour = ''] = pickSome(rng, COLOURS, 2);
  const [[thing] = [''], [other] = [''], [third] = ['']] = pickSome(rng, NOUNS, 3);
  const first = pick(rng, [
    `${hero.name} had a ${colour} ${thing}.`,
    `${hero.name} wanted a ${colour} ${thing}.`,
    `A ${colour} ${thing} was all that ${hero.name} wanted.`,
  ]);
  const middle = pick(rng, [
    `In the shop there was only a ${otherColour} ${other}.`,
    `It was better than the ${otherColour} ${other}.`,
    `The ${otherColour} ${other} was lost.`,
  ]);
  const last = pick(rng, [
    `Then ${hero.subject} saw it behind the ${third}.`,
    `Now ${hero.subject} has it every day.`,
    `The ${third} did not matter.`,
  ]);
  return { input: `${first} ${middle} ${last}`, target: `${hero.name} and the ${colour} ${thing}` };
}

/** What makes two examples of a task the same: for sums, the order of the numbers does not matter. */
function keyOf(task: string, input: string): string {
  return task === 'add' ? input.split(' + ').toSorted().join(' + ') : input;
}

const TASKS = { reverse, plural, past: pastTense, add, title } as const;

/** The reviews of their own corpus, with the label as a word. */
function sentiment(count: number, seed: string): Pair[] {
  return generateReviews(count, seed).map(({ text, label }) => ({
    input: text,
    target: label === 1 ? 'positive' : 'negative',
  }));
}

/**
 * `sizes` different examples of each task, in random order, the same for the same seed. No example of the test part is
 * in the training part, not even with the numbers of a sum turned round.
 */
export function generateTextToText(
  sizes: { train: number; test: number },
  seed: string | number,
): Split<TextToTextRecord> {
  const train: TextToTextRecord[] = [];
  const test: TextToTextRecord[] = [];
  const total = sizes.train + sizes.test;
  const use = (task: string, examples: readonly Pair[]): void => {
    const records = examples.map((example) => ({ task, ...example }));
    train.push(...records.slice(0, sizes.train));
    test.push(...records.slice(sizes.train, total));
  };
  const rng = createRng(seed);
  for (const [task, make] of Object.entries(TASKS)) {
    const made = new Map<string, Pair>();
    while (made.size < total) {
      const example = make(rng);
      const key = keyOf(task, example.input);
      if (!made.has(key)) made.set(key, example);
    }
    use(task, [...made.values()]);
  }
  use('sentiment', sentiment(total, `${seed} reviews`));
  return { train: shuffled(rng, train), test: shuffled(rng, test) };
}
