/** Who is in a room: joining under a name, and coming back with a token. */
import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { cleanName, hashToken, nameKey, newToken } from './names.ts';
import type { Database, Store } from './open.ts';
import { type Room, whyShut } from './rooms.ts';
import { learners, rooms } from './schema.ts';

/** Without the hash of the token: nobody outside of this file needs it. */
export interface Learner {
  readonly id: number;
  readonly roomId: number;
  readonly displayName: string;
  readonly pseudonym: boolean;
  readonly email: string | null;
  readonly externalId: string | null;
  readonly groupId: number | null;
  readonly joinedAt: Date | null;
  readonly lastSeenAt: Date | null;
}

const { id, roomId, displayName, pseudonym, email, externalId, groupId, joinedAt, lastSeenAt } = learners;
/** The columns of a `Learner`. */
const shown = { id, roomId, displayName, pseudonym, email, externalId, groupId, joinedAt, lastSeenAt };

const LONGEST_NAME = 60;

export interface Joining {
  readonly room: Room;
  readonly displayName: string;
  readonly pseudonym?: boolean;
  /** Of an earlier join: brings the same learner back, under the name they had. */
  readonly token?: string;
  /** The e-mail or number by which somebody on the roster proves to be the one they say. */
  readonly identity?: string;
}

/**
 * Lets somebody into a room. A name on the roster is given only to who knows the e-mail or number that stands beside it.
 * @throws InputError if the room is shut or the name is another's; the message suggests a free name
 */
export async function joinRoom(
  { db }: Store,
  joining: Joining,
): Promise<{ learner: Learner; token: string }> {
  const { room } = joining;
  if (joining.token !== undefined) {
    const back = await byToken(db, joining.token);
    if (back !== undefined && back.learner.roomId === room.id) {
      return { learner: back.learner, token: joining.token };
    }
  }
  const shut = whyShut(room);
  if (shut !== undefined) throw new InputError(shut);
  const name = cleanName(joining.displayName);
  if (name === '' || name.length > LONGEST_NAME)
    throw new InputError(`a name has 1 to ${LONGEST_NAME} characters`);
  return db.transaction(async (tx) => {
    const token = newToken();
    const entry = { tokenHash: hashToken(token), joinedAt: new Date(), lastSeenAt: new Date() };
    const [learner] = await tx
      .insert(learners)
      .values({
        roomId: room.id,
        displayName: name,
        nameKey: nameKey(name),
        pseudonym: joining.pseudonym ?? false,
        ...entry,
      })
      .onConflictDoNothing()
      .returning(shown);
    if (learner !== undefined) return { learner, token };
    const [taken] = await tx
      .select()
      .from(learners)
      .where(and(eq(learners.roomId, room.id), eq(learners.nameKey, nameKey(name))))
      .for('update');
    if (taken !== undefined && taken.tokenHash === null) {
      if (!provesToBe(taken, joining.identity)) {
        throw new InputError(
          `“${name}” is on the roster of this room: give the e-mail or number that stands there with the name, or join as “${await freeName(tx, room.id, name)}”`,
        );
      }
      const [claimed] = await tx
        .update(learners)
        .set(entry)
        .where(eq(learners.id, taken.id))
        .returning(shown);
      if (claimed !== undefined) return { learner: claimed, token };
    }
    throw new InputError(
      `somebody called “${name}” is in this room already; join as “${await freeName(tx, room.id, name)}”, for example`,
    );
  });
}

function provesToBe(
  { email, externalId }: { email: string | null; externalId: string | null },
  identity: string | undefined,
): boolean {
  const given = identity?.trim().toLowerCase();
  if (given === undefined || given === '') return false;
  return given === email?.toLowerCase() || given === externalId?.toLowerCase();
}

/** `Ada 2`, or the first number that is free. */
export async function freeName(db: Database, room: number, name: string): Promise<string> {
  const rows = await db.select({ key: learners.nameKey }).from(learners).where(eq(learners.roomId, room));
  const taken = new Set(rows.map(({ key }) => key));
  const stem = name.slice(0, LONGEST_NAME - 5).trimEnd();
  for (let number = 2; ; number++) {
    const candidate = `${stem} ${number}`;
    if (!taken.has(nameKey(candidate))) return candidate;
  }
}

async function byToken(db: Database, token: string): Promise<{ learner: Learner; room: Room } | undefined> {
  const [found] = await db
    .select({ learner: shown, room: rooms })
    .from(learners)
    .innerJoin(rooms, eq(learners.roomId, rooms.id))
    .where(eq(learners.tokenHash, hashToken(token)));
  return found;
}

/** Whose token it is, with the room. Looked up by its hash, so that the time it takes says nothing about the token. */
export async function learnerByToken(
  { db }: Store,
  token: string,
): Promise<{ learner: Learner; room: Room } | undefined> {
  return byToken(db, token);
}

/** A learner with their room; undefined if they were removed. */
export async function learnerById(
  { db }: Store,
  learner: number,
): Promise<{ learner: Learner; room: Room } | undefined> {
  const [found] = await db
    .select({ learner: shown, room: rooms })
    .from(learners)
    .innerJoin(rooms, eq(learners.roomId, rooms.id))
    .where(eq(learners.id, learner));
  return found;
}

/**
 * A token for a learner who has shown in another way who they are; the lab that had one before is out.
 * @returns undefined if the learner was removed
 */
export async function renewToken(
  { db }: Store,
  learner: number,
): Promise<{ learner: Learner; token: string } | undefined> {
  const token = newToken();
  const now = new Date();
  const [renewed] = await db
    .update(learners)
    .set({
      tokenHash: hashToken(token),
      joinedAt: sql`coalesce(${learners.joinedAt}, now())`,
      lastSeenAt: now,
    })
    .where(eq(learners.id, learner))
    .returning(shown);
  return renewed === undefined ? undefined : { learner: renewed, token };
}

/** Everybody in a room and on its roster, in order of joining. With `joined`, only who has joined. */
export async function learnersOf(
  { db }: Store,
  room: number,
  { joined = false }: { readonly joined?: boolean } = {},
): Promise<Learner[]> {
  return db
    .select(shown)
    .from(learners)
    .where(and(eq(learners.roomId, room), joined ? isNotNull(learners.joinedAt) : undefined))
    .orderBy(asc(learners.id));
}

/** Notes that these learners were there; meant to be called for many at a time, once in a while. */
export async function seen({ db }: Store, ids: readonly number[], at = new Date()): Promise<void> {
  if (ids.length === 0) return;
  await db
    .update(learners)
    .set({ lastSeenAt: at })
    .where(inArray(learners.id, [...ids]));
}

/** Forgets a learner's token: whoever has it is out. They can join again only if an instructor frees the name. */
export async function removeLearner({ db }: Store, learner: number): Promise<void> {
  await db.delete(learners).where(eq(learners.id, learner));
}
