/** Marks of the gradebook into the platform's: each is sent once, and again when it changes. */
import { and, asc, eq } from 'drizzle-orm';
import { InputError, messageOf } from '../../errors.ts';
import { record } from '../store/audit.ts';
import { marksOf } from '../store/gradebook.ts';
import type { Store } from '../store/open.ts';
import {
  assignments,
  learners,
  ltiDeployments,
  ltiLinks,
  ltiPlatforms,
  ltiScores,
  ltiUsers,
} from '../store/schema.ts';
import type { Platform } from './platforms.ts';
import { type PlatformServices, SCOPES } from './services.ts';

export interface PassedMark {
  readonly learnerId: number;
  readonly name: string;
  /** `unmarked`: nothing was handed in, or it is not graded yet; the platform keeps what it has. */
  readonly outcome: 'sent' | 'unchanged' | 'unmarked' | 'failed';
  readonly points: number | null;
  readonly outOf: number | null;
  /** Why it failed; it is tried again at the next call. */
  readonly why?: string;
}

/** A lecture of 300 is done within a minute, and no platform takes it for a flood. */
const AT_ONCE = 4;

type ServicesOf = (platform: Platform) => PlatformServices;

/**
 * Sends the marks of an assignment through every link that leads to it.
 * @throws InputError if none does, or the platform of one lets this tool send no scores
 */
export async function passBackAssignment(
  store: Store,
  assignmentId: number,
  servicesOf: ServicesOf,
  by: string,
): Promise<PassedMark[]> {
  const links = await store.db
    .select({ id: ltiLinks.id })
    .from(ltiLinks)
    .where(eq(ltiLinks.assignmentId, assignmentId))
    .orderBy(asc(ltiLinks.id));
  if (links.length === 0) {
    throw new InputError(
      'no link of a platform leads to this chapter; open one there first, as its instructor',
    );
  }
  const results: PassedMark[] = [];
  for (const { id } of links) results.push(...(await passBack(store, id, servicesOf)));
  const count = (wanted: PassedMark['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  await record(store.db, by, 'lti.passback', {
    assignment: assignmentId,
    sent: count('sent'),
    failed: count('failed'),
  });
  return results;
}

/** Sends the marks of a link's assignment. @throws InputError if the link has no assignment or the platform gave no right to send */
export async function passBack(store: Store, linkId: number, servicesOf: ServicesOf): Promise<PassedMark[]> {
  const { db } = store;
  const [found] = await db
    .select({ link: ltiLinks, platform: ltiPlatforms, assignment: assignments })
    .from(ltiLinks)
    .innerJoin(ltiDeployments, eq(ltiDeployments.id, ltiLinks.deploymentId))
    .innerJoin(ltiPlatforms, eq(ltiPlatforms.id, ltiDeployments.platformId))
    .innerJoin(assignments, eq(assignments.id, ltiLinks.assignmentId))
    .where(eq(ltiLinks.id, linkId));
  if (found === undefined) throw new InputError('this link of the platform leads to no assignment');
  const { link, platform, assignment } = found;
  if (!link.scopes.includes(SCOPES.scores))
    throw new InputError(`${platform.name} lets this tool send no scores`);
  const known = await db
    .select({
      id: learners.id,
      name: learners.displayName,
      groupId: learners.groupId,
      sub: ltiUsers.sub,
      contextIds: ltiUsers.contextIds,
    })
    .from(ltiUsers)
    .innerJoin(learners, eq(learners.id, ltiUsers.learnerId))
    .where(and(eq(ltiUsers.platformId, platform.id), eq(learners.roomId, assignment.roomId)))
    .orderBy(asc(learners.id));
  // A room may belong to several courses: each is told of its own people alone.
  const { contextId } = link;
  const people = known.filter(({ contextIds }) => contextId === null || contextIds.includes(contextId));
  const sentBefore = await db.select().from(ltiScores).where(eq(ltiScores.linkId, linkId));
  const before = new Map(sentBefore.map((one) => [one.learnerId, one]));
  const services = servicesOf(platform);
  const marks = await marksOf(store, assignment, people);
  const most = Math.max(0, ...people.map(({ id }) => marks.get(id)?.outOf ?? 0));
  let column: Promise<string> | undefined;
  /** Asked for once, by the first that needs it. */
  const columnUrl = (): Promise<string> => {
    column ??=
      link.lineItemUrl === null
        ? ownLineItem(store, services, link, assignment.title, most)
        : Promise.resolve(link.lineItemUrl);
    return column;
  };

  async function pass({ id: learnerId, name, sub }: (typeof people)[number]): Promise<PassedMark> {
    const mark = marks.get(learnerId);
    const [points, outOf] = [mark?.points ?? null, mark?.outOf ?? null];
    const told = { learnerId, name, points, outOf };
    if (points === null) return { ...told, outcome: 'unmarked' };
    if (outOf === null || outOf <= 0) {
      const why = 'how many points can be had is not known before anything of the chapter is graded';
      return { ...told, outcome: 'failed', why };
    }
    const comment = mark?.comments.map((one) => one.comment).join('; ') || null;
    const last = before.get(learnerId);
    if (last?.points === points && last.outOf === outOf && last.comment === comment) {
      return { ...told, outcome: 'unchanged' };
    }
    try {
      const score = { points, outOf, comment, sentAt: new Date() };
      await services.sendScore(await columnUrl(), {
        sub,
        points,
        outOf,
        at: score.sentAt,
        ...(comment === null ? {} : { comment }),
      });
      await db
        .insert(ltiScores)
        .values({ linkId, learnerId, ...score })
        .onConflictDoUpdate({ target: [ltiScores.linkId, ltiScores.learnerId], set: score });
      return { ...told, outcome: 'sent' };
    } catch (error) {
      return { ...told, outcome: 'failed', why: messageOf(error) };
    }
  }

  const results: PassedMark[] = [];
  for (let first = 0; first < people.length; first += AT_ONCE) {
    results.push(...(await Promise.all(people.slice(first, first + AT_ONCE).map(pass))));
  }
  return results;
}

/** Where the platform made no column for the link, it is asked for one, unless one was made and its address did not arrive. */
async function ownLineItem(
  { db }: Store,
  services: PlatformServices,
  link: typeof ltiLinks.$inferSelect,
  label: string,
  outOf: number,
): Promise<string> {
  const { resourceLinkId, lineItemsUrl } = link;
  if (lineItemsUrl === null) throw new InputError('the platform has no gradebook for this link');
  const lineItemUrl =
    (await services.findLineItem(lineItemsUrl, resourceLinkId)) ??
    (await services.createLineItem(lineItemsUrl, { label, outOf, resourceLinkId }));
  await db.update(ltiLinks).set({ lineItemUrl }).where(eq(ltiLinks.id, link.id));
  return lineItemUrl;
}
