import { type Value } from './values.ts';
/** A function under test, its types forgotten. Method syntax, so that any function of the exercise fits. */
export interface Answerer {
  answer(...args: unknown[]): unknown;
}
/** What came of a call. */
export type Outcome =
  | {
      readonly kind: 'returned';
      readonly value: Value;
      /** Tensors that are alive after the call and are neither inputs nor part of the result. */
      readonly leaked: number;
      /** Paths of inputs that were changed or disposed. */
      readonly changed: readonly string[];
    }
  | {
      readonly kind: 'threw';
      readonly message: string;
    }
  /** The process that ran the function is gone: out of time, out of memory, or it ended itself. */
  | {
      readonly kind: 'stopped';
      readonly cause: 'timeout' | 'memory' | 'exit';
      readonly message: string;
    };
/** Something that answers calls: a function in this process, or a sandbox around one. */
export interface Candidate {
  call(args: readonly Value[]): Promise<Outcome>;
  /** The gradient of the seeded random weighting of the result with respect to every float32 input, by path. */
  gradients(args: readonly Value[], parameters: readonly string[], seed: string): Promise<Outcome>;
}
/** A candidate in this process. */
export declare function localCandidate(answerer: Answerer): Candidate;
/** An error of the learner's as a short text: what was thrown can be anything, and its getters can throw as well. */
export declare function thrownText(error: unknown): string;
/**
 * Runs work on live tensors in a scope of its own, and disposes everything it made. Scopes of TensorFlow.js are a stack shared by the
 * whole process, so only one such piece of work runs at a time, however many submissions are being graded.
 */
export declare function exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
/** Calls the function once. Everything it made is disposed afterwards, whatever happened. */
export declare function evaluate(answerer: Answerer, args: readonly Value[]): Promise<Outcome>;
/**
 * The gradient of Σ w·y over all float32 tensors y of the result, with w drawn from the seed, with respect to every float32
 * tensor among the arguments. Returned as a record from path to gradient, null where none arrives.
 */
export declare function differentiate(
  answerer: Answerer,
  args: readonly Value[],
  parameters: readonly string[],
  seed: string,
): Promise<Outcome>;
/** The shape of a gradient, for messages. */
export declare const gradientShape: (value: Value) => string;
