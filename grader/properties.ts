/**
 * Properties that hold for every right answer, next to the values: no leak, inputs unchanged, nothing seen of the future or of
 * padding, gradients that arrive. A property is checked once all values of an exercise are right.
 */

import { compare, type Tolerance } from './compare.ts';
import type { Draw } from './draw.ts';
import { exclusive, type Outcome } from './evaluate.ts';
import { materialise, readValue, type Value } from './values.ts';

/** What a property may ask for. */
export interface Probe {
  /** The inputs of a freshly drawn case. */
  readonly args: readonly Value[];
  /** Names of the arguments. */
  readonly parameters: readonly string[];
  readonly draw: Draw;
  readonly seed: string;
  readonly tolerance: Tolerance;
  /** Whether nothing is hidden from the function under test: only then may a sentence hold a number that it could choose. */
  readonly open: boolean;
  /** The function under test. Throws `PropertyFailure` if it throws or its process stops. */
  call(args: readonly Value[]): Promise<Outcome & { kind: 'returned' }>;
  gradients(args: readonly Value[]): Promise<Value>;
  expectedGradients(args: readonly Value[]): Promise<Value>;
}

/** Thrown out of a probe when the function under test did not return; judged as the property failing. */
export class PropertyFailure extends Error {
  override readonly name = 'PropertyFailure';
}

export interface Property {
  /** A few words, for the report: `no tensor leaks`. */
  readonly name: string;
  /** Its share of the points beside the cases; 1 unless given. With 0 it must hold for a pass but carries no mark. */
  readonly weight?: number;
  /** The name of the case whose inputs it draws; the first unless given. */
  readonly on?: string;
  /** Undefined if the property holds, else a sentence to the learner, without numbers of the inputs. */
  check(probe: Probe): Promise<string | undefined>;
}

interface Options {
  readonly weight?: number;
  readonly on?: string;
}

/**
 * The function leaves no tensor behind but its result. It and `inputsUnchanged` are observed in the process of the learner's code, which
 * could turn the counter back: they must hold for a pass, but no mark hangs on them.
 */
export const noLeak = (options: Options = {}): Property => ({
  weight: 0,
  ...options,
  name: 'no tensor leaks',
  check: async ({ args, call, open }) => {
    const { leaked } = await call(args);
    if (leaked === 0) return undefined;
    const many = open ? `${leaked} ${leaked === 1 ? 'tensor' : 'tensors'}` : 'tensors';
    return leaked > 0
      ? `Each call leaves ${many} behind. Wrap the body in tf.tidy(() => …): it disposes all but what you return.`
      : 'The function disposes tensors that it did not make. Dispose only your own; tf.tidy does it for you.';
  },
});

/** The function leaves its arguments as they were. Carries no mark, as `noLeak`. */
export const inputsUnchanged = (options: Options = {}): Property => ({
  weight: 0,
  ...options,
  name: 'inputs unchanged',
  check: async ({ args, call, parameters }) => {
    const { changed } = await call(args);
    if (changed.length === 0) return undefined;
    const names = changed.flatMap((place) => parameters[Number(place)] ?? []);
    const which = ['input', names.join(' and ')].filter(Boolean).join(' ');
    return `The function changes or disposes its ${which}. Make a copy, or write into a new array.`;
  },
});

/** Twice the same inputs give twice the same result. */
export const deterministic = (options: Options = {}): Property => ({
  ...options,
  name: 'same inputs, same result',
  check: async ({ args, call }) => {
    const first = await call(args);
    const second = await call(args);
    const difference = compare(first.value, second.value, {
      absolute: 0,
      relative: 0,
      reason: 'the same call twice',
    });
    return difference === undefined
      ? undefined
      : 'Two calls with the same inputs give different results. Draw only from the generator or seed that you are given, and keep nothing between calls.';
  },
});

/** Live data handed to a definition's own functions; methods, so that they can be written with the exercise's types. */
interface Change<Args extends unknown[]> {
  /** The inputs, changed where it must not matter. Takes and returns live tensors. */
  change(args: Args, draw: Draw): Args;
  /** The part of the result that must stay the same; all of it unless given. */
  keep?(result: unknown, args: Args): unknown;
}

