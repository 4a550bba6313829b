/** Proof that an exercise judges rightly: what the test of all exercises and `lab exercises --prove` run. */
import type { Exercise } from './define.ts';
/**
 * Everything that is wrong with the exercise on one seed, a sentence each; empty when the reference and all variants pass,
 * the stub fails without a mark, and every mutant fails and is named by its own diagnosis.
 */
export declare function faults(exercise: Exercise, seed: string): Promise<string[]>;
