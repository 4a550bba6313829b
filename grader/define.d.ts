/**
 * The format of an exercise. Import everything an exercise file needs from here; README.md in this folder shows how to write one.
 */
import { type Tolerance } from './compare.ts';
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
  readonly parameters: {
    readonly [K in keyof Args]: string;
  };
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
export declare class NotWritten extends Error {
  readonly name = 'NotWritten';
  constructor(entry: string);
}
/**
 * Checks a definition and makes an exercise of it.
 * @throws Error naming the exercise and what is wrong with it; exercises are ours, so this is a bug, not a user's mistake.
 */
export declare function defineExercise<Args extends unknown[]>(
  definition: ExerciseDefinition<Args>,
): Exercise;
