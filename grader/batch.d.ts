import { type Chapter } from './chapter.ts';
import type { Exercise } from './define.ts';
import { type SubmissionReport } from './grade.ts';
import { type ReportFormat } from './report/write.ts';
import { type Confinement } from './sandbox/confine.ts';
export interface BatchOptions {
  /** A folder, zip or notebook. */
  readonly source: string;
  readonly out: string;
  /** How many submissions at a time. */
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly resume: boolean;
  readonly format: ReportFormat;
  /** Exercises to grade, all of a chapter unless given. */
  readonly only?: readonly string[];
  /** Fixes all inputs; drawn anew unless given. */
  readonly seed?: string;
  /** The chapter of every submission, found out unless given. */
  readonly chapter?: string;
  /** The folder of the chapters' masters, for a course of one's own. */
  readonly masters?: string;
  /** The strongest that works here unless given. */
  readonly confinement?: Confinement;
  /** Told of every finished submission. */
  readonly onReport?: (report: SubmissionReport, done: number, total: number) => void;
}
export declare const JOURNAL = 'journal.jsonl';
/** Grades everything at the source. @throws InputError for options that cannot be met, before anything is written */
export declare function gradeAll(options: BatchOptions): Promise<readonly SubmissionReport[]>;
/** The course: chapters by name and exercises by id. */
export declare function loadCourse(
  masters?: string,
): Promise<[ReadonlyMap<string, Chapter>, ReadonlyMap<string, Exercise>]>;
