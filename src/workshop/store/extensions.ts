/** Another due date for one learner or one group. */
import { and, asc, eq } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import type { Deadline } from '../gradebook/policy.ts';
import { record } from './audit.ts';
import type { Database, Store } from './open.ts';
import type { Assignment } from './rooms.ts';
import { assignments, extensions, groups, learners } from './schema.ts';

export type Extension = typeof extensions.$inferSelect;

/** Gives an extension; a later one for the same learner or group takes its place. @throws InputError if there is no such learner, group or assignment in one room */
export async function extend(
  { db }: Store,
  given: {
    readonly assignmentId: number;
    readonly whose: { readonly learnerId: number } | { readonly groupId: number };
    readonly dueAt: Date;
    readonly by: string;
  },
): Promise<Extension> {
  const { assignmentId, whose, dueAt, by } = given;
  return db.transaction(async (tx) => {
    const [assignment] = await tx.select().from(assignments).where(eq(assignments.id, assignmentId));
    const [owner] =
      'learnerId' in whose
        ? await tx.select({ roomId: learners.roomId }).from(learners).where(eq(learners.id, whose.learnerId))
        : await tx.select({ roomId: groups.roomId }).from(groups).where(eq(groups.id, whose.groupId));
    if (assignment === undefined || assignment.roomId !== owner?.roomId) {
      throw new InputError('an extension needs an assignment and a learner or a group of one room');
    }
    const [kept] = await tx
      .insert(extensions)
      .values({ assignmentId, ...whose, dueAt, by })
      .returning();
    if (kept === undefined) throw new Error('the extension was not kept');
    await record(tx, by, 'extension.give', { assignment: assignmentId, ...whose, dueAt });
    return kept;
  });
}

/** The extensions of an assignment that stand: the latest one of each learner and group. */
export async function extensionsOf(db: Database, assignmentId: number): Promise<Extension[]> {
  const all = await db
    .select()
    .from(extensions)
    .where(and(eq(extensions.assignmentId, assignmentId)))
    .orderBy(asc(extensions.id));
  return [...new Map(all.map((one) => [`${one.learnerId} ${one.groupId}`, one])).values()];
}

/** When an assignment is due for a learner, from the extensions that stand: the later of their own and their group's. */
export function deadlineFrom(
  { dueAt, policy }: Pick<Assignment, 'dueAt' | 'policy'>,
  standing: readonly Extension[],
  learner: { readonly id: number; readonly groupId: number | null },
): Deadline {
  const theirs = standing
    .filter(
      ({ learnerId, groupId }) =>
        learnerId === learner.id || (groupId !== null && groupId === learner.groupId),
    )
    .map((one) => one.dueAt.getTime());
  return { dueAt, policy, extendedTo: theirs.length === 0 ? null : new Date(Math.max(...theirs)) };
}

export async function deadlineOf(
  db: Database,
  assignment: Assignment,
  learner: { readonly id: number; readonly groupId: number | null },
): Promise<Deadline> {
  return deadlineFrom(assignment, await extensionsOf(db, assignment.id), learner);
}
