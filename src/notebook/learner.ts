/** Going on in a notebook whose exercises are not all solved. */

import { publish } from './display.ts';

/** Any function a learner writes. */
type AnyFunction = (...args: never[]) => unknown;

/** Whether the function passes the public cases of its exercise. Shows nothing. */
export async function isSolved(id: string, own: AnyFunction): Promise<boolean> {
  // Loaded on use: who only imports the library pays nothing for the exercises.
  const [{ findExercise }, { localCandidate }, { judge }] = await Promise.all([
    import('../../grader/discover.ts'),
    import('../../grader/evaluate.ts'),
    import('../../grader/judge.ts'),
  ]);
  const answer = (...args: unknown[]): unknown => Reflect.apply(own, undefined, args);
  const options = { seed: 'check', include: 'public' } as const;
  const { verdict } = await judge(await findExercise(id), localCandidate({ answer }), options);
  return verdict === 'pass';
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
