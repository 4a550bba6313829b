/** Reports that programs read: CSV for a mark book, JUnit for CI, results.json for Gradescope. */
import type { ExerciseReport, SubmissionReport } from '../grade.ts';
/** One line a submission: learner, file, chapter, verdict, score, points, then a column for every exercise. */
export declare function gradesCsv(reports: readonly SubmissionReport[]): string;
/** JUnit XML: a suite an exercise of a submission, a case a check. */
export declare function junitXml(reports: readonly SubmissionReport[]): string;
/** What a learner reads on an exercise without any check. */
export declare function exerciseText(exercise: ExerciseReport, mode?: 'check' | 'grade'): string;
/** Gradescope's results.json for one submission: its documented fields, one test an exercise. */
export declare function gradescopeResults(report: SubmissionReport): object;
