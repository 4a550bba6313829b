/** Places on platforms from which this tool is opened, and the chapters they lead to. */
import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import type { Database, Store } from '../store/open.ts';
import { findRoomByCode } from '../store/rooms.ts';
import { assignments, ltiDeployments, ltiLinks, ltiPlatforms, ltiScores, rooms } from '../store/schema.ts';
import { SCOPES } from './services.ts';

export type Link = typeof ltiLinks.$inferSelect;

export interface LinkEntry {
  readonly id: number;
  readonly platform: string;
  /** The course on the platform, in its own words. */
  readonly context: string | null;
  readonly title: string | null;
  readonly roomId: number | null;
  readonly room: string | null;
  readonly chapter: string | null;
  readonly assignmentId: number | null;
  /** Whether the platform takes marks, and tells who is in the course. */
  readonly takesScores: boolean;
  readonly tellsMembers: boolean;
  readonly lastLaunchAt: Date;
}

/** All links, or those of one room, in the order in which they were first opened. */
export async function linksOf({ db }: Store, roomId?: number): Promise<LinkEntry[]> {
  const rows = await db
    .select({ link: ltiLinks, platform: ltiPlatforms.name, room: rooms.title, chapter: assignments.chapter })
    .from(ltiLinks)
    .innerJoin(ltiDeployments, eq(ltiDeployments.id, ltiLinks.deploymentId))
    .innerJoin(ltiPlatforms, eq(ltiPlatforms.id, ltiDeployments.platformId))
    .leftJoin(rooms, eq(rooms.id, ltiLinks.roomId))
    .leftJoin(assignments, eq(assignments.id, ltiLinks.assignmentId))
    .where(roomId === undefined ? undefined : eq(ltiLinks.roomId, roomId))
    .orderBy(asc(ltiLinks.id));
  return rows.map(({ link, platform, room, chapter }) => ({
    id: link.id,
    platform,
    context: link.contextId,
    title: link.title,
    roomId: link.roomId,
    room,
    chapter,
    assignmentId: link.assignmentId,
    takesScores: link.scopes.includes(SCOPES.scores),
    tellsMembers: link.membershipsUrl !== null,
    lastLaunchAt: link.lastLaunchAt,
  }));
}

/** Says where a link leads. @throws InputError if there is no such link, or no such chapter in the room */
export async function connectLink(
  { db }: Store,
  given: { readonly linkId: number; readonly roomId: number; readonly chapter: string; readonly by: string },
): Promise<Link> {
  const { linkId, roomId, chapter, by } = given;
  return db.transaction(async (tx) => {
    const assignmentId = await assignmentIn(tx, roomId, chapter);
    if (assignmentId === undefined) throw new InputError(`the room has no chapter '${chapter}'`);
    const [before] = await tx.select().from(ltiLinks).where(eq(ltiLinks.id, linkId)).for('update');
    // Marks of another chapter were sent through it: those of this one are news to the platform.
    if (before?.assignmentId !== assignmentId) await tx.delete(ltiScores).where(eq(ltiScores.linkId, linkId));
    const [link] = await tx
      .update(ltiLinks)
      .set({ roomId, assignmentId })
      .where(eq(ltiLinks.id, linkId))
      .returning();
    if (link === undefined) throw new InputError(`there is no link ${linkId}`);
    await record(tx, by, 'lti.connect', { link: linkId, room: roomId, chapter });
    return link;
  });
}

/**
 * Connects a link that leads nowhere yet by what stands beside it on the platform: `chapter`, in the room that the other links of the course
 * lead to. A course without one is given the room of the code `room` by who may do so here: a code alone, which every learner knows, must not
 * lead the marks of a room into another course. @returns the link as it is then
 */
export async function connectByCustom(
  store: Store,
  link: Link,
  given: {
    readonly custom: Readonly<Record<string, string>>;
    /** Whether an instructor of ours opens it. */
    readonly mayChooseRoom: boolean;
    readonly by: string;
  },
): Promise<Link> {
  const { custom, mayChooseRoom, by } = given;
  const { chapter, room: code } = custom;
  if (link.assignmentId !== null || chapter === undefined) return link;
  const named = mayChooseRoom && code !== undefined ? await findRoomByCode(store, code) : undefined;
  const roomId = named?.id ?? (await roomOfCourse(store, link));
  if (roomId === undefined || (await assignmentIn(store.db, roomId, chapter)) === undefined) return link;
  return connectLink(store, { linkId: link.id, roomId, chapter, by });
}

/** The room that the other links of a course lead to, if it is one. */
async function roomOfCourse({ db }: Store, { deploymentId, contextId }: Link): Promise<number | undefined> {
  if (contextId === null) return undefined;
  const found = await db
    .selectDistinct({ roomId: ltiLinks.roomId })
    .from(ltiLinks)
    .where(
      and(
        eq(ltiLinks.deploymentId, deploymentId),
        eq(ltiLinks.contextId, contextId),
        isNotNull(ltiLinks.roomId),
      ),
    );
  return found.length === 1 ? (found[0]?.roomId ?? undefined) : undefined;
}

async function assignmentIn(db: Database, roomId: number, chapter: string): Promise<number | undefined> {
  const [found] = await db
    .select({ id: assignments.id })
    .from(assignments)
    .where(and(eq(assignments.roomId, roomId), eq(assignments.chapter, chapter)));
  return found?.id;
}
