/** HTML: a page a learner, and an overview for the instructor. Self-contained files that open anywhere, print well and follow the system's colours. */
import type { Exercise } from '../define.ts';
import type { SubmissionReport } from '../grade.ts';
/** The page of one learner. Without the seed: who has it can draw the hidden inputs. */
export declare function learnerPage(
  report: SubmissionReport,
  exercises: ReadonlyMap<string, Exercise>,
): string;
/** The overview of a run: everyone, and which mistakes were made how often. */
export declare function overviewPage(reports: readonly SubmissionReport[], folder: string): string;
