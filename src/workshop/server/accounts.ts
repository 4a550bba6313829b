/** Instructors: their passwords, their logins, and what their roles allow. */

import { randomUUID } from 'node:crypto';
import { and, asc, eq, gt, lt, sql } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import { cleanName, hashToken, newToken } from '../store/names.ts';
import type { Store } from '../store/open.ts';
import { instructors, sessions } from '../store/schema.ts';
import { fitsSecret, hashSecret, newPassword, UNKNOWN_HASH } from './secrets.ts';

export type Role = (typeof instructors.$inferSelect)['role'];

export interface Instructor {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
}

/** An instructor in one browser. */
export interface Session extends Instructor {
  readonly csrf: string;
}

/** Twelve hours: a day of teaching, not a shared computer's next morning. */
const SESSION_MILLISECONDS = 12 * 3_600_000;

/** What each role may do. An assistant helps in the room; only owners decide who else comes in. */
const MAY: Readonly<Record<Role, readonly Deed[]>> = {
  assistant: ['look', 'say'],
  instructor: ['look', 'say', 'manage', 'mark'],
  owner: ['look', 'say', 'manage', 'mark', 'staff'],
};
export type Deed = 'look' | 'say' | 'manage' | 'mark' | 'staff';

export function may(role: Role, deed: Deed): boolean {
  return MAY[role].includes(deed);
}

/** The first owner, made if there is none. @returns the password where one was made; it is kept nowhere */
export async function ensureOwner(store: Store): Promise<{ owner: Instructor; password?: string }> {
  const [found] = await store.db.select().from(instructors).where(eq(instructors.role, 'owner')).limit(1);
  if (found !== undefined) return { owner: { id: found.id, name: found.name, role: found.role } };
  const { instructor, password } = await addInstructor(store, {
    name: 'instructor',
    role: 'owner',
    by: 'lab workshop',
  });
  return { owner: instructor, password };
}

/** Adds somebody with a password made here. @throws InputError if the name is taken */
export async function addInstructor(
  { db }: Store,
  given: { readonly name: string; readonly role: Role; readonly by: string },
): Promise<{ instructor: Instructor; password: string }> {
  const name = cleanName(given.name);
  const password = newPassword();
  const secretHash = await hashSecret(password);
  return db.transaction(async (tx) => {
    const [made] = await tx
      .insert(instructors)
      .values({ name, secretHash, role: given.role })
      .onConflictDoNothing()
      .returning();
    if (made === undefined) throw new InputError(`there is an instructor called “${name}” already`);
    await record(tx, given.by, 'instructor.add', { instructor: made.id, name, role: made.role });
    return { instructor: { id: made.id, name, role: made.role }, password };
  });
}

/** Everybody who may log in, in the order in which they were let in. */
export async function allInstructors({ db }: Store): Promise<(Instructor & { since: Date })[]> {
  return db
    .select({
      id: instructors.id,
      name: instructors.name,
      role: instructors.role,
      since: instructors.createdAt,
    })
    .from(instructors)
    .orderBy(asc(instructors.id));
}

/** Lets somebody in no more and ends their logins. @throws InputError for an owner or a number that nobody has */
export async function removeInstructor({ db }: Store, id: number, by: string): Promise<void> {
  await db.transaction(async (tx) => {
    const [found] = await tx.select().from(instructors).where(eq(instructors.id, id)).for('update');
    if (found === undefined) throw new InputError('there is no such instructor');
    if (found.role === 'owner') throw new InputError('an owner cannot be removed');
    // Their logins, and who they are on learning platforms, go with them.
    await tx.delete(instructors).where(eq(instructors.id, id));
    await record(tx, by, 'instructor.remove', { instructor: id, name: found.name });
  });
}

/** Gives an instructor a new password and ends all their logins. @throws InputError if there is no such instructor */
export async function resetPassword({ db }: Store, name: string, by: string): Promise<string> {
  const password = newPassword();
  const secretHash = await hashSecret(password);
  await db.transaction(async (tx) => {
    const [changed] = await tx
      .update(instructors)
      .set({ secretHash })
      .where(eq(sql`lower(${instructors.name})`, cleanName(name).toLowerCase()))
      .returning();
    if (changed === undefined) throw new InputError(`there is no instructor called “${name}”`);
    await tx.delete(sessions).where(eq(sessions.instructorId, changed.id));
    await record(tx, by, 'instructor.password', { instructor: changed.id });
  });
  return password;
}

/** Who has this name and password; undefined, after the same time, for any other. */
export async function whoIs({ db }: Store, name: string, password: string): Promise<Instructor | undefined> {
  const [found] = await db
    .select()
    .from(instructors)
    .where(eq(sql`lower(${instructors.name})`, cleanName(name).toLowerCase()));
  const fits = await fitsSecret(password, found?.secretHash ?? UNKNOWN_HASH);
  return found !== undefined && fits ? { id: found.id, name: found.name, role: found.role } : undefined;
}

/** Begins a login. @returns the token for the cookie; only its hash is kept */
export async function beginSession({ db }: Store, instructor: Instructor): Promise<string> {
  const token = newToken();
  const now = Date.now();
  await db.delete(sessions).where(lt(sessions.expiresAt, new Date(now)));
  await db.insert(sessions).values({
    tokenHash: hashToken(token),
    instructorId: instructor.id,
    csrf: randomUUID(),
    expiresAt: new Date(now + SESSION_MILLISECONDS),
  });
  await record(db, instructor.name, 'login', { instructor: instructor.id });
  return token;
}

/** Whose login this is; undefined if it has ended. */
export async function sessionOf({ db }: Store, token: string): Promise<Session | undefined> {
  const [found] = await db
    .select({ id: instructors.id, name: instructors.name, role: instructors.role, csrf: sessions.csrf })
    .from(sessions)
    .innerJoin(instructors, eq(sessions.instructorId, instructors.id))
    .where(and(eq(sessions.tokenHash, hashToken(token)), gt(sessions.expiresAt, new Date())));
  return found;
}

export async function endSession({ db }: Store, token: string): Promise<void> {
  await db.delete(sessions).where(eq(sessions.tokenHash, hashToken(token)));
}
