/** Going on in a notebook whose exercises are not all solved. */

import { publish } from './display.ts';

/** Any function a learner writes. */
type AnyFunction = (...args: never[]) => unknown;

/** Loaded on use: who only imports the library pays nothing for the exercises. */
async function loadJudge() {
  const [{ findExercise }, { localCandidate }, { judge }] = await Promise.all([
    import('../../grader/discover.ts'),
    import('../../grader/evaluate.ts'),
    import('../../grader/judge.ts'),
  ]);
  return { findExercise, localCandidate, judge };
}

/**
 * Whether the function passes the public cases of its exercise. Shows nothing. While it is graded a notebook runs where
 * the exercises are out of reach: then nothing counts as solved, and each exercise is judged beside the library's
 * versions of the others.
 */
export async function isSolved(id: string, own: AnyFunction): Promise<boolean> {
  const loaded = await loadJudge().catch((error: unknown) => {
    if (isOutOfReach(error)) return undefined;
    throw error;
  });
  if (loaded === undefined) return false;
  const answer = (...args: unknown[]): unknown => Reflect.apply(own, undefined, args);
  const options = { seed: 'check', include: 'public' } as const;
  const exercise = await loaded.findExercise(id);
  const { verdict } = await loaded.judge(exercise, loaded.localCandidate({ answer }), options);
  return verdict === 'pass';
}

function isOutOfReach(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_ACCESS_DENIED' || code === 'ENOENT';
}

/**
 * The learner's function if it passes its check, else the one given instead, with a line that says so. Later cells
 * work either way.
 */
export async function orReference<F extends AnyFunction>(id: string, own: F, reference: F): Promise<F> {
  if (await isSolved(id, own)) return own;
  note(`${own.name || id} does not pass its check yet: the library's version is used here.`);
  return reference;
}

/** Runs what needs the learner's function, once that passes its check; says what is missing until then. */
export async function whenSolved(id: string, own: AnyFunction, run: () => unknown): Promise<void> {
  if (await isSolved(id, own)) await run();
  else note(`This cell needs your ${own.name || id}: run it again once the check of ${id} passes.`);
}

function note(text: string): void {
  publish({ 'text/html': `<p>➜ ${text}</p>`, 'text/plain': `➜ ${text}` });
}

/** A number of training steps: in full, or the shorter one where `LLM_LAB_FAST=1` is set, as the tests do. */
export function stepsFor(full: number, fast: number): number {
  return process.env.LLM_LAB_FAST === '1' ? fast : full;
}
