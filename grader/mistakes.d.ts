/** Naming the mistake behind a wrong answer: the known wrong answer that gives the same on the same inputs. */
import { type CaseRun } from './cases.ts';
import type { Exercise } from './define.ts';
import type { Mistake } from './judgement.ts';
import type { Property } from './properties.ts';
export interface Named {
  readonly overall?: Mistake;
  readonly byCase: ReadonlyMap<string, Mistake>;
}
/**
 * Finds the known mistakes behind the outputs. One that gives the candidate's output on every case explains all; else each wrong
 * case takes the first mistake that gives exactly its output. A mistake that is right on a case explains nothing there.
 */
export declare function nameMistakes(exercise: Exercise, runs: readonly CaseRun[]): Promise<Named>;
/** A mistake that leaves all values right shows in a property: the first known one that fails it with the same words. */
export declare function nameByProperty(
  exercise: Exercise,
  definition: Property,
  seed: string,
  message: string,
): Promise<Mistake | undefined>;
