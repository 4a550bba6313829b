/** What the pages of the gradebook ask of the server: marks and how they came about, marks by hand, dates, groups, and who may log in. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { BookView, MarkDetail, StaffView } from '../../src/workshop/book-protocol.ts';
import type { Mark } from '../../src/workshop/gradebook/policy.ts';
import type { ProgressView, RoomView } from '../../src/workshop/protocol.ts';
import { addInstructor, type Instructor } from '../../src/workshop/server/accounts.ts';
import { createApp, type Workshop } from '../../src/workshop/server/app.ts';
import { marksChart } from '../../src/workshop/server/marks-chart.ts';
import { addGrading } from '../../src/workshop/store/gradebook.ts';
import { joinRoom } from '../../src/workshop/store/learners.ts';
import type { Store } from '../../src/workshop/store/open.ts';
import { createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { anyStore } from './store-engines.ts';

const DUE = new Date('2026-02-01T12:00:00Z');
const HOUR = 3_600_000;
const CATALOGUE = [
  {
    chapter: '03-bert',
    title: 'BERT',
    exercises: [
      { id: 'bert/embeddings', title: 'Embeddings', minutes: 10 },
      { id: 'bert/pooler', title: 'Pooler', minutes: 5 },
    ],
  },
];

let opened: Awaited<ReturnType<typeof anyStore>>;
let store: Store;
let app: FastifyInstance;
let workshop: Workshop;
let owner: Instructor;
let count = 0;

beforeAll(async () => {
  opened = await anyStore();
  store = opened.store;
  ({ app, workshop } = await createApp({ store, catalogue: CATALOGUE, address: 'http://lab.test' }));
  ({ instructor: owner } = await addInstructor(store, { name: 'Owner', role: 'owner', by: 'test' }));
}, 600_000);
afterAll(async () => {
  await app.close();
  await opened.close();
}, 120_000);

async function loggedIn(who: Instructor) {
  const { cookies } = await app.inject({
    method: 'POST',
    url: '/api/login',
    remoteAddress: `10.0.1.${++count % 250}`,
    payload: { key: workshop.logins.give(who) },
  });
  const cookie = `lab_instructor=${cookies[0]?.value}`;
  const { csrf } = (await app.inject({ url: '/api/me', headers: { cookie } })).json();
  return (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
    app.inject({
      method,
      url,
      headers: { cookie, 'x-csrf-token': csrf },
      ...(payload === undefined ? {} : { payload }),
    });
}

/** A room with Ada, who handed in three hours late and has 4 of 10, each day that has begun costing half. */
async function setting() {
  const room = await createRoom(store, { title: `Room ${++count}`, by: 'test' });
  const given = { roomId: room.id, chapter: '03-bert', title: 'BERT', open: true, dueAt: DUE, by: 'test' };
  const assignment = await setAssignment(store, { ...given, policy: { penaltyPerDay: 0.5 } });
  const { learner, token } = await joinRoom(store, { room, displayName: 'Ada' });
  const { learner: bob } = await joinRoom(store, { room, displayName: 'Bob' });
  const { id: submission } = await handIn(store, {
    assignmentId: assignment.id,
    learnerId: learner.id,
    notebook: Buffer.from('{"cells":[]}'),
    at: new Date(DUE.getTime() + 3 * HOUR),
  });
  const exercises = [
    { id: 'bert/embeddings', title: 'Embeddings', points: 6, score: 3, verdict: 'fail' as const },
    { id: 'bert/pooler', title: 'Pooler', points: 4, score: 1, verdict: 'fail' as const },
  ];
  const whole = { learner: 'Ada', file: 'x', chapter: '03-bert', seed: 's', verdict: 'fail' as const };
  await addGrading(store, {
    submissionId: submission,
    report: { ...whole, score: 4, points: 10, exercises },
    graderVersion: '1',
    by: 'test',
  });
  const ask = await loggedIn(owner);
  const base = `/api/rooms/${room.id}`;
  const one = `${base}/learners/${learner.id}/chapters/03-bert`;
  const detail = async (): Promise<MarkDetail> => (await ask('GET', one)).json();
  const book = async (): Promise<BookView> => (await ask('GET', `${base}/book`)).json();
  const mark = async (payload: object) => ask('POST', `${one}/marks`, payload);
  return { room, learner, bob, token, submission, ask, base, one, detail, book, mark };
}

