/** What learners' notebooks ask. Each request carries the learner's token; none can name another learner. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { lateness } from '../gradebook/policy.ts';
import { chapterName, checksRequest, joinRequest, LARGEST_NOTEBOOK, type ProgressView } from '../protocol.ts';
import { latestOfLearner, recordChecks } from '../store/checks.ts';
import { deadlineOf } from '../store/extensions.ts';
import { marksOf } from '../store/gradebook.ts';
import { joinRoom, type Learner, learnerById, learnerByToken, renewToken, seen } from '../store/learners.ts';
import { newToken } from '../store/names.ts';
import { assignmentsOf, findRoomByCode, messagesSince, type Room } from '../store/rooms.ts';
import { handIn } from '../store/submissions.ts';
import { HttpError, type PageReader, type Workshop } from './app.ts';
import { markView } from './book-views.ts';
import { openChannel } from './event-channel.ts';
import { handInsOf } from './hand-ins.ts';
import { assignmentView, cellView, messageView } from './views.ts';

interface Member {
  readonly learner: Learner;
  readonly room: Room;
  readonly token: string;
}

const PAGE_COOKIE = 'lab_learner';
/** Messages that a notebook shows when it comes back. */
const MESSAGES_KEPT = 20;

/** Guesses of codes: at this pace a code of 40 bits takes millennia, and a full lecture hall behind one address still joins in a minute. */
const FEW = { rateLimit: { max: 600, timeWindow: '1 minute' } };

