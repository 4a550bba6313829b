/** Notebooks that learners hand in. */

import { and, desc, eq } from 'drizzle-orm';
import type { ZipInput } from '../../../grader/zip.ts';
import { InputError } from '../../errors.ts';
import type { HandInView } from '../protocol.ts';
import type { Learner } from '../store/learners.ts';
import type { Store } from '../store/open.ts';
import { assignments, gradings, learners, submissions } from '../store/schema.ts';

export interface NewHandIn {
  readonly roomId: number;
  readonly learner: Learner;
  readonly chapter: string;
  readonly notebook: Buffer;
  readonly sha256: string;
}

/**
 * Keeps an attempt. The same notebook sent twice in a row is one attempt, so that a request that is repeated doubles nothing.
 * @throws InputError if the chapter is not open in the room, or no attempt is left
 */
export async function keepHandIn(
  { db }: Store,
  { roomId, learner, chapter, notebook, sha256 }: NewHandIn,
): Promise<{ attempt: number; at: string; late: boolean }> {
  return db.transaction(async (tx) => {
    const [assignment] = await tx
      .select()
      .from(assignments)
      .where(and(eq(assignments.roomId, roomId), eq(assignments.chapter, chapter)));
    if (assignment === undefined || !assignment.open) {
      throw new InputError(`chapter ${chapter} is not open in this room; nothing was handed in`);
    }
    // Two at once wait for each other here.
    await tx.select({ id: learners.id }).from(learners).where(eq(learners.id, learner.id)).for('update');
    const [last] = await tx
      .select({ attempt: submissions.attempt, sha256: submissions.sha256, at: submissions.handedInAt })
      .from(submissions)
      .where(and(eq(submissions.assignmentId, assignment.id), eq(submissions.learnerId, learner.id)))
      .orderBy(desc(submissions.attempt))
      .limit(1);
    const late = (at: Date): boolean => assignment.dueAt !== null && at > assignment.dueAt;
    if (last?.sha256 === sha256)
      return { attempt: last.attempt, at: last.at.toISOString(), late: late(last.at) };
    const attempt = (last?.attempt ?? 0) + 1;
    const { maxAttempts } = assignment.policy;
    if (maxAttempts !== undefined && attempt > maxAttempts) {
      throw new InputError(
        `chapter ${chapter} can be handed in ${maxAttempts} times, and you have; the last one counts`,
      );
    }
    const at = new Date();
    await tx.insert(submissions).values({
      assignmentId: assignment.id,
      learnerId: learner.id,
      attempt,
      handedInAt: at,
      sha256,
      notebook,
    });
    return { attempt, at: at.toISOString(), late: late(at) };
  });
}

/** What was handed in, the latest first; of one learner if one is given. */
export async function handInsOf({ db }: Store, roomId: number, learnerId?: number): Promise<HandInView[]> {
  const latest = db
    .selectDistinctOn([gradings.submissionId], {
      submissionId: gradings.submissionId,
      points: gradings.points,
      outOf: gradings.outOf,
    })
    .from(gradings)
    .orderBy(gradings.submissionId, desc(gradings.id))
    .as('latest');
  const rows = await db
    .select({
      id: submissions.id,
      learner: learners.displayName,
      chapter: assignments.chapter,
      attempt: submissions.attempt,
      at: submissions.handedInAt,
      dueAt: assignments.dueAt,
      points: latest.points,
      outOf: latest.outOf,
    })
    .from(submissions)
    .innerJoin(assignments, eq(submissions.assignmentId, assignments.id))
    .innerJoin(learners, eq(submissions.learnerId, learners.id))
    .leftJoin(latest, eq(latest.submissionId, submissions.id))
    .where(
      and(
        eq(assignments.roomId, roomId),
        learnerId === undefined ? undefined : eq(submissions.learnerId, learnerId),
      ),
    )
    .orderBy(desc(submissions.handedInAt), desc(submissions.id));
  return rows.map(({ at, dueAt, ...row }) => ({
    ...row,
    at: at.toISOString(),
    late: dueAt !== null && at > dueAt,
  }));
}

/** The last attempt of every learner, for grading: one file a learner and chapter. */
export async function lastNotebooks({ db }: Store, roomId: number): Promise<ZipInput[]> {
  const rows = await db
    .selectDistinctOn([submissions.assignmentId, submissions.learnerId], {
      chapter: assignments.chapter,
      learner: learners.displayName,
      learnerId: learners.id,
      notebook: submissions.notebook,
    })
    .from(submissions)
    .innerJoin(assignments, eq(submissions.assignmentId, assignments.id))
    .innerJoin(learners, eq(submissions.learnerId, learners.id))
    .where(eq(assignments.roomId, roomId))
    .orderBy(submissions.assignmentId, submissions.learnerId, desc(submissions.attempt));
  return rows.flatMap(({ chapter, learner, learnerId, notebook }) =>
    notebook === null
      ? []
      : [{ name: `${chapter}/${fileName(learner)}-${learnerId}/${chapter}.ipynb`, bytes: notebook }],
  );
}

/** A learner's name as a folder of any system. */
function fileName(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N} _-]/gu, '_')
      .slice(0, 60)
      .trim() || 'learner'
  );
}
