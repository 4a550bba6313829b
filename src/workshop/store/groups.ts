/** Groups of a room: who shares an extension or is looked at together. */
import { and, asc, eq } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { record } from './audit.ts';
import { cleanName, nameKey } from './names.ts';
import type { Database, Store } from './open.ts';
import { groups, learners } from './schema.ts';

export interface Group {
  readonly id: number;
  readonly name: string;
}

/** The groups of a room by name. */
export async function groupsOf({ db }: Store, roomId: number): Promise<Group[]> {
  return db
    .select({ id: groups.id, name: groups.name })
    .from(groups)
    .where(eq(groups.roomId, roomId))
    .orderBy(asc(groups.nameKey));
}

/** The number of a group, which is made if it is not there. */
export async function ensureGroup(db: Database, roomId: number, name: string): Promise<number> {
  const [clean, key] = [cleanName(name), nameKey(name)];
  if (clean === '') throw new InputError('a group needs a name');
  await db.insert(groups).values({ roomId, name: clean, nameKey: key }).onConflictDoNothing();
  const [group] = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.roomId, roomId), eq(groups.nameKey, key)));
  if (group === undefined) throw new Error('a group was not kept');
  return group.id;
}

/** Puts a learner into a group, made if it is not there, or with null into none. A group that is left empty stays, with its extensions. */
export async function putIntoGroup(
  { db }: Store,
  given: { readonly learnerId: number; readonly group: string | null; readonly by: string },
): Promise<void> {
  const { learnerId, group, by } = given;
  await db.transaction(async (tx) => {
    const [learner] = await tx.select().from(learners).where(eq(learners.id, learnerId)).for('update');
    if (learner === undefined) throw new InputError('there is no such learner');
    const groupId = group === null ? null : await ensureGroup(tx, learner.roomId, group);
    await tx.update(learners).set({ groupId }).where(eq(learners.id, learnerId));
    await record(tx, by, 'group.put', { learner: learnerId, group: groupId });
  });
}
