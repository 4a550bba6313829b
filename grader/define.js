/**
 * The format of an exercise. Import everything an exercise file needs from here; README.md in this folder shows how to write one.
 */
import { FLOAT32 } from './compare.js';

export { EXACT, FLOAT32 } from './compare.js';
export {
  causality,
  deterministic,
  gradientsFlow,
  inputsUnchanged,
  invariance,
  noLeak,
  paddingInvariance,
  property,
} from './properties.js';
/** Thrown by an answer that is still empty. */
export class NotWritten extends Error {
  name = 'NotWritten';
  constructor(entry) {
    super(`${entry} is not written yet`);
  }
}
/**
 * Checks a definition and makes an exercise of it.
 * @throws Error naming the exercise and what is wrong with it; exercises are ours, so this is a bug, not a user's mistake.
 */
export function defineExercise(definition) {
  const { id, entry, mutants, cases } = definition;
  const refuse = (why) => {
    throw new Error(`exercise ${id}: ${why}`);
  };
  if (!/^[a-z0-9-]+\/[a-z0-9-]+$/.test(id)) refuse('the id must look like family/kebab-name');
  if (!(definition.points > 0)) refuse('points must be more than 0');
  if (mutants.length < 3) refuse(`expected at least 3 mutants, got ${mutants.length}`);
  if (!cases.some((c) => c.visibility === 'public')) refuse('at least one case must be public');
  if (!cases.some((c) => c.visibility === 'hidden')) refuse('at least one case must be hidden');
  for (const [what, names] of [
    ['mutant', mutants.map((m) => m.id)],
    ['case', cases.map((c) => c.name)],
    ['property', (definition.properties ?? []).map((p) => p.name)],
  ]) {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) refuse(`two of ${what} ${twice}`);
  }
  const tolerance = definition.tolerance ?? FLOAT32;
  const stub =
    definition.stub ??
    (() => {
      throw new NotWritten(entry);
    });
  return {
    id,
    entry,
    tolerance,
    title: definition.title,
    points: definition.points,
    difficulty: definition.difficulty,
    minutes: definition.minutes,
    signature: definition.signature,
    parameters: [...definition.parameters],
    cases: cases.map((c) => ({
      name: c.name,
      visibility: c.visibility,
      weight: c.weight ?? 1,
      tolerance: c.tolerance ?? tolerance,
      inputs: c.inputs,
      ...(c.padding === undefined ? {} : { padding: c.padding }),
    })),
    reference: { id: 'reference', answer: definition.reference },
    stub: { id: 'stub', answer: stub },
    variants: (definition.variants ?? []).map((v) => ({ id: v.name, answer: v.implementation })),
    mutants: mutants.map((m) => ({ id: m.id, diagnosis: m.diagnosis, answer: m.implementation })),
    properties: definition.properties ?? [],
    hints: definition.hints,
  };
}
