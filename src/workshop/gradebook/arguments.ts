/** What the commands of the gradebook are given as words: rooms, chapters, learners, groups, times. */
import { InvalidArgumentError } from 'commander';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { type Learner, learnersOf } from '../store/learners.ts';
import { nameKey, showCode } from '../store/names.ts';
import type { Store } from '../store/open.ts';
import { type Assignment, allRooms, assignmentsOf, findRoomByCode, type Room } from '../store/rooms.ts';
import { groups } from '../store/schema.ts';
import { learnerFinder } from './grading-files.ts';

/** The room of a code, or the only one. */
export async function roomOf(store: Store, code: string | undefined): Promise<Room> {
  if (code !== undefined) {
    const found = await findRoomByCode(store, code);
    if (found === undefined) throw new InputError(`--room ${code}: there is no room with this code`);
    return found;
  }
  const [only, ...others] = await allRooms(store);
  if (only === undefined) throw new InputError('there is no room yet; lab workshop opens one');
  if (others.length === 0) return only;
  const list = [only, ...others].map(({ code: one, title }) => `${showCode(one)} (${title})`).join(', ');
  throw new InputError(`there are several rooms; give --room with one of ${list}`);
}

export async function assignmentOf(store: Store, room: Room, chapter: string): Promise<Assignment> {
  const all = await assignmentsOf(store, room.id);
  const found = all.find((one) => one.chapter === chapter);
  if (found !== undefined) return found;
  const known = all.map((one) => one.chapter).join(', ') || 'none yet';
  throw new InputError(`the room has no chapter '${chapter}'; it has ${known}`);
}

export async function learnerOf(store: Store, room: Room, text: string): Promise<Learner> {
  const found = learnerFinder(await learnersOf(store, room.id))(text);
  if (found === undefined) throw new InputError(`nobody in the room has the name, e-mail or id '${text}'`);
  return found;
}

export async function groupOf({ db }: Store, room: Room, name: string): Promise<number> {
  const [found] = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.roomId, room.id), eq(groups.nameKey, nameKey(name))));
  if (found === undefined) throw new InputError(`the room has no group '${name}'`);
  return found.id;
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('expected a number from 0');
}

export function instant(text: string): Date {
  if (z.iso.datetime({ offset: true }).safeParse(text).success) return new Date(text);
  throw new InvalidArgumentError('expected a time with its zone, for example 2026-05-04T23:59:00+02:00');
}
