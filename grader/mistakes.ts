/** Naming the mistake behind a wrong answer: the known wrong answer that gives the same on the same inputs. */
import { type CaseRun, runCase } from './cases.ts';
import { agree, type Tolerance } from './compare.ts';
import type { Exercise, Implementation, Mutant } from './define.ts';
import { localCandidate, type Outcome } from './evaluate.ts';
import type { Mistake } from './judgement.ts';
import type { Property } from './properties.ts';
import { checkProperty } from './property-check.ts';

export interface Named {
  readonly overall?: Mistake;
  readonly byCase: ReadonlyMap<string, Mistake>;
}

/**
 * Finds the known mistakes behind the outputs. One that gives the candidate's output on every case explains all; else each wrong
 * case takes the first mistake that gives exactly its output. A mistake that is right on a case explains nothing there.
 */
export async function nameMistakes(exercise: Exercise, runs: readonly CaseRun[]): Promise<Named> {
  const wrong = runs.filter(({ difference }) => difference !== undefined);
  // What was answered wrongly tells mistakes apart soonest.
  const telling = [...wrong, ...runs.filter(({ difference }) => difference === undefined)];
  for (const mutant of exercise.mutants) {
    if (!(await explains(mutant, telling))) continue;
    const overall = mistakeOf(mutant);
    return { overall, byCase: new Map(wrong.map(({ definition }) => [definition.name, overall])) };
  }
  const byCase = new Map<string, Mistake>();
  for (const run of wrong) {
    for (const mutant of exercise.mutants) {
      if (!(await explains(mutant, [run]))) continue;
      byCase.set(run.definition.name, mistakeOf(mutant));
      break;
    }
  }
  return { byCase };
}

const mistakeOf = ({ id, diagnosis }: Mutant): Mistake => ({ id, diagnosis });

/** Whether the mutant gives the candidate's output in each of the runs; it is not called again after the first where it does not. */
async function explains(mutant: Mutant, runs: readonly CaseRun[]): Promise<boolean> {
  const local = localCandidate(mutant);
  for (const { definition, args, outcome } of runs)
    if (!alike(await local.call(args), outcome, definition.tolerance)) return false;
  return true;
}

/** The same result, or the same error. */
function alike(imitation: Outcome, outcome: Outcome, tolerance: Tolerance): boolean {
  if (imitation.kind === 'returned' && outcome.kind === 'returned') {
    return agree(imitation.value, outcome.value, tolerance);
  }
  return imitation.kind === 'threw' && outcome.kind === 'threw' && imitation.message === outcome.message;
}

/** A mistake that leaves all values right shows in a property: the first known one that fails it with the same words. */
export async function nameByProperty(
  exercise: Exercise,
  definition: Property,
  seed: string,
  message: string,
  open: boolean,
): Promise<Mistake | undefined> {
  for (const mutant of exercise.mutants) {
    if (!(await valuesAreRight(exercise, mutant, seed))) continue;
    if ((await checkProperty(exercise, definition, localCandidate(mutant), seed, open)) === message) {
      return mistakeOf(mutant);
    }
  }
  return undefined;
}

async function valuesAreRight(
  exercise: Exercise,
  implementation: Implementation,
  seed: string,
): Promise<boolean> {
  for (const definition of exercise.cases) {
    const run = await runCase(exercise, definition, localCandidate(implementation), seed);
    if (run.outcome.kind !== 'returned' || run.difference !== undefined) return false;
  }
  return true;
}