describe('the gradebook', () => {
  it('shows everybody’s marks, and of one how it came about', async () => {
    const { book, detail, submission } = await setting();
    const { rows, assignments } = await book();
    expect(assignments).toMatchObject([{ chapter: '03-bert', released: false, linked: false }]);
    expect(rows.map(({ name, marks }) => [name, marks[0]?.status, marks[0]?.points])).toEqual([
      ['Ada', 'graded', 2],
      ['Bob', 'missing', null],
    ]);
    expect(await detail()).toMatchObject({
      learner: { name: 'Ada', group: null },
      mark: { points: 2, automatic: 4, outOf: 10, daysLate: 1, factor: 0.5, manual: false },
      whole: null,
      dueAt: DUE.toISOString(),
      extended: false,
      exercises: [
        { id: 'bert/embeddings', verdict: 'fail', automatic: 3, outOf: 6, manual: null },
        { id: 'bert/pooler', verdict: 'fail', automatic: 1, outOf: 4, manual: null },
      ],
      attempts: [
        {
          submissionId: submission,
          attempt: 1,
          daysLate: 1,
          accepted: true,
          notebook: true,
          gradings: [{ points: 4, outOf: 10, cause: 'first' }],
        },
      ],
      history: [],
    });
  });

  it('takes marks and comments by hand, and keeps what was before', async () => {
    const { mark, detail, book } = await setting();
    const first: MarkDetail = (await mark({ exercise: 'bert/pooler', points: 3, comment: 'nearly' })).json();
    // (3 + 3) × 0.5
    expect(first.mark).toMatchObject({ points: 3, automatic: 4, manual: true });
    expect(first.exercises[1]).toMatchObject({ id: 'bert/pooler', automatic: 1, manual: 3 });
    await mark({ points: 9 });
    expect(await detail()).toMatchObject({ whole: 9, mark: { points: 9 } });
    await mark({ points: null });
    await mark({ exercise: 'bert/pooler', points: null });
    expect((await book()).rows[0]?.marks[0]).toMatchObject({
      points: 2,
      manual: false,
      comments: [{ exercise: 'bert/pooler', comment: 'nearly' }],
    });
    expect((await detail()).history.map(({ by, what }) => `${by}: ${what}`)).toEqual([
      'Owner: bert/pooler: mark by hand taken back',
      'Owner: the whole chapter: mark by hand taken back',
      'Owner: the whole chapter: 9 points',
      'Owner: bert/pooler: “nearly”',
      'Owner: bert/pooler: 3 points',
    ]);
  });

  it.each([
    ['nothing', {}],
    ['less than nothing', { points: -1 }],
    ['no number', { points: 'ten' }],
    ['an empty comment', { comment: '  ' }],
    ['a field that is not known', { points: 1, by: 'Mallory' }],
  ])('refuses %s as a mark', async (_, payload) => {
    const { mark, detail } = await setting();
    expect((await mark(payload)).statusCode).toBe(400);
    expect((await detail()).history).toEqual([]);
  });

  it('gives a learner another date, and a group', async () => {
    const { ask, base, detail, learner, book } = await setting();
    const until = new Date(DUE.getTime() + 4 * HOUR).toISOString();
    const lates = async () =>
      (await ask('GET', `${base}/hand-ins`)).json().map(({ late }: { late: boolean }) => late);
    expect(await lates()).toEqual([true]);
    const extensions = `${base}/chapters/03-bert/extensions`;
    expect((await ask('POST', extensions, { learnerId: learner.id, until })).statusCode).toBe(200);
    expect(await detail()).toMatchObject({ mark: { points: 4, daysLate: 0 }, dueAt: until, extended: true });
    expect((await detail()).history).toMatchObject([{ what: 'another date for this learner', until }]);
    expect(await lates()).toEqual([false]);

    const other = await setting();
    expect(
      (await other.ask('PUT', `${other.base}/learners/${other.learner.id}/group`, { group: ' A ' }))
        .statusCode,
    ).toBe(200);
    const { groups, rows } = await other.book();
    expect([groups.map(({ name }) => name), rows.map(({ group }) => group)]).toEqual([['A'], ['A', null]]);
    const forGroup = { groupId: groups[0]?.id, until };
    expect((await other.ask('POST', `${other.base}/chapters/03-bert/extensions`, forGroup)).statusCode).toBe(
      200,
    );
    expect((await other.detail()).mark).toMatchObject({ points: 4, daysLate: 0 });
    // Of neither room's business.
    expect((await ask('POST', extensions, forGroup)).statusCode).toBe(409);
    expect((await ask('POST', extensions, { learnerId: other.learner.id, until })).statusCode).toBe(404);
    expect((await ask('POST', extensions, { until })).statusCode).toBe(400);
    expect((await book()).groups).toEqual([]);
  });

  it('draws how the marks of a chapter are spread', async () => {
    const mark = (points: number | null, daysLate = 0): Mark => ({
      status: points === null ? 'pending' : 'graded',
      ...{ points, daysLate, outOf: 20, automatic: null, attempt: 1, factor: 1, manual: false, comments: [] },
    });
    // Of 20: 29 %, 30 %, 30 % late, 100 %, more than all by hand, and one without a mark.
    const { spec, alternative } = marksChart([
      mark(5.8),
      mark(6),
      mark(6, 2),
      mark(20),
      mark(22),
      mark(null),
    ]);
    const values = z
      .object({ data: z.object({ values: z.array(z.record(z.string(), z.unknown())) }) })
      .parse(spec).data.values;
    const counted = values.filter(({ learners }) => learners !== 0);
    expect(counted.map(({ from, kind, learners }) => [from, kind, learners])).toEqual([
      [20, 'in time', 1],
      [30, 'in time', 1],
      [30, 'late', 1],
      [90, 'in time', 2],
    ]);
    // (29 + 30 + 30 + 100 + 110) / 5
    expect(alternative).toBe('Marks of 5 learners, on average 60 % of the points.');
    const { ask, base } = await setting();
    const drawn = await ask('GET', `${base}/chapters/03-bert/marks.svg`);
    expect([drawn.statusCode, drawn.headers['content-type']]).toEqual([200, 'image/svg+xml']);
    expect(drawn.body).toContain('percent of the points');
  });

  it('shows the group of each learner on the live page', async () => {
    const { ask, base, learner, room } = await setting();
    await ask('PUT', `${base}/learners/${learner.id}/group`, { group: 'Tables at the window' });
    const view: RoomView = await workshop.rooms.of(room.id).view();
    expect(view.rows.map(({ name, group }) => [name, group])).toEqual([
      ['Ada', 'Tables at the window'],
      ['Bob', null],
    ]);
  });

  it('gives away a notebook to who marks, and none of another room', async () => {
    const { ask, base, submission } = await setting();
    const other = await setting();
    expect((await ask('GET', `${base}/hand-ins/${submission}/notebook`)).body).toBe('{"cells":[]}');
    expect((await ask('GET', `${other.base}/hand-ins/${submission}/notebook`)).statusCode).toBe(404);
  });

  it('shows learners their marks once they are released, and nothing of them before', async () => {
    const { ask, base, token, mark } = await setting();
    await mark({ exercise: 'bert/pooler', points: 3, comment: 'nearly' });
    const { key } = (
      await app.inject({
        method: 'POST',
        url: '/api/learner/page-key',
        headers: { authorization: `Bearer ${token}` },
      })
    ).json();
    const session = await app.inject({ method: 'POST', url: '/api/my/session', payload: { key } });
    const page = () =>
      app.inject({
        url: '/api/my/progress',
        headers: { cookie: `lab_learner=${session.cookies[0]?.value}` },
      });
    const before = await page();
    const chapterOf = (given: ProgressView) => given.assignments[0];
    expect(chapterOf(before.json())?.handIns).toMatchObject([{ attempt: 1 }]);
    expect(chapterOf(before.json())?.mark).toBeUndefined();
    expect(before.body).not.toMatch(/points|outOf|nearly/);
    await ask('PUT', `${base}/chapters/03-bert`, { released: true });
    expect(chapterOf((await page()).json())?.mark).toMatchObject({
      points: 3,
      outOf: 10,
      daysLate: 1,
      comments: [{ comment: 'nearly' }],
    });
    await ask('PUT', `${base}/chapters/03-bert`, { released: false });
    expect((await page()).body).not.toMatch(/points|nearly/);
  });

  it('is changed by the pages of this server alone', async () => {
    const { base, one, learner, book } = await setting();
    const { cookies } = await app.inject({
      method: 'POST',
      url: '/api/login',
      remoteAddress: '10.0.3.1',
      payload: { key: workshop.logins.give(owner) },
    });
    const headers = { cookie: `lab_instructor=${cookies[0]?.value}` };
    for (const [method, url, payload] of [
      ['POST', `${one}/marks`, { points: 10 }],
      ['POST', `${base}/chapters/03-bert/extensions`, { learnerId: learner.id, until: DUE.toISOString() }],
      ['PUT', `${base}/learners/${learner.id}/group`, { group: 'A' }],
      ['PUT', `${base}/chapters/03-bert`, { released: true }],
      ['POST', `${base}/chapters/03-bert/passback`, {}],
      ['POST', `${base}/pull-roster`, {}],
      ['DELETE', `/api/instructors/${owner.id}`, {}],
      ['POST', `/api/instructors/${owner.id}/password`, {}],
    ] as const) {
      expect((await app.inject({ method, url, payload, headers })).statusCode, url).toBe(403);
    }
    expect((await app.inject({ url: '/api/me', headers })).statusCode).toBe(200);
    const { assignments, groups } = await book();
    expect([assignments[0]?.released, groups]).toEqual([false, []]);
  });

  it('is closed to assistants, strangers and learners', async () => {
    const { base, one, learner, token, submission } = await setting();
    const { instructor } = await addInstructor(store, {
      name: `Assistant ${++count}`,
      role: 'assistant',
      by: 'test',
    });
    const assistant = await loggedIn(instructor);
    const cookie = `lab_instructor=${token}`;
    for (const [method, url, payload] of [
      ['GET', `${base}/book`, undefined],
      ['GET', one, undefined],
      ['GET', `${base}/chapters/03-bert/marks.svg`, undefined],
      ['POST', `${one}/marks`, { points: 10 }],
      ['POST', `${base}/chapters/03-bert/extensions`, { learnerId: learner.id, until: DUE.toISOString() }],
      ['PUT', `${base}/learners/${learner.id}/group`, { group: 'A' }],
      ['GET', `${base}/hand-ins/${submission}/notebook`, undefined],
      ['POST', `${base}/chapters/03-bert/passback`, {}],
      ['POST', `${base}/pull-roster`, {}],
      ['GET', '/api/links', undefined],
    ] as const) {
      expect((await assistant(method, url, payload)).statusCode, url).toBe(403);
      const given = payload === undefined ? {} : { payload };
      expect((await app.inject({ method, url, ...given })).statusCode, url).toBe(401);
      expect((await app.inject({ method, url, headers: { cookie }, ...given })).statusCode, url).toBe(401);
    }
  });
});

