/** The gradebook as the dashboard asks for it and shows it. */

import { z } from 'zod';

const mostPoints = 1e6;

/** A mark or a comment by hand. Points of null take the manual mark back. */
export const newMark = z
  .strictObject({
    exercise: z.string().max(160).optional(),
    points: z.number().min(0).max(mostPoints).nullable().optional(),
    comment: z.string().trim().min(1).max(4000).optional(),
  })
  .refine(
    ({ points, comment }) => points !== undefined || comment !== undefined,
    'needs points or a comment',
  );

/** Another due date, for one learner or one group. */
export const newExtension = z
  .strictObject({
    learnerId: z.int().positive().optional(),
    groupId: z.int().positive().optional(),
    until: z.iso.datetime(),
  })
  .refine(
    ({ learnerId, groupId }) => (learnerId === undefined) !== (groupId === undefined),
    'is for a learner or for a group, one of them',
  );

export interface GroupView {
  readonly id: number;
  readonly name: string;
}

export interface MarkView {
  readonly status: 'graded' | 'pending' | 'missing';
  /** What counts, with penalty and manual marks. */
  readonly points: number | null;
  readonly outOf: number | null;
  /** What the grader alone gives, before any penalty. */
  readonly automatic: number | null;
  readonly attempt: number | null;
  readonly daysLate: number;
  /** What being late has left of the points, 0 to 1. */
  readonly factor: number;
  readonly manual: boolean;
  readonly comments: readonly { readonly exercise: string | null; readonly comment: string }[];
}

export interface BookView {
  readonly assignments: readonly {
    readonly id: number;
    readonly chapter: string;
    readonly title: string;
    readonly dueAt: string | null;
    /** Whether learners see their marks. */
    readonly released: boolean;
    /** Whether a link of a learning platform leads here. */
    readonly linked: boolean;
  }[];
  readonly groups: readonly GroupView[];
  readonly rows: readonly {
    readonly id: number;
    readonly name: string;
    readonly group: string | null;
    /** In the order of the assignments. */
    readonly marks: readonly MarkView[];
  }[];
  /** Whether a platform can tell who is in the course. */
  readonly pulls: boolean;
}

/** One learner's chapter: how the mark came about. */
export interface MarkDetail {
  readonly learner: { readonly id: number; readonly name: string; readonly group: string | null };
  readonly chapter: string;
  readonly title: string;
  readonly mark: MarkView;
  /** Points by hand for the chapter as a whole, which are final; null for none. */
  readonly whole: number | null;
  /** When it is due for this learner; null for never. */
  readonly dueAt: string | null;
  readonly extended: boolean;
  /** Of the attempt that counts; those of the catalogue where nothing is graded. */
  readonly exercises: readonly {
    readonly id: string;
    readonly title: string;
    readonly verdict: 'pass' | 'fail' | 'error' | null;
    /** By the grader. */
    readonly automatic: number | null;
    readonly outOf: number | null;
    /** By a person; takes the place of the grader's. */
    readonly manual: number | null;
  }[];
  readonly attempts: readonly {
    readonly submissionId: number;
    readonly attempt: number;
    readonly at: string;
    readonly daysLate: number;
    readonly accepted: boolean;
    /** Whether the notebook is here, to be looked at. */
    readonly notebook: boolean;
    readonly gradings: readonly {
      readonly at: string;
      readonly points: number | null;
      readonly outOf: number;
      readonly cause: 'first' | 'regrade';
      readonly graderVersion: string;
    }[];
  }[];
  /** Marks, comments and extensions by people, the latest first. */
  readonly history: readonly {
    readonly at: string;
    readonly by: string;
    readonly what: string;
    /** Of another date. */
    readonly until?: string;
  }[];
}

/** What became of a mark on its way to a learning platform. */
export interface PassedMarkView {
  readonly name: string;
  readonly outcome: 'sent' | 'unchanged' | 'unmarked' | 'failed';
  readonly points: number | null;
  readonly outOf: number | null;
  readonly why?: string;
}

/** A place on a learning platform that leads here. */
export interface LinkView {
  readonly id: number;
  readonly platform: string;
  readonly title: string | null;
  readonly roomId: number | null;
  readonly room: string | null;
  readonly chapter: string | null;
}

export interface StaffView {
  readonly id: number;
  readonly name: string;
  readonly role: 'owner' | 'instructor' | 'assistant';
  readonly since: string;
  /** Whose page this is. */
  readonly self: boolean;
}
