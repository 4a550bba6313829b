/** Grading on several machines: runs, their submissions and the results. The jobs themselves are pg-boss's. */
import { index, integer, jsonb, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { SubmissionReport } from '../../../../grader/grade.ts';
import { bytes, identity, instant, lab } from './columns.ts';

/** One `lab grade --queue`. */
export const gradingRuns = lab.table('grading_runs', {
  id: identity(),
  seed: text('seed').notNull(),
  /** Exercise set, time and memory: what a worker must know. */
  settings: jsonb('settings').$type<Readonly<Record<string, unknown>>>().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  cancelledAt: instant('cancelled_at'),
});

/** A submission of a run. */
export const gradingTasks = lab.table(
  'grading_tasks',
  {
    id: identity(),
    runId: integer('run_id')
      .notNull()
      .references(() => gradingRuns.id, { onDelete: 'cascade' }),
    learner: text('learner').notNull(),
    file: text('file').notNull(),
    /** What identifies the result: submission, exercises and seed. */
    key: text('key').notNull(),
    /** Null where the file could not be read. */
    notebook: bytes('notebook'),
    /** Why it could not. */
    unreadable: text('unreadable'),
    /** Higher goes first. */
    priority: integer('priority').notNull().default(0),
    /** Of the last try in which the machine failed. */
    errorReport: jsonb('error_report').$type<SubmissionReport>(),
    /** Set when every try has failed: the reason. */
    deadBecause: text('dead_because'),
  },
  (table) => [
    uniqueIndex('grading_tasks_learner').on(table.runId, table.learner),
    index('grading_tasks_key').on(table.key),
  ],
);

/** One result a key, whoever came first: a job that is done twice is written once. */
export const gradingResults = lab.table('grading_results', {
  key: text('key').primaryKey(),
  report: jsonb('report').$type<SubmissionReport>().notNull(),
  worker: text('worker').notNull(),
  gradedAt: instant('graded_at').notNull().defaultNow(),
});
