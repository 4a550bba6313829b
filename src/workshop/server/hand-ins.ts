/** What was handed in, for pages and for grading. */

import { and, desc, eq } from 'drizzle-orm';
import type { ZipInput } from '../../../grader/zip.ts';
import { lateness } from '../gradebook/policy.ts';
import type { HandInView } from '../protocol.ts';
import { deadlineFrom, type Extension, extensionsOf } from '../store/extensions.ts';
import type { Store } from '../store/open.ts';
import { assignments, gradings, learners, submissions } from '../store/schema.ts';

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
      assignmentId: assignments.id,
      dueAt: assignments.dueAt,
      policy: assignments.policy,
      learnerId: learners.id,
      groupId: learners.groupId,
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
  const standing = new Map<number, Extension[]>();
  for (const id of new Set(rows.map(({ assignmentId }) => assignmentId))) {
    standing.set(id, await extensionsOf(db, id));
  }
  return rows.map(({ assignmentId, dueAt, policy, learnerId: whose, groupId, at, ...row }) => {
    const deadline = deadlineFrom({ dueAt, policy }, standing.get(assignmentId) ?? [], {
      id: whose,
      groupId,
    });
    return { ...row, at: at.toISOString(), late: lateness(at, deadline).daysLate > 0 };
  });
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
