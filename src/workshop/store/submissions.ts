/** Handing in, and what is known of the attempts. */
import { createHash } from 'node:crypto';
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { lateness } from '../gradebook/policy.ts';
import { record } from './audit.ts';
import { deadlineOf } from './extensions.ts';
import type { Store } from './open.ts';
import { assignments, gradings, learners, submissions } from './schema.ts';

/** Without the notebook, which can be large: see `notebookOf`. */
export type Submission = Omit<typeof submissions.$inferSelect, 'notebook'>;
export type Grading = typeof gradings.$inferSelect;

const { notebook: _notebook, ...shown } = getTableColumns(submissions);

/**
 * Takes a learner's notebook as their next attempt. The same bytes as the last attempt are that attempt: a request that is sent
 * again after a lost answer uses up nothing.
 * @throws InputError if the assignment is not open, the cut-off has passed, or no attempt is left
 */
export async function handIn(
  { db }: Store,
  given: {
    readonly assignmentId: number;
    readonly learnerId: number;
    readonly notebook: Uint8Array;
    readonly at?: Date;
  },
): Promise<Submission> {
  const { assignmentId, learnerId, notebook, at = new Date() } = given;
  const sha256 = createHash('sha256').update(notebook).digest('hex');
  return db.transaction(async (tx) => {
    // One at a time for a learner: two requests must not both become attempt 3.
    const [learner] = await tx.select().from(learners).where(eq(learners.id, learnerId)).for('update');
    const [assignment] = await tx.select().from(assignments).where(eq(assignments.id, assignmentId));
    if (learner === undefined || assignment === undefined || assignment.roomId !== learner.roomId) {
      throw new InputError('there is no such assignment in this room');
    }
    const [latest] = await tx
      .select(shown)
      .from(submissions)
      .where(and(eq(submissions.assignmentId, assignmentId), eq(submissions.learnerId, learnerId)))
      .orderBy(sql`${submissions.attempt} desc`)
      .limit(1);
    if (latest?.sha256 === sha256) return latest;
    if (!assignment.open) throw new InputError(`“${assignment.title}” is not open for handing in`);
    if (!lateness(at, await deadlineOf(tx, assignment, learner)).accepted) {
      throw new InputError(`“${assignment.title}” can no longer be handed in: its last date has passed`);
    }
    const attempt = (latest?.attempt ?? 0) + 1;
    const { maxAttempts } = assignment.policy;
    if (maxAttempts !== undefined && attempt > maxAttempts) {
      throw new InputError(
        `“${assignment.title}” can be handed in ${maxAttempts === 1 ? 'once' : `${maxAttempts} times`}, and was`,
      );
    }
    const [kept] = await tx
      .insert(submissions)
      .values({ assignmentId, learnerId, attempt, handedInAt: at, sha256, notebook })
      .returning(shown);
    if (kept === undefined) throw new Error('the submission was not kept');
    await record(tx, `learner ${learnerId}`, 'submission.hand-in', {
      submission: kept.id,
      assignment: assignmentId,
      attempt,
      sha256,
    });
    return kept;
  });
}

/** All attempts at an assignment, by learner and number. */
export async function submissionsOf({ db }: Store, assignmentId: number): Promise<Submission[]> {
  return db
    .select(shown)
    .from(submissions)
    .where(eq(submissions.assignmentId, assignmentId))
    .orderBy(asc(submissions.learnerId), asc(submissions.attempt));
}

/** What was handed in; undefined if there is no such attempt or only its report is here. */
export async function notebookOf({ db }: Store, submissionId: number): Promise<Uint8Array | undefined> {
  const [found] = await db
    .select({ notebook: submissions.notebook })
    .from(submissions)
    .where(eq(submissions.id, submissionId));
  return found?.notebook ?? undefined;
}

/** Every grading of an attempt, the first one first. */
export async function gradingsOf({ db }: Store, submissionId: number): Promise<Grading[]> {
  return db.select().from(gradings).where(eq(gradings.submissionId, submissionId)).orderBy(asc(gradings.id));
}

/** A notebook that was handed in to a room, with its place; undefined for another room's, or where only the report is here. */
export async function submissionIn(
  { db }: Store,
  roomId: number,
  submissionId: number,
): Promise<{ chapter: string; attempt: number; notebook: Uint8Array } | undefined> {
  const [found] = await db
    .select({
      chapter: assignments.chapter,
      attempt: submissions.attempt,
      notebook: submissions.notebook,
    })
    .from(submissions)
    .innerJoin(assignments, eq(submissions.assignmentId, assignments.id))
    .where(and(eq(submissions.id, submissionId), eq(assignments.roomId, roomId)));
  if (found === undefined || found.notebook === null) return undefined;
  return { chapter: found.chapter, attempt: found.attempt, notebook: found.notebook };
}
