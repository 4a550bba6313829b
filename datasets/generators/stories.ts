/**
 * The stories corpus: short tales of children, animals, food and weather in simple English.
 *
 * Made so that a very small model can learn something one can see. The world is fixed (a cow eats grass and says moo,
 * a lemon is yellow, rain calls for an umbrella), so a blank has a right answer; and one story keeps to one person,
 * one thing and one place, so that a sentence tells which sentence can follow it.
 */

import { createRng, type Rng } from '../../src/core/random.ts';
import { type Person, person, pick, pickSome, sentence, withArticle } from './choose.ts';

type Plot = (rng: Rng, hero: Person) => string[];

const ANIMALS = [
  { name: 'cow', food: 'grass', sound: 'moo', home: 'barn', young: 'calf' },
  { name: 'horse', food: 'hay', sound: 'neigh', home: 'stable', young: 'foal' },
  { name: 'cat', food: 'fish', sound: 'meow', home: 'basket', young: 'kitten' },
  { name: 'dog', food: 'meat', sound: 'woof', home: 'kennel', young: 'puppy' },
  { name: 'duck', food: 'bread', sound: 'quack', home: 'pond', young: 'duckling' },
  { name: 'hen', food: 'corn', sound: 'cluck', home: 'coop', young: 'chick' },
];

const FRUIT = [
  { name: 'lemon', colour: 'yellow', taste: 'sour' },
  { name: 'banana', colour: 'yellow', taste: 'sweet' },
  { name: 'cherry', colour: 'red', taste: 'sweet' },
  { name: 'tomato', colour: 'red', taste: 'juicy' },
  { name: 'carrot', colour: 'orange', taste: 'crisp' },
  { name: 'plum', colour: 'purple', taste: 'sweet' },
];

const WEATHER = [
  {
    sky: 'rain',
    verb: 'rained',
    thing: 'umbrella',
    look: 'grey',
    feel: 'wet',
    play: 'jumped into the puddles',
  },
  { sky: 'snow', verb: 'snowed', thing: 'sledge', look: 'white', feel: 'cold', play: 'built a snowman' },
  { sky: 'sun', verb: 'was sunny', thing: 'hat', look: 'blue', feel: 'hot', play: 'swam in the lake' },
  { sky: 'wind', verb: 'was windy', thing: 'kite', look: 'cloudy', feel: 'cool', play: 'ran up the hill' },
];

const DISHES = [
  { name: 'soup', parts: ['carrots', 'potatoes', 'onions'], tool: 'pot', does: 'boiled', eaten: 'spoon' },
  { name: 'cake', parts: ['flour', 'eggs', 'sugar'], tool: 'oven', does: 'baked', eaten: 'fork' },
  { name: 'salad', parts: ['lettuce', 'tomatoes', 'oil'], tool: 'bowl', does: 'mixed', eaten: 'fork' },
  { name: 'jam', parts: ['berries', 'sugar', 'lemon juice'], tool: 'pot', does: 'boiled', eaten: 'spoon' },
  { name: 'bread', parts: ['flour', 'salt', 'yeast'], tool: 'oven', does: 'baked', eaten: 'knife' },
];

const TRAVEL = [
  { by: 'boat', on: 'river', goal: 'island', crew: 'captain', does: 'sailed' },
  { by: 'train', on: 'rails', goal: 'city', crew: 'driver', does: 'rolled' },
  { by: 'plane', on: 'clouds', goal: 'mountains', crew: 'pilot', does: 'flew' },
  { by: 'bus', on: 'road', goal: 'museum', crew: 'driver', does: 'drove' },
];

const CRAFTS = [
  { job: 'baker', makes: 'bread', place: 'bakery', tool: 'oven' },
  { job: 'painter', makes: 'pictures', place: 'studio', tool: 'brush' },
  { job: 'farmer', makes: 'corn', place: 'farm', tool: 'tractor' },
  { job: 'teacher', makes: 'lessons', place: 'school', tool: 'chalk' },
  { job: 'doctor', makes: 'sick people well', place: 'hospital', tool: 'needle' },
  { job: 'tailor', makes: 'coats', place: 'shop', tool: 'scissors' },
];

