/** The gradebook: gradings and manual marks go in, marks by the rules of the assignment come out. */
import { asc, desc, eq, sql } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { type Attempt, type Mark, markOf } from '../gradebook/policy.ts';
import type { MarkedReport, StoredReport } from '../gradebook/report.ts';
import { record } from './audit.ts';
import { deadlineFrom, extensionsOf } from './extensions.ts';
import { groupsOf } from './groups.ts';
import { type Learner, learnersOf } from './learners.ts';
import type { Store } from './open.ts';
import { type Assignment, assignmentsOf } from './rooms.ts';
import { assignments, gradings, learners, marks, submissions } from './schema.ts';
import type { Grading } from './submissions.ts';

/**
 * Keeps a grading of an attempt beside the earlier ones. The same report by the same grader again is kept once.
 * @returns undefined if it was there already. @throws InputError if there is no such attempt
 */
export async function addGrading(
  { db }: Store,
  given: {
    readonly submissionId: number;
    readonly report: StoredReport;
    readonly graderVersion: string;
    readonly gradedAt?: Date;
    readonly by: string;
  },
): Promise<Grading | undefined> {
  const { submissionId, report, graderVersion, gradedAt = new Date(), by } = given;
  return db.transaction(async (tx) => {
    const [submission] = await tx
      .select({ id: submissions.id })
      .from(submissions)
      .where(eq(submissions.id, submissionId))
      .for('update');
    if (submission === undefined) throw new InputError(`there is no submission ${submissionId}`);
    const [before] = await tx
      .select()
      .from(gradings)
      .where(eq(gradings.submissionId, submissionId))
      .orderBy(desc(gradings.id))
      .limit(1);
    if (before?.graderVersion === graderVersion && sameReport(before.report, report)) return undefined;
    const [kept] = await tx
      .insert(gradings)
      .values({
        submissionId,
        graderVersion,
        seed: report.seed,
        report,
        exercises: report.exercises.map(({ id, title, points, score, verdict }) => ({
          id,
          title,
          points,
          score,
          verdict,
        })),
        points: report.score,
        outOf: report.points,
        gradedAt,
        cause: before === undefined ? 'first' : 'regrade',
      })
      .returning();
    if (kept === undefined) throw new Error('the grading was not kept');
    const { cause, points } = kept;
    await record(tx, by, 'submission.grade', {
      submission: submissionId,
      cause,
      points,
      before: before?.points ?? null,
    });
    return kept;
  });
}

/** The database keeps the keys of an object in an order of its own. */
function sameReport(a: StoredReport, b: StoredReport): boolean {
  const key = ({ seed, verdict, score, points, exercises }: StoredReport): string =>
    JSON.stringify([
      [seed, verdict, score, points],
      ...exercises.map((one) => [one.id, one.verdict, one.score, one.points]),
    ]);
  return key(a) === key(b);
}

/**
 * Sets a mark by hand for an exercise or (without `exercise`) for the whole, or comments on it. Points of null without a comment take the
 * manual mark back. Earlier ones are kept. @throws InputError if nothing is given or nobody of this room is meant
 */
export async function addMark(
  { db }: Store,
  given: {
    readonly assignmentId: number;
    readonly learnerId: number;
    readonly exercise?: string | undefined;
    readonly points?: number | null | undefined;
    readonly comment?: string | undefined;
    readonly by: string;
  },
): Promise<void> {
  const { assignmentId, learnerId, exercise, points, comment, by } = given;
  if (points === undefined && comment === undefined) throw new InputError('a mark needs points or a comment');
  if (typeof points === 'number' && !(points >= 0 && points <= 1e6)) {
    throw new InputError(`points are a number from 0, got ${points}`);
  }
  await db.transaction(async (tx) => {
    const [assignment] = await tx.select().from(assignments).where(eq(assignments.id, assignmentId));
    const [learner] = await tx.select().from(learners).where(eq(learners.id, learnerId));
    if (assignment === undefined || assignment.roomId !== learner?.roomId) {
      throw new InputError('a mark needs an assignment and a learner of one room');
    }
    const whose = { assignmentId, learnerId, exercise: exercise ?? null, by };
    // Two rows: taking a mark back and commenting are two things.
    if (points !== undefined) await tx.insert(marks).values({ ...whose, points });
    if (comment !== undefined) await tx.insert(marks).values({ ...whose, points: null, comment });
    await record(tx, by, 'mark.set', {
      assignment: assignmentId,
      learner: learnerId,
      exercise: exercise ?? null,
      ...(points === undefined ? {} : { points }),
      ...(comment === undefined ? {} : { comment }),
    });
  });
}

