/** What the instructors' pages ask. Every request needs a login; every change needs the login's own token beside its cookie. */

import { and, desc, eq } from 'drizzle-orm';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { writeZip } from '../../../grader/zip.ts';
import { svgOf } from '../../plots/chart.ts';
import { EXPORT_FORMATS, exportBook } from '../gradebook/exports.ts';
import {
  type CheckEntry,
  chapterName,
  LONGEST_CODE,
  type MistakeCount,
  type RoomSummary,
} from '../protocol.ts';
import { mistakeCounts, timeline } from '../store/checks.ts';
import { markBook } from '../store/gradebook.ts';
import { learnersOf, removeLearner } from '../store/learners.ts';
import { addMessage, allRooms, changeRoom, createRoom, type Room, setAssignment } from '../store/rooms.ts';
import { checks } from '../store/schema.ts';
import type { Deed, Session } from './accounts.ts';
import { HttpError, type Workshop } from './app.ts';
import { openChannel } from './event-channel.ts';
import { handInsOf, lastNotebooks } from './hand-ins.ts';
import { sessionFor } from './login-routes.ts';
import { learnerIn, learnerOfRoom, roomIn } from './lookups.ts';
import { timelineChart } from './timeline-chart.ts';
import { messageView } from './views.ts';

const MOST_ENTRIES = 50;

const text = (longest: number) => z.string().trim().min(1).max(longest);
const newMessage = z.strictObject({
  kind: z.enum(['announcement', 'hint', 'spotlight']),
  text: text(LONGEST_CODE),
  exercise: z.string().max(160).optional(),
  learnerId: z.number().int().positive().optional(),
});

