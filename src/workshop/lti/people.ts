/** Who somebody of a platform is here: a learner in a room, or an instructor. */
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import { freeName } from '../store/learners.ts';
import { cleanName, nameKey } from '../store/names.ts';
import type { Database, Store } from '../store/open.ts';
import { instructors, learners, ltiUsers, rooms } from '../store/schema.ts';

export interface Person {
  readonly platformId: number;
  /** The platform's name for them; the same at every launch. */
  readonly sub: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** The course in which they are met. */
  readonly contextId: string | null;
}

export interface Enrolled {
  readonly learnerId: number;
  /** `listed`: on the list of names with the same e-mail, met for the first time. */
  readonly how: 'known' | 'listed' | 'new';
}

const LONGEST_NAME = 60;

/**
 * The learner of a room that somebody is: the one they were before, else the one with their e-mail, else a new one.
 * @throws InputError if they would be new in a closed room
 */
export async function learnerFor(
  { db }: Store,
  roomId: number,
  person: Person,
  by: string,
): Promise<Enrolled> {
  return db.transaction(async (tx) => {
    // One at a time in a room: two launches of one person must not make two learners.
    const [room] = await tx.select().from(rooms).where(eq(rooms.id, roomId)).for('update');
    if (room === undefined) throw new InputError('the room of this link is gone');
    const known = await knownLearner(tx, roomId, person);
    if (known !== undefined) {
      await meetIn(tx, known, person.contextId);
      return { learnerId: known.learnerId, how: 'known' };
    }
    const listed = await listedLearner(tx, roomId, person);
    if (listed === undefined && room.closedAt !== null)
      throw new InputError(`the room “${room.title}” is closed`);
    const learnerId = listed ?? (await addLearner(tx, roomId, person));
    const { platformId, sub, contextId } = person;
    await tx
      .insert(ltiUsers)
      .values({ platformId, sub, learnerId, contextIds: contextId === null ? [] : [contextId] });
    const how = listed === undefined ? 'new' : 'listed';
    await record(tx, by, 'lti.enrol', { room: roomId, learner: learnerId, platform: platformId, how });
    return { learnerId, how };
  });
}

interface Known {
  readonly id: number;
  readonly learnerId: number;
  readonly contextIds: readonly string[];
}

async function knownLearner(
  db: Database,
  roomId: number,
  { platformId, sub }: Person,
): Promise<Known | undefined> {
  const [found] = await db
    .select({ id: ltiUsers.id, learnerId: learners.id, contextIds: ltiUsers.contextIds })
    .from(ltiUsers)
    .innerJoin(learners, eq(learners.id, ltiUsers.learnerId))
    .where(and(eq(ltiUsers.platformId, platformId), eq(ltiUsers.sub, sub), eq(learners.roomId, roomId)));
  return found;
}

async function meetIn(db: Database, { id, contextIds }: Known, contextId: string | null): Promise<void> {
  if (contextId === null || contextIds.includes(contextId)) return;
  await db
    .update(ltiUsers)
    .set({ contextIds: [...contextIds, contextId] })
    .where(eq(ltiUsers.id, id));
}

/** By the e-mail that the platform vouches for; who is somebody else of the same platform already is passed over. */
async function listedLearner(
  db: Database,
  roomId: number,
  { platformId, email }: Person,
): Promise<number | undefined> {
  if (email === undefined || email === '') return undefined;
  const [found] = await db
    .select({ id: learners.id })
    .from(learners)
    .leftJoin(ltiUsers, and(eq(ltiUsers.learnerId, learners.id), eq(ltiUsers.platformId, platformId)))
    .where(
      and(
        eq(learners.roomId, roomId),
        eq(sql`lower(${learners.email})`, email.toLowerCase()),
        sql`${ltiUsers.id} is null`,
      ),
    );
  return found?.id;
}

async function addLearner(db: Database, roomId: number, { name, email }: Person): Promise<number> {
  const plain = cleanName((name ?? '').replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu, ' '));
  const wanted = plain.slice(0, LONGEST_NAME).trim() || 'Learner';
  for (const displayName of [wanted, await freeName(db, roomId, wanted)]) {
    const [added] = await db
      .insert(learners)
      .values({ roomId, displayName, nameKey: nameKey(displayName), email: email ?? null })
      .onConflictDoNothing()
      .returning({ id: learners.id });
    if (added !== undefined) return added.id;
  }
  throw new Error('a learner was not kept');
}

export interface KnownInstructor {
  readonly id: number;
  readonly name: string;
  readonly role: (typeof instructors.$inferSelect)['role'];
}

/** The instructor here who said to be this person of a platform. */
export async function instructorFor(
  { db }: Store,
  { platformId, sub }: Pick<Person, 'platformId' | 'sub'>,
): Promise<KnownInstructor | undefined> {
  const [found] = await db
    .select({ id: instructors.id, name: instructors.name, role: instructors.role })
    .from(ltiUsers)
    .innerJoin(instructors, eq(instructors.id, ltiUsers.instructorId))
    .where(and(eq(ltiUsers.platformId, platformId), eq(ltiUsers.sub, sub), isNotNull(ltiUsers.instructorId)));
  return found;
}

/** From now on a launch of this person is a login of this instructor. */
export async function tieInstructor(
  { db }: Store,
  { platformId, sub }: Pick<Person, 'platformId' | 'sub'>,
  instructor: { readonly id: number; readonly name: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .delete(ltiUsers)
      .where(
        and(eq(ltiUsers.platformId, platformId), eq(ltiUsers.sub, sub), isNotNull(ltiUsers.instructorId)),
      );
    await tx.insert(ltiUsers).values({ platformId, sub, instructorId: instructor.id });
    await record(tx, instructor.name, 'lti.instructor', { instructor: instructor.id, platform: platformId });
  });
}
