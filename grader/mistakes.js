/** Naming the mistake behind a wrong answer: the known wrong answer that gives the same on the same inputs. */
import { runCase } from './cases.js';
import { agree } from './compare.js';
import { localCandidate } from './evaluate.js';
import { checkProperty } from './property-check.js';
/**
 * Finds the known mistakes behind the outputs. One that gives the candidate's output on every case explains all; else each wrong
 * case takes the first mistake that gives exactly its output. A mistake that is right on a case explains nothing there.
 */
export async function nameMistakes(exercise, runs) {
  const byCase = new Map();
  let overall;
  for (const mutant of exercise.mutants) {
    const local = localCandidate(mutant);
    const mistake = { id: mutant.id, diagnosis: mutant.diagnosis };
    let everywhere = true;
    for (const { definition, args, outcome, difference } of runs) {
      const imitation = await local.call(args);
      if (!alike(imitation, outcome, definition.tolerance)) everywhere = false;
      else if (difference !== undefined && !byCase.has(definition.name)) byCase.set(definition.name, mistake);
    }
    if (everywhere) overall ??= mistake;
  }
  if (overall === undefined) return { byCase };
  const all = overall;
  // The one that explains everything is named everywhere.
  for (const { definition, difference } of runs)
    if (difference !== undefined) byCase.set(definition.name, all);
  return { overall, byCase };
}
/** The same result, or the same error. */
function alike(imitation, outcome, tolerance) {
  if (imitation.kind === 'returned' && outcome.kind === 'returned') {
    return agree(imitation.value, outcome.value, tolerance);
  }
  return imitation.kind === 'threw' && outcome.kind === 'threw' && imitation.message === outcome.message;
}
/** A mistake that leaves all values right shows in a property: the first known one that fails it with the same words. */
export async function nameByProperty(exercise, definition, seed, message) {
  for (const mutant of exercise.mutants) {
    if (!(await valuesAreRight(exercise, mutant, seed))) continue;
    if ((await checkProperty(exercise, definition, localCandidate(mutant), seed)) === message) {
      return { id: mutant.id, diagnosis: mutant.diagnosis };
    }
  }
  return undefined;
}
async function valuesAreRight(exercise, implementation, seed) {
  for (const definition of exercise.cases) {
    const run = await runCase(exercise, definition, localCandidate(implementation), seed);
    if (run.outcome.kind !== 'returned' || run.difference !== undefined) return false;
  }
  return true;
}
