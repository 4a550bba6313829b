/**
 * Calling a function under test: on fresh tensors, with its leaks counted, its inputs looked at afterwards and, where asked, its
 * gradient taken. The same code runs in a notebook (`check`), in the grader for references and mutants, and in the sandbox.
 */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from '../src/errors.ts';
import { createDraw } from './draw.ts';
import { materialise, readValue, shapeText, tensorsIn, UnreadableValue, type Value } from './values.ts';

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
  | { readonly kind: 'threw'; readonly message: string }
  /** The process that ran the function is gone: out of time, out of memory, or it ended itself. */
  | { readonly kind: 'stopped'; readonly cause: 'timeout' | 'memory' | 'exit'; readonly message: string };

/** Something that answers calls: a function in this process, or a sandbox around one. */
export interface Candidate {
  call(args: readonly Value[]): Promise<Outcome>;
  /** The gradient of the seeded random weighting of the result with respect to every float32 input, by path. */
  gradients(args: readonly Value[], parameters: readonly string[], seed: string): Promise<Outcome>;
}

/** A candidate in this process. */
export function localCandidate(answerer: Answerer): Candidate {
  return {
    call: (args) => evaluate(answerer, args),
    gradients: (args, parameters, seed) => differentiate(answerer, args, parameters, seed),
  };
}

const MESSAGE_LIMIT = 600;

/** An error of the learner's as a short text: what was thrown can be anything, and its getters can throw as well. */
export function thrownText(error: unknown): string {
  try {
    const text = String(messageOf(error));
    return text.length > MESSAGE_LIMIT ? `${text.slice(0, MESSAGE_LIMIT)}…` : text;
  } catch {
    return 'an error that cannot be printed';
  }
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs work on live tensors in a scope of its own, and disposes everything it made. Scopes of TensorFlow.js are a stack shared by the
 * whole process, so only one such piece of work runs at a time, however many submissions are being graded.
 */
export function exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
  const run = last.then(async () => {
    const engine = tf.engine();
    engine.startScope(name);
    try {
      return await work();
    } finally {
      engine.endScope();
    }
  });
  last = run.catch(() => {});
  return run;
}

/** Lets go of work that will never end: an answer whose promise never settled, in a cell that was interrupted. */
export function forgetPending(): void {
  last = Promise.resolve();
}

/** Calls the function once. Everything it made is disposed afterwards, whatever happened. */
export function evaluate(answerer: Answerer, args: readonly Value[]): Promise<Outcome> {
  return exclusive('exercise', () => callOnce(answerer, args));
}

async function callOnce(answerer: Answerer, args: readonly Value[]): Promise<Outcome> {
  try {
    const live = args.map(materialise);
    const inputs = new Set(tensorsIn(live).map(({ tensor }) => tensor.id));
    const before = tf.memory().numTensors;
    const result = await answerer.answer(...live);
    const produced = tensorsIn(result).filter(
      ({ tensor }) => !inputs.has(tensor.id) && !tensor.isDisposed,
    ).length;
    const leaked = tf.memory().numTensors - before - produced;
    return {
      kind: 'returned',
      value: await readValue(result),
      leaked,
      changed: await changedInputs(args, live),
    };
  } catch (error) {
    return { kind: 'threw', message: thrownText(error) };
  }
}

async function changedInputs(before: readonly Value[], live: readonly unknown[]): Promise<string[]> {
  const changed: string[] = [];
  for (const [i, original] of before.entries()) {
    try {
      // Bit for bit: nothing may touch an input.
      const now = await readValue(live[i], `argument ${i}`);
      if (!identical(original, now)) changed.push(`${i}`);
    } catch (error) {
      if (!(error instanceof UnreadableValue)) throw error;
      changed.push(`${i}`);
    }
  }
  return changed;
}

function identical(a: Value, b: Value): boolean {
  if ((a.kind === 'tensor' && b.kind === 'tensor') || (a.kind === 'typed' && b.kind === 'typed')) {
    return a.values.length === b.values.length && a.values.every((value, i) => Object.is(value, b.values[i]));
  }
  if (a.kind === 'list' && b.kind === 'list') {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, i) => identical(item, b.items[i] ?? { kind: 'undefined' }))
    );
  }
  if (a.kind === 'record' && b.kind === 'record') {
    const { entries } = b;
    return (
      a.entries.size === entries.size &&
      [...a.entries].every(([key, item]) => identical(item, entries.get(key) ?? { kind: 'undefined' }))
    );
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const { entries } = b;
    return (
      a.entries.length === entries.length &&
      a.entries.every(([key, item], i) => {
        const [otherKey, other] = entries[i] ?? [];
        return (
          otherKey !== undefined && other !== undefined && identical(key, otherKey) && identical(item, other)
        );
      })
    );
  }
  if ('value' in a && 'value' in b) return Object.is(a.value, b.value);
  return a.kind === b.kind;
}

/**
 * The gradient of Σ w·y over all float32 tensors y of the result, with w drawn from the seed, with respect to every float32
 * tensor among the arguments. Returned as a record from path to gradient, null where none arrives.
 */
export function differentiate(
  answerer: Answerer,
  args: readonly Value[],
  parameters: readonly string[],
  seed: string,
): Promise<Outcome> {
  return exclusive('gradients', () => gradientsOnce(answerer, args, parameters, seed));
}

async function gradientsOnce(
  answerer: Answerer,
  args: readonly Value[],
  parameters: readonly string[],
  seed: string,
): Promise<Outcome> {
  try {
    const live = args.map(materialise);
    const named = Object.fromEntries(live.map((arg, i) => [parameters[i] ?? `argument ${i}`, arg]));
    const inputs = tensorsIn(named).filter(({ tensor }) => tensor.dtype === 'float32');
    const { grads } = tf.engine().gradients(
      () => weighted(answerer.answer(...live), seed),
      inputs.map(({ tensor }) => tensor),
      undefined,
      true,
    );
    const byPath = Object.fromEntries(inputs.map(({ path }, i) => [path, grads[i] ?? null]));
    return { kind: 'returned', value: await readValue(byPath), leaked: 0, changed: [] };
  } catch (error) {
    return { kind: 'threw', message: thrownText(error) };
  }
}

function weighted(result: unknown, seed: string): tf.Scalar {
  if (result instanceof Promise) {
    throw new UnreadableValue(
      'the function is asynchronous; a gradient passes only through a function that returns at once',
    );
  }
  const draw = createDraw(seed);
  const terms = tensorsIn(result)
    .filter(({ tensor }) => tensor.dtype === 'float32')
    .map(({ tensor }) => tf.sum(tf.mul(tensor, draw.normal(tensor.shape))));
  if (terms.length === 0)
    throw new UnreadableValue('the result holds no float32 tensor to take a gradient of');
  return tf.addN(terms.map((term) => term.asScalar()));
}

/** The shape of a gradient, for messages. */
export const gradientShape = (value: Value): string =>
  value.kind === 'tensor' ? shapeText(value.shape) : value.kind;
