/** How one learner's mark for one assignment came about: attempts and how they were graded, marks by hand, other dates. */
import { and, asc, eq, inArray, isNotNull, or, sql } from 'drizzle-orm';
import { lateness, type Mark, standing } from '../gradebook/policy.ts';
import type { StoredReport } from '../gradebook/report.ts';
import { deadlineOf } from './extensions.ts';
import { marksOf } from './gradebook.ts';
import type { Learner } from './learners.ts';
import type { Store } from './open.ts';
import type { Assignment } from './rooms.ts';
import { extensions, gradings, marks, submissions } from './schema.ts';

type GradingRow = typeof gradings.$inferSelect;

export interface AttemptDetail {
  readonly submissionId: number;
  readonly attempt: number;
  readonly at: Date;
  readonly daysLate: number;
  readonly accepted: boolean;
  /** Whether the notebook is here. */
  readonly notebook: boolean;
  /** The first one first. */
  readonly gradings: readonly Pick<GradingRow, 'gradedAt' | 'points' | 'outOf' | 'cause' | 'graderVersion'>[];
}

export interface MarkHistory {
  readonly mark: Mark;
  /** Null for never. */
  readonly dueAt: Date | null;
  readonly extended: boolean;
  readonly attempts: readonly AttemptDetail[];
  /** The exercises of the attempt that counts, as it was graded last; empty while there is no grading. */
  readonly exercises: StoredReport['exercises'];
  /** Points by hand that stand: for the whole, and by exercise. */
  readonly whole: number | null;
  readonly manual: ReadonlyMap<string, number>;
  /** Every mark and comment by hand, in order. */
  readonly marks: readonly (typeof marks.$inferSelect)[];
  /** Every extension of the learner and their group, in order. */
  readonly extensions: readonly (typeof extensions.$inferSelect)[];
}

export async function markHistory(
  store: Store,
  assignment: Assignment,
  learner: Pick<Learner, 'id' | 'groupId'>,
): Promise<MarkHistory> {
  const { db } = store;
  const mark = (await marksOf(store, assignment, [learner])).get(learner.id);
  if (mark === undefined) throw new Error('a learner has no mark');
  const deadline = await deadlineOf(db, assignment, learner);
  const tried = await db
    .select({
      id: submissions.id,
      attempt: submissions.attempt,
      at: submissions.handedInAt,
      notebook: sql<boolean>`${submissions.notebook} is not null`,
    })
    .from(submissions)
    .where(and(eq(submissions.assignmentId, assignment.id), eq(submissions.learnerId, learner.id)))
    .orderBy(asc(submissions.attempt));
  const ids = tried.map(({ id }) => id);
  const graded =
    ids.length === 0
      ? []
      : await db
          .select({
            id: gradings.id,
            submissionId: gradings.submissionId,
            gradedAt: gradings.gradedAt,
            points: gradings.points,
            outOf: gradings.outOf,
            cause: gradings.cause,
            graderVersion: gradings.graderVersion,
          })
          .from(gradings)
          .where(inArray(gradings.submissionId, ids))
          .orderBy(asc(gradings.id));
  const bySubmission = Map.groupBy(graded, ({ submissionId }) => submissionId);
  const counting = tried.find(({ attempt }) => attempt === mark.attempt);
  const last = counting === undefined ? undefined : bySubmission.get(counting.id)?.at(-1);
  const whose = and(eq(marks.assignmentId, assignment.id), eq(marks.learnerId, learner.id));
  const byHand = await db.select().from(marks).where(whose).orderBy(asc(marks.id));
  const decided = standing(byHand);
  return {
    mark,
    dueAt: later(deadline.dueAt, deadline.extendedTo),
    extended: deadline.extendedTo !== null,
    attempts: tried.map(({ id, attempt, at, notebook }) => {
      const { daysLate, accepted } = lateness(at, deadline);
      const theirs = bySubmission.get(id) ?? [];
      return { submissionId: id, attempt, at, daysLate, accepted, notebook, gradings: theirs };
    }),
    exercises: last === undefined ? [] : await exercisesOf(store, last.id),
    whole: decided.whole ?? null,
    manual: decided.exercises,
    marks: byHand,
    extensions: await db
      .select()
      .from(extensions)
      .where(
        and(
          eq(extensions.assignmentId, assignment.id),
          or(
            eq(extensions.learnerId, learner.id),
            learner.groupId === null
              ? undefined
              : and(isNotNull(extensions.groupId), eq(extensions.groupId, learner.groupId)),
          ),
        ),
      )
      .orderBy(asc(extensions.id)),
  };
}

/** An assignment without a due date stays without one, whatever was extended. */
function later(due: Date | null, extended: Date | null): Date | null {
  return due !== null && extended !== null && extended > due ? extended : due;
}

async function exercisesOf({ db }: Store, gradingId: number): Promise<StoredReport['exercises']> {
  const [found] = await db
    .select({
      exercises: sql<
        StoredReport['exercises']
      >`coalesce(${gradings.exercises}, ${gradings.report} -> 'exercises')`,
    })
    .from(gradings)
    .where(eq(gradings.id, gradingId));
  return found?.exercises ?? [];
}
