/** Running one case, and telling how it went. */
import { type Difference } from './compare.ts';
import type { Case, Exercise } from './define.ts';
import { type DescribeContext } from './describe.ts';
import { type Candidate, type Outcome } from './evaluate.ts';
import type { CheckReport } from './judgement.ts';
import { type Value } from './values.ts';
/** What one case gave, kept until the mistake is named. */
export interface CaseRun {
  readonly parameters: readonly string[];
  readonly definition: Case;
  readonly args: readonly Value[];
  readonly expected: Value;
  readonly outcome: Outcome;
  readonly difference: Difference | undefined;
  readonly context: DescribeContext;
}
/** The arguments of a case, drawn from the seed. */
export declare function drawInputs(
  definition: Case,
  seed: string,
): Promise<{
  args: Value[];
  context: DescribeContext;
}>;
/**
 * Draws a case, asks the reference and the candidate, and compares. A hidden case is drawn twice, and the first draw that is not right
 * is the one that counts: an answer that repeats itself, or was lucky, is found out.
 */
export declare function runCase(
  exercise: Exercise,
  definition: Case,
  candidate: Candidate,
  seed: string,
): Promise<CaseRun>;
/** What is told of a case: everything of a public one, of a hidden one no number. */
export declare function caseReport({
  parameters,
  definition,
  args,
  expected,
  outcome,
  difference,
  context,
}: CaseRun): CheckReport;
