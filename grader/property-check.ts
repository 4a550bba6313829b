/** Checking one property on a candidate. */
import { drawInputs } from './cases.ts';
import type { Exercise } from './define.ts';
import { createDraw } from './draw.ts';
import { type Candidate, localCandidate, type Outcome } from './evaluate.ts';
import { EnvironmentFault } from './fault.ts';
import { type Probe, type Property, PropertyFailure } from './properties.ts';

/**
 * Undefined if the property holds, else the sentence to the learner.
 * @param open whether an error's own words may be told: not once the candidate has seen hidden inputs
 */
export async function checkProperty(
  exercise: Exercise,
  definition: Property,
  candidate: Candidate,
  seed: string,
  open = false,
): Promise<string | undefined> {
  const on = exercise.cases.find((c) =>
    definition.on === undefined ? c.visibility === 'public' : c.name === definition.on,
  );
  if (on === undefined)
    throw new EnvironmentFault(`${exercise.id}: property '${definition.name}' names no case`);
  const label = `${seed}/property/${definition.name}`;
  const { args } = await drawInputs(on, label);
  const returned = async (pending: Promise<Outcome>): Promise<Outcome & { kind: 'returned' }> => {
    const outcome = await pending;
    if (outcome.kind === 'returned') return outcome;
    throw new PropertyFailure(
      outcome.kind === 'threw'
        ? open
          ? `Your function threw an error when “${definition.name}” was checked: ${outcome.message}`
          : `Your function threw an error when “${definition.name}” was checked.`
        : outcome.message,
    );
  };
  const probe: Probe = {
    args,
    parameters: exercise.parameters,
    draw: createDraw(`${label}/draw`),
    seed: label,
    open,
    tolerance: on.tolerance,
    call: (given) => returned(candidate.call(given)),
    gradients: async (given) =>
      (await returned(candidate.gradients(given, exercise.parameters, label))).value,
    expectedGradients: async (given) => {
      const outcome = await localCandidate(exercise.reference).gradients(given, exercise.parameters, label);
      if (outcome.kind === 'returned') return outcome.value;
      throw new EnvironmentFault(`the reference of ${exercise.id} has no gradient: ${outcome.message}`);
    },
  };
  try {
    return await definition.check(probe);
  } catch (error) {
    if (error instanceof PropertyFailure) return error.message;
    throw error;
  }
}