export function learnerRoutes(workshop: Workshop) {
  const { store, rooms, pages, labs, catalogue, address } = workshop;

  async function member(request: FastifyRequest): Promise<Member> {
    const [kind, bearer] = (request.headers.authorization ?? '').split(' ');
    const token = kind === 'Bearer' ? bearer : undefined;
    const found = token === undefined ? undefined : await learnerByToken(store, token);
    if (found === undefined || token === undefined) {
      throw new HttpError(401, 'This lab is not known in the room any more; join again.');
    }
    return { ...found, token };
  }

  async function working(request: FastifyRequest): Promise<Member> {
    const found = await member(request);
    if (found.room.closedAt !== null) throw new HttpError(423, `The room “${found.room.title}” is closed.`);
    return found;
  }

  /** Whose lab brings the key that their own page showed; the name is theirs already. */
  async function launchedLearner(room: Room, key: string | undefined) {
    const known = key === undefined ? undefined : labs.look(key);
    if (key === undefined || known === undefined) return undefined;
    if ((await learnerById(store, known))?.room.id !== room.id)
      throw new HttpError(409, 'This key is for another room; take the line of your page as it is.');
    labs.take(key);
    return renewToken(store, known);
  }

  return async (app: FastifyInstance): Promise<void> => {
    app.addContentTypeParser(
      'application/x-ipynb+json',
      { parseAs: 'buffer', bodyLimit: LARGEST_NOTEBOOK },
      (_r, body, done) => done(null, body),
    );

    app.post('/api/join', { config: FEW }, async (request) => {
      const { code, name, pseudonym, identity } = joinRequest.parse(request.body);
      const room = await findRoomByCode(store, code);
      if (room === undefined) throw new HttpError(404, 'There is no room with this code; look at it again.');
      const given = { room, displayName: name, pseudonym, ...(identity === undefined ? {} : { identity }) };
      const { learner, token } = (await launchedLearner(room, identity)) ?? (await joinRoom(store, given));
      rooms.of(room.id).changed(learner.id);
      return { room: roomReply(room), learner: { id: learner.id, name: learner.displayName }, token };
    });

    app.post('/api/learner/here', async (request) => {
      const { learner } = await member(request);
      await seen(store, [learner.id]);
      return {};
    });

    app.post('/api/learner/checks', async (request) => {
      const { learner, room } = await working(request);
      const { sentAt, checks } = checksRequest.parse(request.body);
      const received = new Date();
      // How far the learner's clock is behind ours, the way of the request taken as nothing.
      const behind = received.getTime() - new Date(sentAt).getTime();
      const given = checks.map(({ id, exercise, verdict, mistake, code, checkedAt }) => ({
        clientId: id,
        exercise,
        verdict,
        checkedAt: new Date(new Date(checkedAt).getTime() + behind),
        ...(mistake === undefined ? {} : { mistake }),
        // A room that does not ask for code keeps none, whatever a notebook sends.
        ...(code === undefined || !room.asksForCode ? {} : { code }),
      }));
      const { accepted, added } = await recordChecks(store, learner.id, given, received);
      if (added.length > 0) rooms.of(room.id).changed(learner.id);
      return { accepted, asksForCode: room.asksForCode };
    });

    app.get('/api/learner/stream', async (request, reply) => {
      const { learner, room } = await member(request);
      const { since } = z.object({ since: z.coerce.number().int().min(0).default(0) }).parse(request.query);
      const live = rooms.of(room.id);
      const channel = openChannel(request, reply, () => live.removeNotebook(learner.id, channel));
      live.addNotebook(learner.id, channel);
      const missed = await messagesSince(store, room.id, { after: since, learnerId: learner.id });
      for (const message of missed.slice(-MESSAGES_KEPT)) channel.send(messageView(message), message.id);
      await seen(store, [learner.id]);
    });

    app.post('/api/learner/hand-in/:chapter', { bodyLimit: LARGEST_NOTEBOOK }, async (request) => {
      const { learner, room } = await working(request);
      const { chapter } = z.object({ chapter: chapterName }).parse(request.params);
      const { body } = request;
      if (!Buffer.isBuffer(body)) throw new HttpError(400, 'A notebook must be sent as bytes.');
      const assignment = (await assignmentsOf(store, room.id)).find((one) => one.chapter === chapter);
      if (assignment === undefined) throw new HttpError(404, `There is no chapter ${chapter} in this room.`);
      const kept = await handIn(store, {
        assignmentId: assignment.id,
        learnerId: learner.id,
        notebook: new Uint8Array(body),
      });
      rooms.of(room.id).changed(learner.id);
      const { daysLate } = lateness(kept.handedInAt, await deadlineOf(store.db, assignment, learner));
      return { attempt: kept.attempt, at: kept.handedInAt.toISOString(), late: daysLate > 0 };
    });

    app.post('/api/learner/page-key', { config: FEW }, async (request) => {
      const { learner } = await member(request);
      return { key: pages.give({ learner: learner.id, launched: false }) };
    });

    // The page in the browser has a cookie of its own: the notebook's token never enters a browser.
    const readers = new Map<string, PageReader & { until: number }>();

    app.post('/api/my/session', { config: FEW }, async (request, reply) => {
      const { key } = z.object({ key: z.string().max(100) }).parse(request.body);
      const opened = pages.take(key);
      if (opened === undefined)
        throw new HttpError(
          401,
          'This link was used or is too old; make a new one: npx lab progress, or open the link on your learning platform again',
        );
      const session = newToken();
      const until = Date.now() + 12 * 3_600_000;
      for (const [name, reader] of readers) if (reader.until < Date.now()) readers.delete(name);
      readers.set(session, { ...opened, until });
      reply.setCookie(PAGE_COOKIE, session, {
        path: '/api/my',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
      });
      return {};
    });

    function readerOf(request: FastifyRequest): PageReader {
      const reader = readers.get(request.cookies[PAGE_COOKIE] ?? '');
      if (reader === undefined || reader.until < Date.now())
        throw new HttpError(401, 'Open this page from your lab: npx lab progress');
      return reader;
    }

    // A page that was opened from a lab reads alone: who finds its link does not become its learner.
    app.post('/api/my/lab-key', { config: FEW }, async (request) => {
      const { learner, launched } = readerOf(request);
      if (!launched) throw new HttpError(403, 'This page was opened from a lab, which is connected already.');
      return { key: labs.give(learner) };
    });

    app.get('/api/my/progress', async (request): Promise<ProgressView> => {
      const reader = readerOf(request);
      const found = await learnerById(store, reader.learner);
      if (found === undefined) throw new HttpError(401, 'You are not in this room any more.');
      const { learner, room } = found;
      const [assignments, progress, messages, handIns] = await Promise.all([
        assignmentsOf(store, room.id),
        latestOfLearner(store, learner.id),
        messagesSince(store, room.id, { learnerId: learner.id }),
        handInsOf(store, room.id, learner.id),
      ]);
      const marked = assignments.filter(({ releasedAt }) => releasedAt !== null);
      const marks = new Map(
        await Promise.all(
          marked.map(
            async (one) => [one.id, (await marksOf(store, one, [learner])).get(learner.id)] as const,
          ),
        ),
      );
      return {
        room: room.title,
        name: learner.displayName,
        ...(reader.launched ? { lab: { address, code: room.code, joined: learner.joinedAt !== null } } : {}),
        assignments: assignments
          .map((one) => {
            const view = assignmentView(one, catalogue);
            const ids = new Set(view.exercises.map(({ id }) => id));
            const mark = marks.get(one.id);
            return {
              ...view,
              cells: progress.filter(({ exercise }) => ids.has(exercise)).map(cellView),
              handIns: handIns
                .filter(({ chapter }) => chapter === one.chapter)
                .map(({ attempt, at, late }) => ({ attempt, at, late })),
              ...(mark === undefined ? {} : { mark: markView(mark) }),
            };
          })
          .filter(
            ({ open, cells, handIns: own, mark }) =>
              open || cells.length > 0 || own.length > 0 || mark?.status === 'graded',
          ),
        messages: messages.slice(-MESSAGES_KEPT).reverse().map(messageView),
      };
    });
  };
}

function roomReply({ id, title, asksForCode }: Room) {
  return { id, title, asksForCode };
}
