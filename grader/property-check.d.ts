import type { Exercise } from './define.ts';
import { type Candidate } from './evaluate.ts';
import { type Property } from './properties.ts';
/**
 * Undefined if the property holds, else the sentence to the learner.
 * @param open whether an error's own words may be told: not once the candidate has seen hidden inputs
 */
export declare function checkProperty(
  exercise: Exercise,
  definition: Property,
  candidate: Candidate,
  seed: string,
  open?: boolean,
): Promise<string | undefined>;