describe('who may log in', () => {
  it('is decided by owners: they let in, give new passwords, and let go', async () => {
    const ask = await loggedIn(owner);
    const name = `Grace ${++count}`;
    const made = (await ask('POST', '/api/instructors', { name, role: 'instructor' })).json();
    const logIn = (password: string) =>
      app.inject({
        method: 'POST',
        url: '/api/login',
        remoteAddress: `10.0.2.${++count % 250}`,
        payload: { name, password },
      });
    const first = await logIn(made.password);
    expect(first.statusCode).toBe(200);
    const cookie = `lab_instructor=${first.cookies[0]?.value}`;
    const there = () => app.inject({ url: '/api/me', headers: { cookie } });
    const list: StaffView[] = (await ask('GET', '/api/instructors')).json();
    const grace = list.find((one) => one.name === name);
    expect(grace).toMatchObject({ role: 'instructor', self: false });
    expect(list.find(({ self }) => self)?.name).toBe('Owner');
    // A list of who may log in holds nothing that lets anybody in.
    expect(JSON.stringify(list)).not.toMatch(/scrypt|hash|password/i);

    const renewed = (await ask('POST', `/api/instructors/${grace?.id}/password`)).json();
    expect((await there()).statusCode).toBe(401);
    expect((await logIn(made.password)).statusCode).toBe(401);
    expect((await logIn(renewed.password)).statusCode).toBe(200);

    expect((await ask('DELETE', `/api/instructors/${grace?.id}`)).statusCode).toBe(200);
    expect((await logIn(renewed.password)).statusCode).toBe(401);
    expect((await ask('DELETE', `/api/instructors/${grace?.id}`)).statusCode).toBe(404);
  });

  it('cannot be changed by others, nor an owner removed', async () => {
    const { instructor } = await addInstructor(store, {
      name: `Instructor ${++count}`,
      role: 'instructor',
      by: 'test',
    });
    const ask = await loggedIn(instructor);
    expect((await ask('GET', '/api/instructors')).statusCode).toBe(403);
    expect((await ask('DELETE', `/api/instructors/${owner.id}`)).statusCode).toBe(403);
    expect((await ask('POST', `/api/instructors/${owner.id}/password`)).statusCode).toBe(403);
    const owners = await loggedIn(owner);
    const refused = await owners('DELETE', `/api/instructors/${owner.id}`);
    expect([refused.statusCode, refused.json().message]).toEqual([409, 'an owner cannot be removed']);
    expect((await owners('POST', '/api/instructors', { name: 'Eve', role: 'owner' })).statusCode).toBe(400);
  });
});
