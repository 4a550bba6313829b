import type { Exercise } from '../define.ts';
import type { SubmissionReport } from '../grade.ts';
export type ReportFormat = 'all' | 'gradescope';
/** A learner's own report, as soon as it is there: JSON and HTML, and Gradescope's results where asked for. */
export declare function writeLearner(
  out: string,
  report: SubmissionReport,
  exercises: ReadonlyMap<string, Exercise>,
  format: ReportFormat,
): void;
/** What is about all: grades.csv, grades.json, junit.xml, index.html; for Gradescope, which grades one, its results.json. */
export declare function writeSummary(
  out: string,
  reports: readonly SubmissionReport[],
  format: ReportFormat,
): void;
