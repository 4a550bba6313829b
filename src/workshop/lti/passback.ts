/** Marks of the gradebook into the platform's: each is sent once, and again when it changes. */
import { and, eq, isNotNull } from 'drizzle-orm';
import { InputError, messageOf } from '../../errors.ts';
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

export interface Passback {
  readonly sent: number;
  readonly unchanged: number;
  /** Learner and reason; tried again at the next call. */
  readonly failed: readonly { readonly learnerId: number; readonly why: string }[];
}

/** Sends the marks of a link's assignment. @throws InputError if the link has no assignment or the platform gave no right to send */
export async function passBack(
  store: Store,
  linkId: number,
  servicesOf: (platform: Platform) => PlatformServices,
): Promise<Passback> {
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
    throw new InputError('the platform lets this tool send no scores');
  const people = await db
    .select({ id: learners.id, groupId: learners.groupId, sub: ltiUsers.sub })
    .from(ltiUsers)
    .innerJoin(learners, eq(learners.id, ltiUsers.learnerId))
    .where(
      and(
        eq(ltiUsers.platformId, platform.id),
        eq(learners.roomId, assignment.roomId),
        isNotNull(ltiUsers.learnerId),
      ),
    );
  const before = new Map(
    (await db.select().from(ltiScores).where(eq(ltiScores.linkId, linkId))).map((one) => [
      one.learnerId,
      one,
    ]),
  );
  const services = servicesOf(platform);
  const marks = await marksOf(store, assignment, people);
  let [lineItem, sent, unchanged] = [link.lineItemUrl, 0, 0];
  const failed: { learnerId: number; why: string }[] = [];
  for (const { id: learnerId, sub } of people) {
    const mark = marks.get(learnerId);
    if (mark === undefined || mark.points === null || mark.outOf === null) continue;
    const { points, outOf } = mark;
    const comment = mark.comments.map((one) => one.comment).join('; ') || null;
    const last = before.get(learnerId);
    if (last?.points === points && last.outOf === outOf && last.comment === comment) {
      unchanged++;
      continue;
    }
    try {
      lineItem ??= await ownLineItem(store, services, link, assignment.title, outOf);
      const at = new Date();
      await services.sendScore(lineItem, {
        sub,
        points,
        outOf,
        at,
        ...(comment === null ? {} : { comment }),
      });
      const score = { points, outOf, comment, sentAt: at };
      await db
        .insert(ltiScores)
        .values({ linkId, learnerId, ...score })
        .onConflictDoUpdate({ target: [ltiScores.linkId, ltiScores.learnerId], set: score });
      sent++;
    } catch (error) {
      failed.push({ learnerId, why: messageOf(error) });
    }
  }
  return { sent, unchanged, failed };
}

/** Where the platform made no column for the link, it is asked for one. */
async function ownLineItem(
  { db }: Store,
  services: PlatformServices,
  link: typeof ltiLinks.$inferSelect,
  label: string,
  outOf: number,
): Promise<string> {
  if (link.lineItemsUrl === null) throw new InputError('the platform has no gradebook for this link');
  const { resourceLinkId } = link;
  const lineItemUrl = await services.createLineItem(link.lineItemsUrl, { label, outOf, resourceLinkId });
  await db.update(ltiLinks).set({ lineItemUrl }).where(eq(ltiLinks.id, link.id));
  return lineItemUrl;
}