const TOYS = ['ball', 'doll', 'drum', 'robot', 'puzzle', 'teddy bear', 'toy car', 'whistle'];
const COLOURS = ['red', 'blue', 'green', 'yellow', 'brown', 'black'];
const SPOTS = [
  'under the bed',
  'behind the door',
  'in the box',
  'on the shelf',
  'under the table',
  'in the garden',
];
const RELATIVES = ['mother', 'father', 'sister', 'brother', 'grandmother', 'grandfather'];
const HAPPY = ['was happy', 'was glad', 'laughed', 'smiled', 'was very happy'];
const TIMES = ['One day', 'One morning', 'Last week', 'In the afternoon', 'On Sunday', 'Yesterday'];

function lostToy(rng: Rng, hero: Person): string[] {
  const toy = pick(rng, TOYS);
  const colour = pick(rng, COLOURS);
  const helper = pick(rng, RELATIVES);
  const [wrong, alsoWrong, right] = pickSome(rng, SPOTS, 3);
  return [
    pick(rng, [
      `${hero.name} had a ${colour} ${toy}.`,
      `${hero.name} got a ${colour} ${toy} from ${hero.own} ${helper}.`,
    ]),
    pick(rng, [
      `${hero.name} played with the ${colour} ${toy} every day.`,
      `The ${toy} was the best of all ${hero.own} toys.`,
    ]),
    pick(rng, [
      `${pick(rng, TIMES)} the ${toy} was lost.`,
      `${pick(rng, TIMES)} ${hero.name} could not find the ${toy}.`,
    ]),
    `${sentence(hero.subject)} looked for the ${toy} ${wrong}, but it was not there.`,
    pick(rng, [
      `Then ${hero.subject} looked ${alsoWrong}.`,
      `${sentence(hero.subject)} asked ${hero.own} ${helper} to help ${hero.object} look for it.`,
    ]),
    `At last ${hero.subject} found the ${colour} ${toy} ${right}.`,
    pick(rng, [
      `${hero.name} ${pick(rng, HAPPY)} and played with the ${toy} again.`,
      `${hero.name} hugged the ${toy} and ${pick(rng, HAPPY)}.`,
    ]),
  ];
}

function feeding(rng: Rng, hero: Person): string[] {
  const animal = pick(rng, ANIMALS);
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `${hero.name} visited the farm with ${hero.own} ${helper}.`,
      `${hero.name} saw ${withArticle(animal.name)} on the farm.`,
      `${pick(rng, TIMES)} ${hero.name} went to see the ${animal.name}.`,
    ]),
    pick(rng, [
      `The ${animal.name} lived in the ${animal.home}.`,
      `The ${animal.name} came out of the ${animal.home}.`,
    ]),
    pick(rng, [
      `The ${animal.name} was hungry and said ${animal.sound}.`,
      `"${sentence(animal.sound)}," said the ${animal.name}.`,
    ]),
    pick(rng, [
      `${hero.name} knew that the ${animal.name} likes to eat ${animal.food}.`,
      `"What does the ${animal.name} eat?" asked ${hero.name}.`,
    ]),
    pick(rng, [
      `So ${hero.subject} gave the ${animal.name} some ${animal.food}.`,
      `${sentence(hero.subject)} brought ${animal.food} for the ${animal.name}.`,
      `The ${animal.name} eats ${animal.food}, said ${hero.own} ${helper}.`,
    ]),
    pick(rng, [
      `The ${animal.name} ate all the ${animal.food} and said ${animal.sound} again.`,
      `The ${animal.name} had a little ${animal.young} that wanted ${animal.food} too.`,
    ]),
    pick(rng, [
      `Then the ${animal.name} went back to the ${animal.home}.`,
      `In the evening the ${animal.name} slept in the ${animal.home}.`,
    ]),
  ];
}

