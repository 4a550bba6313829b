/** The gradebook: what was handed in, how it was graded, and what people decided. Nothing here is ever overwritten. */
import { sql } from 'drizzle-orm';
import { check, doublePrecision, index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { StoredReport } from '../../gradebook/report.ts';
import { bytes, identity, instant, lab } from './columns.ts';
import { assignments, groups, learners } from './rooms.ts';

/** One attempt. */
export const submissions = lab.table(
  'submissions',
  {
    id: identity(),
    assignmentId: integer('assignment_id')
      .notNull()
      .references(() => assignments.id, { onDelete: 'cascade' }),
    learnerId: integer('learner_id')
      .notNull()
      .references(() => learners.id, { onDelete: 'cascade' }),
    /** From 1. */
    attempt: integer('attempt').notNull(),
    handedInAt: instant('handed_in_at').notNull(),
    /** Of the notebook, in hexadecimal. */
    sha256: text('sha256').notNull(),
    /** Null where only the report came here. */
    notebook: bytes('notebook'),
  },
  (table) => [uniqueIndex('submissions_attempt').on(table.assignmentId, table.learnerId, table.attempt)],
);

/** How an attempt was graded, each time it was. The latest counts. */
export const gradings = lab.table(
  'gradings',
  {
    id: identity(),
    submissionId: integer('submission_id')
      .notNull()
      .references(() => submissions.id, { onDelete: 'cascade' }),
    graderVersion: text('grader_version').notNull(),
    seed: text('seed').notNull(),
    report: jsonb('report').$type<StoredReport>().notNull(),
    /** What a mark needs of the report, which is a hundred times as large; null where an earlier lab kept the report alone. */
    exercises: jsonb('exercises').$type<StoredReport['exercises']>(),
    /** Null while an exercise could not be judged. */
    points: doublePrecision('points'),
    outOf: doublePrecision('out_of').notNull(),
    gradedAt: instant('graded_at').notNull(),
    cause: text('cause', { enum: ['first', 'regrade'] }).notNull(),
  },
  (table) => [
    index('gradings_submission').on(table.submissionId, table.id),
    check('gradings_cause', sql`${table.cause} in ('first', 'regrade')`),
  ],
);

/** What a person decided, beside the automatic marks. The latest for an exercise, or for the whole, counts. */
export const marks = lab.table(
  'marks',
  {
    id: identity(),
    assignmentId: integer('assignment_id')
      .notNull()
      .references(() => assignments.id, { onDelete: 'cascade' }),
    learnerId: integer('learner_id')
      .notNull()
      .references(() => learners.id, { onDelete: 'cascade' }),
    /** Null for the assignment as a whole. */
    exercise: text('exercise'),
    /** Null takes a manual mark back, or is a comment alone. */
    points: doublePrecision('points'),
    comment: text('comment'),
    by: text('by').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (table) => [index('marks_assignment_learner').on(table.assignmentId, table.learnerId, table.id)],
);

/** Another due date for one learner or one group. The latest for each counts. */
export const extensions = lab.table(
  'extensions',
  {
    id: identity(),
    assignmentId: integer('assignment_id')
      .notNull()
      .references(() => assignments.id, { onDelete: 'cascade' }),
    learnerId: integer('learner_id').references(() => learners.id, { onDelete: 'cascade' }),
    groupId: integer('group_id').references(() => groups.id, { onDelete: 'cascade' }),
    dueAt: instant('due_at').notNull(),
    by: text('by').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (table) => [
    index('extensions_assignment').on(table.assignmentId),
    check('extensions_whose', sql`(${table.learnerId} is null) <> (${table.groupId} is null)`),
  ],
);
