/** Rooms: opening and closing them, their chapters and their messages. */
import { and, asc, eq, gt, isNull, or } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import type { LatePolicy } from '../gradebook/policy.ts';
import { record } from './audit.ts';
import { cleanName, newCode, normaliseCode } from './names.ts';
import type { Store } from './open.ts';
import { assignments, messages, rooms } from './schema.ts';

export type Room = typeof rooms.$inferSelect;
export type Assignment = typeof assignments.$inferSelect;
export type Message = typeof messages.$inferSelect;

export interface NewRoom {
  readonly title: string;
  /** Never unless given. */
  readonly expiresAt?: Date;
  /** Whether checks bring code; off unless given. */
  readonly asksForCode?: boolean;
  /** For the audit log. */
  readonly by: string;
}

/** Opens a room with a join code of its own. */
export async function createRoom({ db }: Store, given: NewRoom): Promise<Room> {
  const title = cleanName(given.title);
  if (title === '') throw new InputError('a room needs a title');
  return db.transaction(async (tx) => {
    for (;;) {
      const [room] = await tx
        .insert(rooms)
        .values({
          code: newCode(),
          title,
          expiresAt: given.expiresAt ?? null,
          asksForCode: given.asksForCode ?? false,
        })
        .onConflictDoNothing()
        .returning();
      // Another room has the code: once in a lifetime.
      if (room === undefined) continue;
      await record(tx, given.by, 'room.create', { room: room.id, title });
      return room;
    }
  });
}

export async function allRooms({ db }: Store): Promise<Room[]> {
  return db.select().from(rooms).orderBy(asc(rooms.id));
}

export async function findRoom({ db }: Store, roomId: number): Promise<Room | undefined> {
  const [room] = await db.select().from(rooms).where(eq(rooms.id, roomId));
  return room;
}

/** The room of a code, however it was typed; also when it is closed or expired (see `whyShut`). */
export async function findRoomByCode({ db }: Store, code: string): Promise<Room | undefined> {
  const [room] = await db
    .select()
    .from(rooms)
    .where(eq(rooms.code, normaliseCode(code)));
  return room;
}

/** Why nobody can join a room now, in a sentence; undefined if they can. */
export function whyShut({ closedAt, expiresAt, title }: Room, now = new Date()): string | undefined {
  if (closedAt !== null && closedAt <= now) return `the room “${title}” is closed`;
  if (expiresAt !== null && expiresAt <= now) return `the code of the room “${title}” has expired`;
  return undefined;
}

/** Changes a room; what is not given stays. `closed: false` opens it again. @throws InputError if there is no such room */
export async function changeRoom(
  { db }: Store,
  roomId: number,
  change: {
    readonly title?: string;
    readonly expiresAt?: Date | null;
    readonly asksForCode?: boolean;
    readonly closed?: boolean;
    readonly by: string;
  },
): Promise<Room> {
  const { title, expiresAt, asksForCode, closed, by } = change;
  const values = {
    ...(title === undefined ? {} : { title: cleanName(title) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(asksForCode === undefined ? {} : { asksForCode }),
    ...(closed === undefined ? {} : { closedAt: closed ? new Date() : null }),
  };
  return db.transaction(async (tx) => {
    const [room] =
      Object.keys(values).length === 0
        ? await tx.select().from(rooms).where(eq(rooms.id, roomId))
        : await tx.update(rooms).set(values).where(eq(rooms.id, roomId)).returning();
    if (room === undefined) throw new InputError(`there is no room ${roomId}`);
    await record(tx, by, 'room.change', { room: roomId, ...values });
    return room;
  });
}

/** Opens, closes or dates a chapter of a room, and makes it if it is not there; what is not given stays. */
export async function setAssignment(
  { db }: Store,
  given: {
    readonly roomId: number;
    readonly chapter: string;
    /** The chapter's name unless given. */
    readonly title?: string;
    readonly open?: boolean;
    readonly dueAt?: Date | null;
    readonly policy?: LatePolicy;
    /** Whether learners see their marks. */
    readonly released?: boolean;
    readonly by: string;
  },
): Promise<Assignment> {
  const { roomId, chapter, title, open, dueAt, policy, released, by } = given;
  const values = {
    ...(title === undefined ? {} : { title }),
    ...(open === undefined ? {} : { open }),
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(policy === undefined ? {} : { policy }),
    ...(released === undefined ? {} : { releasedAt: released ? new Date() : null }),
  };
  return db.transaction(async (tx) => {
    const [assignment] = await tx
      .insert(assignments)
      .values({ roomId, chapter, title: chapter, ...values })
      // The chapter is set to itself where nothing changes: a conflict that does nothing returns nothing.
      .onConflictDoUpdate({ target: [assignments.roomId, assignments.chapter], set: { chapter, ...values } })
      .returning();
    if (assignment === undefined) throw new InputError(`there is no room ${roomId}`);
    await record(tx, by, 'assignment.set', { assignment: assignment.id, room: roomId, chapter, ...values });
    return assignment;
  });
}

/** A room's chapters, in the order of the course. */
export async function assignmentsOf({ db }: Store, roomId: number): Promise<Assignment[]> {
  return db
    .select()
    .from(assignments)
    .where(eq(assignments.roomId, roomId))
    .orderBy(asc(assignments.chapter));
}

export async function addMessage(
  { db }: Store,
  given: {
    readonly roomId: number;
    readonly kind: Message['kind'];
    readonly text: string;
    readonly exercise?: string;
    /** For one learner alone. */
    readonly learnerId?: number;
    readonly by: string;
  },
): Promise<Message> {
  const { roomId, kind, text, exercise, learnerId, by } = given;
  return db.transaction(async (tx) => {
    const [message] = await tx
      .insert(messages)
      .values({ roomId, kind, text, exercise: exercise ?? null, learnerId: learnerId ?? null, by })
      .returning();
    if (message === undefined) throw new Error('the message was not kept');
    await record(tx, by, 'message.send', {
      message: message.id,
      room: roomId,
      kind,
      learner: learnerId ?? null,
    });
    return message;
  });
}

/** The messages of a room after the one with id `after` (0 for all), oldest first. With `learnerId`, those that this learner may see. */
export async function messagesSince(
  { db }: Store,
  roomId: number,
  { after = 0, learnerId }: { readonly after?: number; readonly learnerId?: number } = {},
): Promise<Message[]> {
  return db
    .select()
    .from(messages)
    .where(
      and(
        eq(messages.roomId, roomId),
        gt(messages.id, after),
        learnerId === undefined
          ? undefined
          : or(isNull(messages.learnerId), eq(messages.learnerId, learnerId)),
      ),
    )
    .orderBy(asc(messages.id));
}