function market(rng: Rng, hero: Person): string[] {
  const [fruit, other] = pickSome(rng, FRUIT, 2);
  if (fruit === undefined || other === undefined) return [];
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `${hero.name} went to the market with ${hero.own} ${helper}.`,
      `${pick(rng, TIMES)} ${hero.name} and ${hero.own} ${helper} went to the market.`,
    ]),
    pick(rng, [
      `There ${hero.subject} saw ${withArticle(fruit.colour)} ${fruit.name} and ${withArticle(other.colour)} ${other.name}.`,
      `There was ${withArticle(fruit.name)} that was ${fruit.colour} and ${withArticle(other.name)} that was ${other.colour}.`,
    ]),
    pick(rng, [
      `${hero.name} wanted the ${fruit.name} because it was ${fruit.taste}.`,
      `"The ${fruit.name} is ${fruit.colour}," said ${hero.name}.`,
    ]),
    pick(rng, [
      `${sentence(hero.own)} ${helper} paid for the ${fruit.name}.`,
      `They bought the ${fruit.colour} ${fruit.name} but not the ${other.name}.`,
    ]),
    pick(rng, [
      `At home ${hero.name} cut the ${fruit.name} with a knife.`,
      `At home ${hero.subject} put the ${fruit.name} on a plate.`,
    ]),
    pick(rng, [
      `The ${fruit.colour} ${fruit.name} was very ${fruit.taste}.`,
      `${sentence(withArticle(fruit.name))} is ${fruit.colour} and tastes ${fruit.taste}.`,
    ]),
  ];
}

function weather(rng: Rng, hero: Person): string[] {
  const day = pick(rng, WEATHER);
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `${pick(rng, TIMES)} it ${day.verb}.`,
      `${pick(rng, TIMES)} the sky was ${day.look} and it ${day.verb}.`,
    ]),
    pick(rng, [
      `${hero.name} looked out of the window and saw the ${day.sky}.`,
      `${hero.name} heard about the ${day.sky} from ${hero.own} ${helper}.`,
    ]),
    pick(rng, [
      `${sentence(hero.subject)} took ${hero.own} ${day.thing} and went out into the ${day.sky}.`,
      `"Take your ${day.thing}," said ${hero.own} ${helper}, "there is ${day.sky} today."`,
    ]),
    pick(rng, [
      `Outside ${hero.subject} ${day.play}.`,
      `With ${hero.own} friends ${hero.subject} ${day.play}.`,
    ]),
    pick(rng, [
      `The day was ${day.feel}, but ${hero.name} had the ${day.thing}.`,
      `It was so ${day.feel} that ${hero.subject} was glad to have the ${day.thing}.`,
    ]),
    pick(rng, [
      `In the evening ${hero.name} told ${hero.own} ${helper} about the ${day.sky}.`,
      `In the evening ${hero.subject} came home ${day.feel} and tired.`,
    ]),
  ];
}

function cooking(rng: Rng, hero: Person): string[] {
  const dish = pick(rng, DISHES);
  const [a, b, c] = pickSome(rng, dish.parts, 3);
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `${hero.name} and ${hero.own} ${helper} wanted to make ${dish.name}.`,
      `${pick(rng, TIMES)} ${hero.name} made ${dish.name} for ${hero.own} ${helper}.`,
    ]),
    pick(rng, [
      `For the ${dish.name} they needed ${a}, ${b} and ${c}.`,
      `To make ${dish.name} you need ${a} and ${b}.`,
    ]),
    pick(rng, [
      `${hero.name} took the ${a} and ${hero.own} ${helper} took the ${b}.`,
      `First ${hero.subject} washed ${hero.own} hands and got the ${a}.`,
    ]),
    pick(rng, [
      `They ${dish.does} the ${dish.name} in the ${dish.tool}.`,
      `Then the ${dish.name} was ${dish.does} in the ${dish.tool}.`,
    ]),
    pick(rng, [`Soon the ${dish.name} smelled good.`, `The kitchen smelled of ${dish.name}.`]),
    pick(rng, [
      `${hero.name} ate the ${dish.name} with a ${dish.eaten}.`,
      `The whole family ate the ${dish.name} and ${pick(rng, HAPPY)}.`,
    ]),
  ];
}

