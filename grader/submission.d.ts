import type { AnswerCell, Chapter } from './chapter.ts';
/** A notebook with its outputs stays far below; what is larger was made to cost time. */
export declare const MAX_NOTEBOOK_BYTES: number;
interface SubmittedCell {
  readonly type: string;
  readonly id: string | undefined;
  readonly source: string;
  readonly exercise: string | undefined;
}
export interface Submission {
  readonly cells: readonly SubmittedCell[];
  /** The chapter its metadata name, if any. */
  readonly chapter: string | undefined;
}
/** A file that cannot be graded; the message is for the learner. */
export declare class UnreadableSubmission extends Error {
  readonly name = 'UnreadableSubmission';
}
/** @throws UnreadableSubmission with the reason */
export declare function parseSubmission(bytes: Uint8Array): Submission;
/** Which chapter a submission answers: the one whose exercises most of its answer cells name, else the one it says it is. */
export declare function chapterOfSubmission(
  submission: Submission,
  chapters: ReadonlyMap<string, Chapter>,
): Chapter | undefined;
/** The learner's text for an exercise and what was odd about where it stood. */
export interface FoundAnswer {
  readonly source: string | undefined;
  readonly notices: readonly string[];
}
/** Finds the answer to an exercise in spite of deleted, duplicated, renamed and retyped cells, and says what it met. */
export declare function findAnswer(submission: Submission, answer: AnswerCell, entry: string): FoundAnswer;
/** Equal but for white space at the ends of lines. */
export declare function sameText(a: string, b: string): boolean;
/** Whether another code cell of the notebook declares the name: a helper that is not graded. */
export declare function declaredElsewhere(submission: Submission, name: string): boolean;
