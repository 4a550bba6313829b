/**
 * The format of an exercise. Import everything an exercise file needs from here; README.md in this folder shows how to write one.
 */
import { FLOAT32, type Tolerance } from './compare.ts';
import type { Draw } from './draw.ts';
import type { Property } from './properties.ts';

export { EXACT, FLOAT32, type Tolerance } from './compare.ts';
export type { Draw } from './draw.ts';
export {
  causality,
  deterministic,
  gradientsFlow,
  inputsUnchanged,
  invariance,
  noLeak,
  type Property,
  paddingInvariance,
  property,
} from './properties.ts';

/** Inputs of one kind, drawn anew for every learner. */
export interface CaseDefinition<Args extends unknown[]> {
  /** Unique within the exercise and told to the learner, even when hidden: say what is tried, not with which numbers. */
  readonly name: string;
  readonly visibility: 'public' | 'hidden';
  /** Its share of the points; 1 unless given. */
  readonly weight?: number;
  /** The exercise's tolerance unless given. */
  readonly tolerance?: Tolerance;
  /** The arguments, drawn from the seed behind `draw`. */
  readonly inputs: (draw: Draw) => Args;
  /** The [batch, length] mask among the arguments, 1 = token, where the result's first axes are the same: lets feedback say "right but for padding". */
  readonly padding?: (args: Args) => unknown;
}

/** A known wrong answer. */
export interface MutantDefinition<Args extends unknown[]> {
  /** kebab-case, unique within the exercise. */
  readonly id: string;
  /** To the learner: what is wrong, and where to look. One or two sentences. */
  readonly diagnosis: string;
  readonly implementation: (...args: Args) => unknown;
}

export interface ExerciseDefinition<Args extends unknown[]> {
  /** `family/kebab-name`. */
  readonly id: string;
  readonly title: string;
  readonly points: number;
  /** The name the answer cell must declare. */
  readonly entry: string;
  /** 1 (a line or two) to 5 (an afternoon). */
  readonly difficulty: 1 | 2 | 3 | 4 | 5;
  readonly minutes: number;
  /** The TypeScript signature shown to the learner. */
  readonly signature: string;
  /** Names of the arguments, for messages. */
  readonly parameters: { readonly [K in keyof Args]: string };
  /** For every case without its own; `FLOAT32` unless given. */
  readonly tolerance?: Tolerance;
  readonly reference: (...args: Args) => unknown;
  readonly cases: readonly CaseDefinition<NoInfer<Args>>[];
  /** At least three. */
  readonly mutants: readonly MutantDefinition<NoInfer<Args>>[];
  /** Other right answers, which must pass: another order of operations, another but equivalent formula. */
  readonly variants?: readonly {
    readonly name: string;
    readonly implementation: (...args: NoInfer<Args>) => unknown;
  }[];
  readonly properties?: readonly Property[];
  /** What the notebook's empty answer does; throws unless given. */
  readonly stub?: (...args: NoInfer<Args>) => unknown;
  /** Three steps: a nudge, the shape trace, the formula with its source. */
  readonly hints: readonly [string, string, string];
}

/** A case, its types forgotten. */
export interface Case {
  readonly name: string;
  readonly visibility: 'public' | 'hidden';
  readonly weight: number;
  readonly tolerance: Tolerance;
  inputs(draw: Draw): readonly unknown[];
  padding?(args: readonly unknown[]): unknown;
}

/** A function of the exercise that can be put in the learner's place. */
export interface Implementation {
  readonly id: string;
  answer(...args: unknown[]): unknown;
}

export interface Mutant extends Implementation {
  readonly diagnosis: string;
}

/**
 * An exercise as the grader handles it. Functions are methods here: TypeScript compares methods' parameters loosely, which lets
 * functions typed with the exercise's own arguments stand beside those of every other exercise. It is sound because
 * only what `inputs` of the same exercise drew is ever passed to them.
 */
export interface Exercise {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly entry: string;
  readonly difficulty: number;
  readonly minutes: number;
  readonly signature: string;
  readonly parameters: readonly string[];
  readonly tolerance: Tolerance;
  readonly cases: readonly Case[];
  readonly reference: Implementation;
  readonly stub: Implementation;
  readonly variants: readonly Implementation[];
  readonly mutants: readonly Mutant[];
  readonly properties: readonly Property[];
  readonly hints: readonly [string, string, string];
}

/** Thrown by an answer that is still empty. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
  constructor(entry: string) {
    super(`${entry} is not written yet`);
  }
}

/**
 * Checks a definition and makes an exercise of it.
 * @throws Error naming the exercise and what is wrong with it; exercises are ours, so this is a bug, not a user's mistake.
 */
export function defineExercise<Args extends unknown[]>(definition: ExerciseDefinition<Args>): Exercise {
  const { id, entry, mutants, cases } = definition;
  const refuse = (why: string): never => {
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
  ] as const) {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) refuse(`two of ${what} ${twice}`);
  }
  const tolerance = definition.tolerance ?? FLOAT32;
  const stub =
    definition.stub ??
    ((): never => {
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
    cases: cases.map(
      (c): Case => ({
        name: c.name,
        visibility: c.visibility,
        weight: c.weight ?? 1,
        tolerance: c.tolerance ?? tolerance,
        inputs: c.inputs,
        ...(c.padding === undefined ? {} : { padding: c.padding }),
      }),
    ),
    reference: { id: 'reference', answer: definition.reference },
    stub: { id: 'stub', answer: stub },
    variants: (definition.variants ?? []).map((v) => ({ id: v.name, answer: v.implementation })),
    mutants: mutants.map((m) => ({ id: m.id, diagnosis: m.diagnosis, answer: m.implementation })),
    properties: definition.properties ?? [],
    hints: definition.hints,
  };
}