export interface BookRow {
  readonly learner: Learner;
  readonly group: string | null;
  /** One for each assignment of the book, in its order. */
  readonly marks: readonly Mark[];
}

export interface Book {
  readonly assignments: readonly Assignment[];
  readonly rows: readonly BookRow[];
}

/** The marks of everybody in a room, as they stand. */
export async function markBook(store: Store, roomId: number): Promise<Book> {
  const [columns, people] = [await assignmentsOf(store, roomId), await learnersOf(store, roomId)];
  const names = new Map((await groupsOf(store, roomId)).map(({ id, name }) => [id, name]));
  const byAssignment: ReadonlyMap<number, Mark>[] = [];
  for (const assignment of columns) byAssignment.push(await marksOf(store, assignment, people));
  return {
    assignments: columns,
    rows: people.map((learner) => ({
      learner,
      group: learner.groupId === null ? null : (names.get(learner.groupId) ?? null),
      marks: byAssignment.flatMap((found) => found.get(learner.id) ?? []),
    })),
  };
}

/** Without its verdict: to read that, the database would unpack all of the report. */
const briefReport = sql<MarkedReport | null>`case when ${gradings.id} is null then null else jsonb_build_object(
  'score', ${gradings.points}, 'points', ${gradings.outOf},
  'exercises', coalesce(${gradings.exercises}, (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', e.value -> 'id', 'title', e.value -> 'title', 'points', e.value -> 'points',
      'score', e.value -> 'score', 'verdict', e.value -> 'verdict')), '[]'::jsonb)
    from jsonb_array_elements(${gradings.report} -> 'exercises') e))) end`;

/** The mark of each learner for one assignment. */
export async function marksOf(
  { db }: Store,
  assignment: Assignment,
  people: readonly Pick<Learner, 'id' | 'groupId'>[],
): Promise<ReadonlyMap<number, Mark>> {
  const attempts = await db
    .selectDistinctOn([submissions.id], {
      learnerId: submissions.learnerId,
      attempt: submissions.attempt,
      handedInAt: submissions.handedInAt,
      report: briefReport,
    })
    .from(submissions)
    .leftJoin(gradings, eq(gradings.submissionId, submissions.id))
    .where(eq(submissions.assignmentId, assignment.id))
    .orderBy(asc(submissions.id), desc(gradings.id));
  const manual = await db
    .select()
    .from(marks)
    .where(eq(marks.assignmentId, assignment.id))
    .orderBy(asc(marks.id));
  const standing = await extensionsOf(db, assignment.id);
  const totals = attempts.flatMap(({ report }) => (report === null ? [] : [report.points]));
  const outOf = totals.length === 0 ? null : Math.max(...totals);
  const attemptsOf = Map.groupBy(attempts, ({ learnerId }) => learnerId);
  const manualOf = Map.groupBy(manual, ({ learnerId }) => learnerId);
  return new Map(
    people.map((learner) => {
      const theirs = (attemptsOf.get(learner.id) ?? []).map(
        ({ attempt, handedInAt, report }): Attempt => ({
          attempt,
          handedInAt,
          ...(report === null ? {} : { report }),
        }),
      );
      const deadline = deadlineFrom(assignment, standing, learner);
      return [learner.id, markOf(theirs, manualOf.get(learner.id) ?? [], deadline, outOf)];
    }),
  );
}