/** Changing the inputs in a way that must not matter leaves (a part of) the result as it was. */
export function invariance<Args extends unknown[]>(
  options: Options & Change<Args> & { readonly name: string; readonly otherwise: string },
): Property {
  const { name, otherwise, weight, on } = options;
  const definition: Change<unknown[]> = options;
  return {
    name,
    ...(weight === undefined ? {} : { weight }),
    ...(on === undefined ? {} : { on }),
    check: async ({ args, call, draw, tolerance }) => {
      const changed = await exclusive('change', async () => {
        const moved = definition.change(args.map(materialise), draw);
        return Promise.all(moved.map((arg, i) => readValue(arg, `argument ${i}`)));
      });
      const kept = ({ value }: { value: Value }): Promise<Value> =>
        exclusive('keep', async () => {
          const result = materialise(value);
          return readValue(
            definition.keep === undefined ? result : definition.keep(result, args.map(materialise)),
          );
        });
      const before = await kept(await call(args));
      const after = await kept(await call(changed));
      return compare(before, after, tolerance) === undefined ? undefined : otherwise;
    },
  };
}

/** What is at later positions does not change the result at earlier ones. `change` alters the future, `keep` slices the past. */
export function causality<Args extends unknown[]>(options: Options & Change<Args>): Property {
  return invariance<Args>({
    ...bind(options),
    name: 'no position sees the future',
    otherwise:
      'The result at a position changes when later tokens change: the future leaks in. Look at the causal mask: query i may see keys 0…i only.',
  });
}

/** What is at padding positions does not change the result at real ones. `change` alters the padding, `keep` slices the real tokens. */
export function paddingInvariance<Args extends unknown[]>(options: Options & Change<Args>): Property {
  return invariance<Args>({
    ...bind(options),
    name: 'padding does not matter',
    otherwise:
      'The result at real tokens changes with what stands at padding positions. Look at where the attention mask is applied: padding must get no weight before the softmax.',
  });
}

function bind<Args extends unknown[]>(options: Options & Change<Args>): Options & Change<Args> {
  return { ...options };
}

/**
 * The gradient with respect to every float32 input is the reference's: it arrives wherever it should, it is right, and it does not
 * arrive where it must not. Needs a synchronous function.
 */
export const gradientsFlow = (options: Options & { readonly tolerance?: Tolerance } = {}): Property => ({
  ...(options.weight === undefined ? {} : { weight: options.weight }),
  ...(options.on === undefined ? {} : { on: options.on }),
  name: 'gradients arrive',
  check: async ({ args, gradients, expectedGradients }) => {
    const expected = await expectedGradients(args);
    const got = await gradients(args);
    if (expected.kind !== 'record' || got.kind !== 'record') return 'The gradient could not be taken.';
    const tolerance = options.tolerance ?? {
      absolute: 1e-4,
      relative: 1e-3,
      reason: 'a gradient sums many float32 products',
    };
    const noise = NEGLIGIBLE * Math.max(1, ...[...expected.entries.values()].map(largest));
    for (const [path, want] of expected.entries) {
      const came = got.entries.get(path) ?? { kind: 'null' };
      // What cancels to nothing is exactly 0 in one order of operations and a rounding error in another.
      if (largest(want) <= noise && largest(came) <= noise) continue;
      if (isZero(came)) {
        return `No gradient reaches ${path}. Something between it and the result stops it: dataSync, arraySync, a new tf.tensor, argMax, a comparison or a cast to int32.`;
      }
      if (largest(want) <= noise)
        return `A gradient reaches ${path}, and none should: it must not be trained through this function.`;
      if (compare(want, came, tolerance) !== undefined) {
        return `The values are right, but the gradient with respect to ${path} is not: part of the way is cut off or counted twice.`;
      }
    }
    return undefined;
  },
});

function isZero(value: Value): boolean {
  return value.kind !== 'tensor' || value.values.every((element) => element === 0);
}

/** Some ten roundings of float32, to be multiplied by the largest gradient of the function: what is summed may be as large as that. */
const NEGLIGIBLE = 1e-6;

/** The largest magnitude in a tensor; 0 of anything else. */
function largest(value: Value): number {
  if (value.kind !== 'tensor') return 0;
  let most = 0;
  for (const element of value.values) most = Math.max(most, Math.abs(element));
  return most;
}

/** A property in your own words: `check` gets a probe and returns undefined or a sentence to the learner. */
export const property = (name: string, check: Property['check'], options: Options = {}): Property => ({
  ...options,
  name,
  check,
});
