/** The gradebook for the dashboard: marks, how they came about, marks by hand, other dates, groups, and the way to learning platforms. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { svgOf } from '../../plots/chart.ts';
import { type BookView, newExtension, newMark, type PassedMarkView } from '../book-protocol.ts';
import { linksOf } from '../lti/links.ts';
import { passBackAssignment } from '../lti/passback.ts';
import type { Platform } from '../lti/platforms.ts';
import { pullRoster } from '../lti/pull-roster.ts';
import { PlatformServices } from '../lti/services.ts';
import { extend } from '../store/extensions.ts';
import { addMark, markBook, marksOf } from '../store/gradebook.ts';
import { groupsOf, putIntoGroup } from '../store/groups.ts';
import { learnersOf } from '../store/learners.ts';
import { markHistory } from '../store/mark-detail.ts';
import type { Room } from '../store/rooms.ts';
import { submissionIn } from '../store/submissions.ts';
import type { Deed, Session } from './accounts.ts';
import { HttpError, type Workshop } from './app.ts';
import { detailView, markView } from './book-views.ts';
import { sessionFor } from './login-routes.ts';
import { assignmentIn, learnerIn, learnerOfRoom, roomIn } from './lookups.ts';
import { marksChart } from './marks-chart.ts';

export function bookRoutes({ store, rooms, catalogue }: Workshop) {
  const session = (request: FastifyRequest, deed: Deed): Promise<Session> => sessionFor(store, request, deed);
  const servicesOf = (platform: Platform) => new PlatformServices(store, platform);
  /** What goes to platforms, one after the other: two at once would make two columns. */
  let sending: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = sending.then(work, work);
    sending = turn.catch(() => undefined);
    return turn;
  }

  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/rooms/:room/book', async (request): Promise<BookView> => {
      await session(request, 'mark');
      const { id } = await roomIn(store, request);
      const [book, groups, links] = [
        await markBook(store, id),
        await groupsOf(store, id),
        await linksOf(store, id),
      ];
      return {
        assignments: book.assignments.map((one) => ({
          id: one.id,
          chapter: one.chapter,
          title: one.title,
          dueAt: one.dueAt?.toISOString() ?? null,
          released: one.releasedAt !== null,
          linked: links.some(({ assignmentId, takesScores }) => takesScores && assignmentId === one.id),
        })),
        groups,
        rows: book.rows.map(({ learner, group, marks }) => ({
          id: learner.id,
          name: learner.displayName,
          group,
          marks: marks.map(markView),
        })),
        pulls: links.some(({ tellsMembers }) => tellsMembers),
      };
    });

    const ONE = '/api/rooms/:room/learners/:learner/chapters/:chapter';

    app.get(ONE, async (request) => {
      await session(request, 'mark');
      return detailOf(await roomIn(store, request), request);
    });

    async function detailOf(room: Room, request: FastifyRequest) {
      const learner = await learnerIn(store, room, request);
      const assignment = await assignmentIn(store, room, request);
      const group = (await groupsOf(store, room.id)).find(({ id }) => id === learner.groupId);
      const history = await markHistory(store, assignment, learner);
      const known = catalogue.find(({ chapter }) => chapter === assignment.chapter)?.exercises ?? [];
      return detailView({ learner, group: group?.name ?? null, assignment, history, known });
    }

    app.post(`${ONE}/marks`, async (request) => {
      const { name: by } = await session(request, 'mark');
      const room = await roomIn(store, request);
      const [learner, assignment] = [
        await learnerIn(store, room, request),
        await assignmentIn(store, room, request),
      ];
      const mark = newMark.parse(request.body);
      await addMark(store, { ...mark, assignmentId: assignment.id, learnerId: learner.id, by });
      return detailOf(room, request);
    });

    app.get('/api/rooms/:room/chapters/:chapter/marks.svg', async (request, reply) => {
      await session(request, 'mark');
      const room = await roomIn(store, request);
      const assignment = await assignmentIn(store, room, request);
      const marks = await marksOf(store, assignment, await learnersOf(store, room.id));
      return reply
        .type('image/svg+xml')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .send(await svgOf(marksChart([...marks.values()])));
    });

    app.post('/api/rooms/:room/chapters/:chapter/extensions', async (request) => {
      const { name: by } = await session(request, 'mark');
      const room = await roomIn(store, request);
      const { id: assignmentId } = await assignmentIn(store, room, request);
      const { learnerId, groupId, until } = newExtension.parse(request.body);
      if (learnerId !== undefined) await learnerOfRoom(store, room, learnerId);
      const whose = groupId === undefined ? { learnerId: learnerId ?? 0 } : { groupId };
      await extend(store, { assignmentId, whose, dueAt: new Date(until), by });
      return {};
    });

    app.get('/api/rooms/:room/hand-ins/:submission/notebook', async (request, reply) => {
      await session(request, 'mark');
      const room = await roomIn(store, request);
      const { submission } = z
        .object({ submission: z.coerce.number().int().positive() })
        .parse(request.params);
      const found = await submissionIn(store, room.id, submission);
      if (found === undefined) throw new HttpError(404, 'There is no such notebook in this room.');
      return reply
        .type('application/x-ipynb+json')
        .header(
          'content-disposition',
          `attachment; filename="${found.chapter}-attempt-${found.attempt}.ipynb"`,
        )
        .send(Buffer.from(found.notebook));
    });

    app.put('/api/rooms/:room/learners/:learner/group', async (request) => {
      const { name: by } = await session(request, 'manage');
      const room = await roomIn(store, request);
      const { id } = await learnerIn(store, room, request);
      const { group } = z
        .strictObject({ group: z.string().trim().min(1).max(60).nullable() })
        .parse(request.body);
      await putIntoGroup(store, { learnerId: id, group, by });
      rooms.of(room.id).changed(id);
      return {};
    });

    app.post('/api/rooms/:room/chapters/:chapter/passback', async (request): Promise<PassedMarkView[]> => {
      const { name: by } = await session(request, 'mark');
      const { id } = await assignmentIn(store, await roomIn(store, request), request);
      return inTurn(() => passBackAssignment(store, id, servicesOf, by));
    });

    app.post('/api/rooms/:room/pull-roster', async (request) => {
      const { name: by } = await session(request, 'manage');
      const { id } = await roomIn(store, request);
      try {
        return await inTurn(() => pullRoster(store, id, servicesOf, by));
      } finally {
        await rooms.of(id).roomChanged();
      }
    });
  };
}
