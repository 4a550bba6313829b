/**
 * Properties that hold for every right answer, next to the values: no leak, inputs unchanged, nothing seen of the future or of
 * padding, gradients that arrive. A property is checked once all values of an exercise are right.
 */
import { type Tolerance } from './compare.ts';
import type { Draw } from './draw.ts';
import { type Outcome } from './evaluate.ts';
import { type Value } from './values.ts';
/** What a property may ask for. */
export interface Probe {
  /** The inputs of a freshly drawn case. */
  readonly args: readonly Value[];
  /** Names of the arguments. */
  readonly parameters: readonly string[];
  readonly draw: Draw;
  readonly seed: string;
  readonly tolerance: Tolerance;
  /** The function under test. Throws `PropertyFailure` if it throws or its process stops. */
  call(args: readonly Value[]): Promise<
    Outcome & {
      kind: 'returned';
    }
  >;
  gradients(args: readonly Value[]): Promise<Value>;
  expectedGradients(args: readonly Value[]): Promise<Value>;
}
/** Thrown out of a probe when the function under test did not return; judged as the property failing. */
export declare class PropertyFailure extends Error {
  readonly name = 'PropertyFailure';
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
export declare const noLeak: (options?: Options) => Property;
/** The function leaves its arguments as they were. Carries no mark, as `noLeak`. */
export declare const inputsUnchanged: (options?: Options) => Property;
/** Twice the same inputs give twice the same result. */
export declare const deterministic: (options?: Options) => Property;
/** Live data handed to a definition's own functions; methods, so that they can be written with the exercise's types. */
interface Change<Args extends unknown[]> {
  /** The inputs, changed where it must not matter. Takes and returns live tensors. */
  change(args: Args, draw: Draw): Args;
  /** The part of the result that must stay the same; all of it unless given. */
  keep?(result: unknown, args: Args): unknown;
}
/** Changing the inputs in a way that must not matter leaves (a part of) the result as it was. */
export declare function invariance<Args extends unknown[]>(
  options: Options &
    Change<Args> & {
      readonly name: string;
      readonly otherwise: string;
    },
): Property;
/** What is at later positions does not change the result at earlier ones. `change` alters the future, `keep` slices the past. */
export declare function causality<Args extends unknown[]>(options: Options & Change<Args>): Property;
/** What is at padding positions does not change the result at real ones. `change` alters the padding, `keep` slices the real tokens. */
export declare function paddingInvariance<Args extends unknown[]>(options: Options & Change<Args>): Property;
/**
 * The gradient with respect to every float32 input is the reference's: it arrives wherever it should, it is right, and it does not
 * arrive where it must not. Needs a synchronous function.
 */
export declare const gradientsFlow: (
  options?: Options & {
    readonly tolerance?: Tolerance;
  },
) => Property;
/** A property in your own words: `check` gets a probe and returns undefined or a sentence to the learner. */
export declare const property: (name: string, check: Property['check'], options?: Options) => Property;
