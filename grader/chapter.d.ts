import type { Master } from '../src/notebook/master.ts';
import type { SourceCell } from './sandbox/sandbox.ts';
export interface AnswerCell {
  readonly exercise: string;
  /** The cell's id in the notebook, for a submission whose metadata was stripped. */
  readonly id: string;
  /** What stands in the released notebook. */
  readonly stub: string;
  readonly solution: string;
}
export interface Chapter {
  readonly name: string;
  readonly answers: readonly AnswerCell[];
  /** The cells to run before the answer to the exercise, with reference solutions in place of earlier answers. */
  before(exercise: string, answer: string): readonly SourceCell[];
}
/** All chapters of the course, by name. */
export declare function loadChapters(folder?: string): Promise<ReadonlyMap<string, Chapter>>;
/** The chapter of a master. */
export declare function chapterOf(master: Master): Chapter;
