/** Many tasks in one: text in, text out, mixed (Raffel et al., 2020, §2.4 and §3.5.2). */

import type { Rng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import { shuffle } from './sampling.ts';

export interface TextToTextTask {
  name: string;
  /** Set before each input, to say which task it is: `translate English to German: `. */
  prefix: string;
  examples: readonly { input: string; target: string }[];
}

export interface MixingOptions {
  /**
   * Artificial limit on a task's size, so that a large one does not drown the others (K in the paper). Default: none.
   */
  cap?: number;
  /** 1 mixes in proportion to (capped) sizes; towards infinity all tasks become equal. Default 1. */
  temperature?: number;
}

/**
 * The share of each task: rₘ = min(eₘ, K) / Σ min(eₙ, K), each raised to 1/T and made to sum to 1 again.
 *
 * @param sizes number of examples of each task
 */
export function mixingRates(sizes: readonly number[], options: MixingOptions = {}): number[] {
  const { cap = Number.POSITIVE_INFINITY, temperature = 1 } = options;
  if (sizes.length === 0 || sizes.some((size) => !(size > 0))) {
    throw new InputError(`mixingRates: every task needs examples, got sizes [${sizes.join(', ')}]`);
  }
  if (!(cap > 0)) throw new InputError(`mixingRates: cap must be positive, got ${cap}`);
  if (!(temperature > 0))
    throw new InputError(`mixingRates: temperature must be positive, got ${temperature}`);
  const weights = sizes.map((size) => Math.min(size, cap) ** (1 / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/**
 * An endless stream of examples, each from a task drawn by its share, its prefix before its input. A task's examples
 * come in random order, each once before any comes again.
 */
export function* mixTasks(
  tasks: readonly TextToTextTask[],
  rng: Rng,
  options: MixingOptions = {},
): Generator<{ task: string; input: string; target: string }, never> {
  const rates = mixingRates(
    tasks.map(({ examples }) => examples.length),
    options,
  );
  const queues = tasks.map((): { input: string; target: string }[] => []);
  for (;;) {
    let left = rng.next();
    let drawn = rates.findIndex((rate) => {
      left -= rate;
      return left < 0;
    });
    if (drawn === -1) drawn = rates.length - 1; // the shares may sum to a little less than 1
    const [task, queue] = [tasks[drawn], queues[drawn]];
    if (task === undefined || queue === undefined) throw new InputError('mixTasks: there is no task');
    if (queue.length === 0) queue.push(...shuffle(task.examples, rng));
    const example = queue.pop();
    if (example !== undefined)
      yield { task: task.name, input: task.prefix + example.input, target: example.target };
  }
}
