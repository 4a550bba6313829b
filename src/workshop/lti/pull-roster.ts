/** The list of members of a course on its platform, taken into a room (NRPS 2.0). Nobody is removed. */
import { and, eq, isNotNull } from 'drizzle-orm';
import { InputError } from '../../errors.ts';
import { record } from '../store/audit.ts';
import type { Store } from '../store/open.ts';
import { ltiDeployments, ltiLinks, ltiPlatforms } from '../store/schema.ts';
import { learnerFor } from './people.ts';
import type { Platform } from './platforms.ts';
import { isLearner, type PlatformServices } from './services.ts';

export interface Pulled {
  /** New in the room. */
  readonly added: number;
  /** On the list of names already, now known as one of the platform. */
  readonly matched: number;
  readonly unchanged: number;
  /** In the course, and no learner: instructors, observers, those who have left. */
  readonly passedOver: number;
}

/** Asks every course that leads to the room. @throws InputError if none of its platforms tells who is in the course */
export async function pullRoster(
  store: Store,
  roomId: number,
  servicesOf: (platform: Platform) => PlatformServices,
  by: string,
): Promise<Pulled> {
  const courses = await store.db
    .selectDistinctOn([ltiLinks.membershipsUrl], {
      url: ltiLinks.membershipsUrl,
      contextId: ltiLinks.contextId,
      platform: ltiPlatforms,
    })
    .from(ltiLinks)
    .innerJoin(ltiDeployments, eq(ltiDeployments.id, ltiLinks.deploymentId))
    .innerJoin(ltiPlatforms, eq(ltiPlatforms.id, ltiDeployments.platformId))
    .where(and(eq(ltiLinks.roomId, roomId), isNotNull(ltiLinks.membershipsUrl)));
  if (courses.length === 0) {
    throw new InputError('no link of a platform that tells who is in its course leads to this room');
  }
  const counts = { added: 0, matched: 0, unchanged: 0, passedOver: 0 };
  for (const { url, contextId, platform } of courses) {
    if (url === null) continue;
    for (const { user_id: sub, roles, status, name, email } of await servicesOf(platform).members(url)) {
      if (status !== 'Active' || !isLearner(roles)) {
        counts.passedOver++;
        continue;
      }
      const person = { platformId: platform.id, sub, name, email, contextId };
      const { how } = await learnerFor(store, roomId, person, by);
      counts[how === 'new' ? 'added' : how === 'listed' ? 'matched' : 'unchanged']++;
    }
  }
  await record(store.db, by, 'lti.roster', { room: roomId, ...counts });
  return counts;
}
