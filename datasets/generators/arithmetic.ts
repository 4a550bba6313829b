/**
 * The arithmetic corpus: sums, differences and products of small numbers, as formulas and as little word problems.
 *
 * What is held back is held back as a fact: if 12 + 7 is in the test part, no training text says 7 + 12 or lets somebody
 * get 7 apples on top of 12.
 */

import { createRng, type Rng } from '../../src/core/random.ts';
import type { ArithmeticProblem, Split } from '../../src/datasets/records.ts';
import { type Person, person, pick, shuffled } from './choose.ts';

type Operation = ArithmeticProblem['operation'];

/** Two numbers and what is done with them. */
interface Fact {
  operation: Operation;
  first: number;
  second: number;
}

const SYMBOL = { add: '+', subtract: '-', multiply: '×' } as const;
const LARGEST = 99;
const LARGEST_FACTOR = 12;
/** Of all facts of an operation, at most so many are used. */
const AT_MOST = 2000;
const THINGS = ['apples', 'cherries', 'carrots', 'eggs', 'buttons', 'stones', 'coins', 'pictures'];
const BOXES = ['boxes', 'bags', 'baskets', 'bowls'];

function answerOf({ operation, first, second }: Fact): number {
  if (operation === 'add') return first + second;
  return operation === 'subtract' ? first - second : first * second;
}

/** Every fact of an operation once: the larger number first, so that 7 + 12 is the same fact as 12 + 7. */
function factsOf(operation: Operation): Fact[] {
  const largest = operation === 'multiply' ? LARGEST_FACTOR : LARGEST;
  const facts: Fact[] = [];
  for (let first = 0; first <= largest; first++) {
    for (let second = 0; second <= first; second++) facts.push({ operation, first, second });
  }
  return facts;
}

const STORIES: Readonly<
  Record<Operation, readonly ((rng: Rng, hero: Person, a: number, b: number) => string)[]>
> = {
  add: [
    (rng, hero, a, b) => {
      const thing = pick(rng, THINGS);
      return `${hero.name} had ${a} ${thing} and got ${b} more. How many ${thing} did ${hero.subject} have then?`;
    },
    (rng, hero, a, b) => {
      const thing = pick(rng, THINGS);
      return `${a} ${thing} were on the table and ${b} in the box. How many ${thing} did ${hero.name} count?`;
    },
  ],
  subtract: [
    (rng, hero, a, b) => {
      const thing = pick(rng, THINGS);
      return `${hero.name} had ${a} ${thing} and lost ${b} of them. How many ${thing} were left?`;
    },
    (rng, hero, a, b) => {
      const thing = pick(rng, THINGS);
      return `Of ${a} ${thing} ${hero.name} gave ${b} away. How many ${thing} did ${hero.subject} keep?`;
    },
  ],
  multiply: [
    (rng, hero, a, b) => {
      const thing = pick(rng, THINGS);
      return `${hero.name} had ${a} ${pick(rng, BOXES)} with ${b} ${thing} in each. How many ${thing} was that?`;
    },
  ],
};

/** What is asked of a fact: the formula, and of one in four a word problem too. */
function problemsOf(rng: Rng, fact: Fact): ArithmeticProblem[] {
  const { operation } = fact;
  const answer = String(answerOf(fact));
  const turned = operation !== 'subtract' && rng.next() < 0.5;
  const [a, b] = turned ? [fact.second, fact.first] : [fact.first, fact.second];
  const problems: ArithmeticProblem[] = [
    { operation, form: 'formula', question: `${a} ${SYMBOL[operation]} ${b}`, answer },
  ];
  // Nobody has 1 apples.
  if (rng.next() < 0.25 && fact.second > 1) {
    const question = pick(rng, STORIES[operation])(rng, person(rng), a, b);
    problems.push({ operation, form: 'story', question, answer });
  }
  return problems;
}

/** The corpus, the same for the same seed. Of the facts of each operation the last sixth is the test's. */
export function generateArithmetic(seed: string | number): Split<ArithmeticProblem> {
  const rng = createRng(seed);
  const train: ArithmeticProblem[] = [];
  const test: ArithmeticProblem[] = [];
  for (const operation of ['add', 'subtract', 'multiply'] as const) {
    const facts = shuffled(rng, factsOf(operation)).slice(0, AT_MOST);
    const held = Math.round(facts.length / 6);
    for (const [index, fact] of facts.entries()) {
      (index < facts.length - held ? train : test).push(...problemsOf(rng, fact));
    }
  }
  return { train: shuffled(rng, train), test: shuffled(rng, test) };
}