export function instructorRoutes(workshop: Workshop) {
  const { store, rooms, catalogue } = workshop;

  const session = (request: FastifyRequest, deed: Deed): Promise<Session> => sessionFor(store, request, deed);

  const roomOf = (request: FastifyRequest): Promise<Room> => roomIn(store, request);

  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/rooms', async (request): Promise<RoomSummary[]> => {
      await session(request, 'look');
      const all = await allRooms(store);
      return Promise.all(
        all.map(async ({ id, title, code, createdAt, closedAt }) => ({
          id,
          title,
          code,
          createdAt: createdAt.toISOString(),
          closed: closedAt !== null,
          learners: (await learnersOf(store, id)).length,
        })),
      );
    });

    app.post('/api/rooms', async (request) => {
      const { name: by } = await session(request, 'manage');
      const given = z
        .strictObject({
          title: text(120),
          expiresAt: z.iso.datetime().optional(),
          asksForCode: z.boolean().optional(),
        })
        .parse(request.body);
      const { expiresAt, title, asksForCode } = given;
      const room = await createRoom(store, {
        title,
        by,
        ...(asksForCode === undefined ? {} : { asksForCode }),
        ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      });
      // Every chapter stands in the room; the first is open, so that learners can begin.
      for (const [i, { chapter, title: name }] of catalogue.entries()) {
        await setAssignment(store, { roomId: room.id, chapter, title: name, open: i === 0, by });
      }
      return { id: room.id, code: room.code };
    });

    app.patch('/api/rooms/:room', async (request) => {
      const { name: by } = await session(request, 'manage');
      const { id } = await roomOf(request);
      const change = z
        .strictObject({
          title: text(120).optional(),
          asksForCode: z.boolean().optional(),
          closed: z.boolean().optional(),
          expiresAt: z.iso.datetime().nullable().optional(),
        })
        .parse(request.body);
      const { title, asksForCode, closed, expiresAt } = change;
      await changeRoom(store, id, {
        by,
        ...(title === undefined ? {} : { title }),
        ...(asksForCode === undefined ? {} : { asksForCode }),
        ...(closed === undefined ? {} : { closed }),
        ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : new Date(expiresAt) }),
      });
      await rooms.of(id).roomChanged();
      return {};
    });

    app.put('/api/rooms/:room/chapters/:chapter', async (request) => {
      const { name: by } = await session(request, 'manage');
      const { id } = await roomOf(request);
      const { chapter } = z.object({ chapter: chapterName }).parse(request.params);
      const { open, dueAt, released } = z
        .strictObject({
          open: z.boolean().optional(),
          dueAt: z.iso.datetime().nullable().optional(),
          released: z.boolean().optional(),
        })
        .parse(request.body);
      const entry = catalogue.find((one) => one.chapter === chapter);
      if (entry === undefined) throw new HttpError(404, `There is no chapter ${chapter}.`);
      const due = dueAt === undefined ? {} : { dueAt: dueAt === null ? null : new Date(dueAt) };
      await setAssignment(store, {
        roomId: id,
        chapter,
        title: entry.title,
        by,
        ...(open === undefined ? {} : { open }),
        ...(released === undefined ? {} : { released }),
        ...due,
      });
      if (open === true) {
        const said = await addMessage(store, {
          roomId: id,
          kind: 'chapter',
          text: `${entry.title} is open.`,
          by,
        });
        rooms.of(id).say(messageView(said));
      }
      await rooms.of(id).roomChanged();
      return {};
    });

    app.get('/api/rooms/:room/live', async (request, reply) => {
      const { id: instructor } = await session(request, 'look');
      const { id } = await roomOf(request);
      const room = rooms.of(id);
      const channel = openChannel(request, reply, () => room.removeDashboard(instructor, channel));
      await room.addDashboard(instructor, channel);
    });

    app.post('/api/rooms/:room/messages', async (request) => {
      const { name: by } = await session(request, 'say');
      const room = await roomOf(request);
      const { id } = room;
      const { kind, text: said, exercise, learnerId } = newMessage.parse(request.body);
      if (learnerId !== undefined) await learnerOfRoom(store, room, learnerId);
      const message = await addMessage(store, {
        roomId: id,
        kind,
        text: said,
        by,
        ...(exercise === undefined ? {} : { exercise }),
        ...(learnerId === undefined ? {} : { learnerId }),
      });
      rooms.of(id).say(messageView(message), learnerId);
      return { id: message.id };
    });

    app.delete('/api/rooms/:room/learners/:learner', async (request) => {
      await session(request, 'manage');
      const room = await roomOf(request);
      const { id } = room;
      const { id: learner } = await learnerIn(store, room, request);
      await removeLearner(store, learner);
      rooms.of(id).dismiss(learner);
      await rooms.of(id).roomChanged();
      return {};
    });

    app.get('/api/rooms/:room/learners/:learner/checks', async (request): Promise<CheckEntry[]> => {
      await session(request, 'look');
      const { id: learner } = await learnerIn(store, await roomOf(request), request);
      const { exercise } = z.object({ exercise: z.string().max(160).optional() }).parse(request.query);
      const found = await store.db
        .select()
        .from(checks)
        .where(
          and(
            eq(checks.learnerId, learner),
            exercise === undefined ? undefined : eq(checks.exercise, exercise),
          ),
        )
        .orderBy(desc(checks.checkedAt), desc(checks.id))
        .limit(MOST_ENTRIES);
      return found.map(({ id: number, exercise: of, verdict, mistake, code, checkedAt }) => ({
        id: number,
        exercise: of,
        verdict,
        mistake,
        code,
        checkedAt: checkedAt.toISOString(),
      }));
    });

    app.get('/api/rooms/:room/mistakes', async (request): Promise<MistakeCount[]> => {
      await session(request, 'look');
      const { id } = await roomOf(request);
      const { chapter } = z.object({ chapter: chapterName.optional() }).parse(request.query);
      const wanted = new Set(
        catalogue.find((one) => one.chapter === chapter)?.exercises.map((one) => one.id),
      );
      const counts = await mistakeCounts(store, id);
      return counts
        .filter(({ exercise }) => chapter === undefined || wanted.has(exercise))
        .slice(0, MOST_ENTRIES)
        .map(({ exercise, mistake, learners: people, count, sample }) => ({
          exercise,
          mistake,
          learners: people,
          times: count,
          sample: sample.code,
        }));
    });

    app.get('/api/rooms/:room/timeline.svg', async (request, reply) => {
      await session(request, 'look');
      const { id } = await roomOf(request);
      const svg = await svgOf(timelineChart(await timeline(store, id, 1)));
      return reply
        .type('image/svg+xml')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .send(svg);
    });

    app.get('/api/rooms/:room/hand-ins', async (request) => {
      await session(request, 'look');
      return handInsOf(store, (await roomOf(request)).id);
    });

    app.get('/api/rooms/:room/grades.csv', async (request, reply) => {
      await session(request, 'mark');
      const { id } = await roomOf(request);
      const { format } = z.object({ format: z.enum(EXPORT_FORMATS).default('csv') }).parse(request.query);
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="grades-${id}-${format}.csv"`)
        .send(exportBook(await markBook(store, id), format));
    });

    app.get('/api/rooms/:room/hand-ins.zip', async (request, reply) => {
      await session(request, 'mark');
      const { id } = await roomOf(request);
      const files = await lastNotebooks(store, id);
      return reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="hand-ins-${id}.zip"`)
        .send(writeZip(files));
    });
  };
}
