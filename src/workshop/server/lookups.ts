/** What a request names in its address: a room, a learner of it, a chapter of it. Every lookup names the room too. */

import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { chapterName } from '../protocol.ts';
import { type Learner, learnerById } from '../store/learners.ts';
import type { Store } from '../store/open.ts';
import { type Assignment, assignmentsOf, findRoom, type Room } from '../store/rooms.ts';
import { HttpError } from './app.ts';

const number = z.coerce.number().int().positive();

/** @throws HttpError 404 */
export async function roomIn(store: Store, request: FastifyRequest): Promise<Room> {
  const { room: id } = z.object({ room: number }).parse(request.params);
  const room = await findRoom(store, id);
  if (room === undefined) throw new HttpError(404, 'There is no such room.');
  return room;
}

/** The learner with this number, of this room. @throws HttpError 404 */
export async function learnerOfRoom(store: Store, room: Room, id: number): Promise<Learner> {
  const found = await learnerById(store, id);
  if (found === undefined || found.room.id !== room.id)
    throw new HttpError(404, 'There is no such learner in this room.');
  return found.learner;
}

/** The learner that the address names. @throws HttpError 404 */
export async function learnerIn(store: Store, room: Room, request: FastifyRequest): Promise<Learner> {
  return learnerOfRoom(store, room, z.object({ learner: number }).parse(request.params).learner);
}

/** The chapter that the address names. @throws HttpError 404 */
export async function assignmentIn(store: Store, room: Room, request: FastifyRequest): Promise<Assignment> {
  const { chapter } = z.object({ chapter: chapterName }).parse(request.params);
  const found = (await assignmentsOf(store, room.id)).find((one) => one.chapter === chapter);
  if (found === undefined) throw new HttpError(404, `There is no chapter ${chapter} in this room.`);
  return found;
}