function journey(rng: Rng, hero: Person): string[] {
  const trip = pick(rng, TRAVEL);
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `${hero.name} wanted to travel to the ${trip.goal}.`,
      `${pick(rng, TIMES)} ${hero.name} went on a trip with ${hero.own} ${helper}.`,
    ]),
    pick(rng, [
      `They took the ${trip.by} to the ${trip.goal}.`,
      `The way to the ${trip.goal} was long, so they took the ${trip.by}.`,
    ]),
    pick(rng, [
      `The ${trip.by} ${trip.does} over the ${trip.on}.`,
      `The ${trip.crew} of the ${trip.by} said hello to ${hero.name}.`,
    ]),
    pick(rng, [
      `${hero.name} sat at the window of the ${trip.by} and looked at the ${trip.on}.`,
      `"How fast the ${trip.by} is," said ${hero.name}.`,
    ]),
    pick(rng, [
      `The ${trip.crew} stopped the ${trip.by} at the ${trip.goal}.`,
      `After an hour they saw the ${trip.goal}.`,
    ]),
    pick(rng, [
      `${hero.name} liked the ${trip.goal} very much.`,
      `In the evening the ${trip.by} took them home from the ${trip.goal}.`,
    ]),
  ];
}

function work(rng: Rng, hero: Person): string[] {
  const craft = pick(rng, CRAFTS);
  const helper = pick(rng, RELATIVES);
  return [
    pick(rng, [
      `The ${helper} of ${hero.name} was ${withArticle(craft.job)}.`,
      `${hero.name} wanted to become ${withArticle(craft.job)}.`,
    ]),
    pick(rng, [
      `${sentence(withArticle(craft.job))} works in the ${craft.place}.`,
      `Every day the ${craft.job} goes to the ${craft.place}.`,
    ]),
    pick(rng, [
      `The ${craft.job} makes ${craft.makes}.`,
      `In the ${craft.place} the ${craft.job} makes ${craft.makes}.`,
    ]),
    pick(rng, [
      `${pick(rng, TIMES)} ${hero.name} visited the ${craft.place}.`,
      `${hero.name} asked the ${craft.job} many questions.`,
    ]),
    pick(rng, [
      `The ${craft.job} showed ${hero.object} the ${craft.tool}.`,
      `${sentence(hero.subject)} was allowed to hold the ${craft.tool}.`,
    ]),
    pick(rng, [
      `"One day I will be ${withArticle(craft.job)} too," said ${hero.name}.`,
      `${hero.name} ${pick(rng, HAPPY)} and thanked the ${craft.job}.`,
    ]),
  ];
}

/** Animals and food come most often: what the notebooks ask about has to be seen a few times. */
const PLOTS: readonly Plot[] = [
  ...[feeding, feeding, feeding],
  ...[market, market, weather, weather],
  ...[cooking, cooking, lostToy, lostToy],
  ...[journey, work],
];

/** One story: its sentences in order. A sentence is now and then left out, so that order is not a counter. */
export function story(rng: Rng): string[] {
  const lines = pick(rng, PLOTS)(rng, person(rng));
  const dropped = rng.next() < 0.5 ? rng.integer(lines.length) : -1;
  return lines.filter((_, index) => index !== dropped);
}

/** `count` different stories, the same for the same seed. */
export function generateStories(count: number, seed: string | number): string[][] {
  const rng = createRng(seed);
  const stories = new Map<string, string[]>();
  while (stories.size < count) {
    const lines = story(rng);
    stories.set(lines.join(' '), lines);
  }
  return [...stories.values()];
}
