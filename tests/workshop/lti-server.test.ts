/** Launches, marks and rosters over HTTP, through the server as `lab workshop` runs it. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkView, PassedMarkView } from '../../src/workshop/book-protocol.ts';
import { ownKeySet } from '../../src/workshop/lti/keys.ts';
import { registerPlatform } from '../../src/workshop/lti/platforms.ts';
import type { ProgressView } from '../../src/workshop/protocol.ts';
import { addInstructor } from '../../src/workshop/server/accounts.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { addGrading, addMark } from '../../src/workshop/store/gradebook.ts';
import { learnersOf } from '../../src/workshop/store/learners.ts';
import type { Store } from '../../src/workshop/store/open.ts';
import { createRoom, type Room, setAssignment } from '../../src/workshop/store/rooms.ts';
import { importRoster } from '../../src/workshop/store/roster.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { INSTRUCTOR, LEARNER, SimulatedPlatform } from './lti-platform.ts';
import { jsonOf, Visitor } from './lti-visitor.ts';
import { anyStore } from './store-engines.ts';

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const CHAPTERS = ['03-bert', '04-roberta'] as const;
const CATALOGUE = CHAPTERS.map((chapter) => ({
  chapter,
  title: chapter.toUpperCase(),
  exercises: [{ id: `${chapter.slice(3)}/one`, title: 'One', minutes: 5 }],
}));
const DUE = new Date('2026-02-01T12:00:00Z');

let opened: Awaited<ReturnType<typeof anyStore>>;
let store: Store;
let platform: SimulatedPlatform;
let app: FastifyInstance;
/** The tool as browsers reach it: another site than the platform's. */
let tool: string;
let room: Room;
let password: string;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

beforeAll(async () => {
  opened = await anyStore();
  store = opened.store;
  platform = await SimulatedPlatform.start(() => ownKeySet(store));
  await registerPlatform(store, platform.registration, 'test');
  const port = await freePort();
  tool = `http://localhost:${port}`;
  ({ app } = await createApp({ store, catalogue: CATALOGUE, address: tool }));
  await app.listen({ host: 'localhost', port });
  ({ password } = await addInstructor(store, { name: 'Grace', role: 'instructor', by: 'test' }));
  room = await createRoom(store, { title: 'Monday', by: 'test' });
  for (const chapter of CHAPTERS) {
    await setAssignment(store, {
      roomId: room.id,
      chapter,
      title: chapter.toUpperCase(),
      open: true,
      dueAt: DUE,
      policy: { penaltyPerDay: 0.5 },
      by: 'test',
    });
  }
  platform.people.set('ada', {});
  platform.people.set('bob', { sub: 'student-2', name: 'Bob', email: 'bob@example.org' });
  platform.people.set('grace', {
    sub: 'teacher-1',
    name: 'Grace Hopper',
    email: 'grace@example.org',
    [`${CLAIM}roles`]: [INSTRUCTOR],
  });
}, 600_000);
afterAll(async () => {
  await app.close();
  await platform.stop();
  await opened.close();
}, 120_000);

const at = (hint: string, resource?: string): string => platform.course(tool, hint, resource);
/** The address behind the button of a page in a frame, or that of a redirect. */
async function wayOn(reply: Response): Promise<string> {
  if (reply.status === 303) return reply.headers.get('location') ?? '';
  return /<a href="([^"]*)"/.exec(await reply.text())?.[1]?.replaceAll('&#38;', '&') ?? '';
}
const keyIn = (href: string): string => /[#&](?:key|claim)=([\w-]+)/.exec(href)?.[1] ?? '';

/** Grace in a browser, logged in by a launch. */
async function graceThere(resource?: string) {
  const visitor = new Visitor();
  const href = await wayOn(await visitor.launch(at('grace', resource)));
  await visitor.post(`${tool}/api/login`, { key: keyIn(href) });
  const { csrf } = await jsonOf(visitor.ask(`${tool}/api/me`));
  const ask = async (method: string, path: string, body?: unknown) =>
    visitor.ask(`${tool}${path}`, {
      method,
      headers: {
        'x-csrf-token': csrf,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { href, ask };
}

/** One login for many requests: logins are limited. */
let graces: ReturnType<typeof graceThere> | undefined;
const grace = () => {
  graces ??= graceThere();
  return graces;
};

async function learnerPage(hint: string, resource?: string) {
  const visitor = new Visitor();
  const href = await wayOn(await visitor.launch(at(hint, resource), 'document'));
  const opened = await visitor.post(`${tool}/api/my/session`, { key: keyIn(href) });
  const progress = async (): Promise<ProgressView> => jsonOf(visitor.ask(`${tool}/api/my/progress`));
  return { visitor, href, opened, progress };
}

describe('an instructor of the platform', () => {
  it('is nobody here before they have logged in once with their password', async () => {
    const visitor = new Visitor();
    const page = await visitor.launch(at('grace'));
    expect(page.status).toBe(200);
    const href = await wayOn(page);
    expect(href).toMatch(/^\/login#claim=/);
    expect((await visitor.ask(`${tool}/api/me`)).status).toBe(401);
    const claim = keyIn(href);
    const who = await visitor.post(`${tool}/api/login/claim`, { key: claim });
    expect(await jsonOf(who)).toEqual({ name: 'Grace Hopper', platform: 'Campus' });
    const attempt = (secret: string) =>
      visitor.post(`${tool}/api/login`, { name: 'Grace', password: secret, claim });
    expect((await attempt('guess')).status).toBe(401);
    expect((await attempt(password)).status).toBe(200);
    // Once: whoever finds the link later ties nobody to anything.
    expect((await attempt(password)).status).toBe(401);
  });

  it('is logged in by the link from then on, and asked where it leads', async () => {
    const { href, ask } = await graceThere();
    expect(href).toMatch(/^\/login#key=[\w-]+&to=\/links\/\d+$/);
    expect(await jsonOf(ask('GET', '/api/me'))).toMatchObject({ name: 'Grace', role: 'instructor' });
    const [link]: LinkView[] = await jsonOf(ask('GET', '/api/links'));
    expect(link).toMatchObject({ platform: 'Campus', title: 'BERT in the course', chapter: null });
    // A learner who comes before that finds a sentence and becomes nobody.
    const early = await new Visitor().launch(at('ada'));
    expect(await early.text()).toContain('has not said yet which chapter this link leads to');
    expect(await learnersOf(store, room.id)).toEqual([]);
    expect((await ask('PUT', `/api/links/${link?.id}`, { roomId: room.id, chapter: '99-none' })).status).toBe(
      409,
    );
    expect((await ask('PUT', `/api/links/${link?.id}`, { roomId: room.id, chapter: '03-bert' })).status).toBe(
      200,
    );
    expect((await graceThere()).href).toMatch(new RegExp(`&to=/rooms/${room.id}$`));
  });

  it('changes where links lead only as what their role here allows, from the page of this server', async () => {
    const { instructor } = await addInstructor(store, { name: 'Tom', role: 'assistant', by: 'test' });
    const { tieInstructor } = await import('../../src/workshop/lti/people.ts');
    platform.people.set('tom', { sub: 'ta-1', name: 'Tom', [`${CLAIM}roles`]: [INSTRUCTOR] });
    await tieInstructor(store, { platformId: 1, sub: 'ta-1' }, instructor);
    const visitor = new Visitor();
    const href = await wayOn(await visitor.launch(at('tom'), 'document'));
    await visitor.post(`${tool}/api/login`, { key: keyIn(href) });
    const { csrf, role } = await jsonOf(visitor.ask(`${tool}/api/me`));
    expect(role).toBe('assistant');
    const put = (token: string) =>
      visitor.ask(`${tool}/api/links/1`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-csrf-token': token },
        body: JSON.stringify({ roomId: room.id, chapter: '04-roberta' }),
      });
    expect((await put(csrf)).status).toBe(403);
    expect((await put('forged')).status).toBe(403);
  });
});

describe('a learner of the platform', () => {
  it('comes to their own page, the same one at every launch, and to nobody else’s', async () => {
    const first = await learnerPage('ada');
    expect(first.href).toMatch(/^\/me#key=/);
    expect(await first.progress()).toMatchObject({ room: 'Monday', name: 'Ada Byron' });
    const again = await learnerPage('ada');
    expect(await again.progress()).toMatchObject({ name: 'Ada Byron' });
    expect((await learnersOf(store, room.id)).map(({ displayName }) => displayName)).toEqual(['Ada Byron']);
    expect(await (await learnerPage('bob')).progress()).toMatchObject({ name: 'Bob' });
    // The link of the page is good once.
    expect((await new Visitor().post(`${tool}/api/my/session`, { key: keyIn(first.href) })).status).toBe(401);
  });

  it('connects their lab with the line of that page, and what it checks is theirs', async () => {
    const { visitor, progress } = await learnerPage('ada');
    expect((await progress()).lab).toMatchObject({ code: room.code, joined: false });
    const { key } = await jsonOf(visitor.post(`${tool}/api/my/lab-key`, {}));
    const lab = new Visitor();
    const join = () => lab.post(`${tool}/api/join`, { code: room.code, name: 'whatever', identity: key });
    const joined = await join();
    const { token, learner } = await jsonOf(joined);
    expect(learner.name).toBe('Ada Byron');
    const checks = [
      { id: randomUUID(), exercise: 'bert/one', verdict: 'pass', checkedAt: new Date().toISOString() },
    ];
    const told = { sentAt: new Date().toISOString(), checks };
    await lab.post(`${tool}/api/learner/checks`, told, { authorization: `Bearer ${token}` });
    const [chapter] = (await progress()).assignments;
    expect(chapter?.cells).toMatchObject([{ exercise: 'bert/one', verdict: 'pass' }]);
    // Used, the key is a word like any other, and the name is free.
    expect((await jsonOf(join())).learner.name).toBe('whatever');
  });

  it('is no key for another room, and a page that a lab opened gives none', async () => {
    const { visitor } = await learnerPage('ada');
    const { key } = await jsonOf(visitor.post(`${tool}/api/my/lab-key`, {}));
    const other = await createRoom(store, { title: 'Tuesday', by: 'test' });
    const wrong = await new Visitor().post(`${tool}/api/join`, {
      code: other.code,
      name: 'x',
      identity: key,
    });
    expect(wrong.status).toBe(409);
    const joined = await new Visitor().post(`${tool}/api/join`, { code: other.code, name: 'Zoe' });
    const { token } = await jsonOf(joined);
    const fromLab = new Visitor();
    const page = await fromLab.post(`${tool}/api/learner/page-key`, {}, { authorization: `Bearer ${token}` });
    await fromLab.post(`${tool}/api/my/session`, { key: (await jsonOf(page)).key });
    expect((await fromLab.post(`${tool}/api/my/lab-key`, {})).status).toBe(403);
    expect((await fromLab.ask(`${tool}/api/my/progress`)).status).toBe(200);
  });

  it('is the one on the list of names with the same e-mail, in any case', async () => {
    await importRoster(
      store,
      room.id,
      [{ line: 2, displayName: 'Carla Cruz', email: 'Carla@Example.org', group: 'A' }],
      'test',
    );
    platform.people.set('carla', { sub: 'student-3', name: 'C. Cruz', email: 'carla@example.org' });
    expect(await (await learnerPage('carla')).progress()).toMatchObject({ name: 'Carla Cruz' });
    // Somebody else who gives the same e-mail is somebody else.
    platform.people.set('eve', { sub: 'student-9', name: 'Eve', email: 'carla@example.org' });
    expect(await (await learnerPage('eve')).progress()).toMatchObject({ name: 'Eve' });
  });

  it('comes to the chapter that stands beside the link, in the room of the course', async () => {
    const custom = { [`${CLAIM}custom`]: { chapter: '04-roberta' } };
    platform.people.set('ada with a parameter', custom);
    expect(await (await learnerPage('ada with a parameter', 'link-2')).progress()).toMatchObject({
      name: 'Ada Byron',
    });
    const { ask } = await grace();
    const links: LinkView[] = await jsonOf(ask('GET', '/api/links'));
    expect(links.map(({ room: title, chapter }) => [title, chapter])).toEqual([
      ['Monday', '03-bert'],
      ['Monday', '04-roberta'],
    ]);
    // In another course nothing says which room.
    platform.people.set('ada elsewhere', { ...custom, [`${CLAIM}context`]: { id: 'course-2' } });
    const page = await new Visitor().launch(at('ada elsewhere', 'link-3'));
    expect(await page.text()).toContain('has not said yet');
  });

  it('does not lead a room into another course by its code; who teaches here does', async () => {
    const custom = { [`${CLAIM}custom`]: { chapter: '04-roberta', room: room.code } };
    const course = { [`${CLAIM}context`]: { id: 'course-4' } };
    platform.people.set('ada with a code', { ...custom, ...course });
    platform.people.set('stranger with a code', {
      ...custom,
      ...course,
      sub: 'teacher-9',
      [`${CLAIM}roles`]: [INSTRUCTOR],
    });
    platform.people.set('grace with a code', {
      ...custom,
      ...course,
      sub: 'teacher-1',
      [`${CLAIM}roles`]: [INSTRUCTOR],
    });
    const learner = () => new Visitor().launch(at('ada with a code', 'link-4'));
    expect(await (await learner()).text()).toContain('has not said yet');
    await new Visitor().launch(at('stranger with a code', 'link-4'));
    expect(await (await learner()).text()).toContain('has not said yet');
    await new Visitor().launch(at('grace with a code', 'link-4'));
    expect(await wayOn(await learner())).toMatch(/^\/me#key=/);
  });

  it('has two launches at the same moment and is one learner', async () => {
    platform.people.set('dan', { sub: 'student-4', name: 'Dan', email: 'dan@example.org' });
    await Promise.all([1, 2, 3].map(() => new Visitor().launch(at('dan'))));
    const names = (await learnersOf(store, room.id)).map(({ displayName }) => displayName);
    expect(names.filter((name) => name.startsWith('Dan'))).toEqual(['Dan']);
  });
});

describe('what is no launch', () => {
  type Form = Awaited<ReturnType<Visitor['begin']>>;
  const claims = (nonce: string) => ({
    ...platform.claims({
      nonce,
      sub: 'intruder',
      name: 'Mallory',
      [`${CLAIM}target_link_uri`]: `${tool}/lti/launch`,
    }),
    iss: platform.address,
    aud: platform.clientId,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 300,
  });
  const signed = (nonce: string, options: Parameters<SimulatedPlatform['idToken']>[1], more = {}) =>
    platform.idToken({ ...claims(nonce), iss: undefined, ...more }, options);
  const HOUR = 3600;

  it.each<[string, (form: Form) => Promise<string> | string, string]>([
    [
      'signed by nobody',
      ({ nonce }) => new UnsecuredJWT(claims(nonce)).encode(),
      'not signed by the platform',
    ],
    [
      'signed with the public key as a shared secret',
      async ({ nonce }) => {
        const key = await importJWK(platform.keys[0]?.jwk ?? {}, 'RS256', { extractable: true });
        if (key instanceof Uint8Array) throw new Error('no public key');
        const secret = new TextEncoder().encode(await exportSPKI(key));
        return new SignJWT(claims(nonce)).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
      },
      'not signed by the platform',
    ],
    [
      'signed with another’s key under the platform’s name',
      async ({ nonce }) => {
        const stranger = await SimulatedPlatform.start(() => ownKeySet(store));
        await stranger.stop();
        return signed(nonce, { key: stranger.keys[0] });
      },
      'not signed by the platform',
    ],
    [
      'expired',
      ({ nonce }) => signed(nonce, { issuedAt: Math.floor(Date.now() / 1000) - HOUR }),
      'has expired',
    ],
    [
      'made for another tool',
      ({ nonce }) => signed(nonce, { aud: 'tool-8' }),
      'not made for this tool (aud)',
    ],
    [
      'of a deployment that is not registered',
      ({ nonce }) => signed(nonce, {}, { [`${CLAIM}deployment_id`]: 'deployment-9' }),
      'this deployment of the platform is not registered here',
    ],
    ['of another login', () => signed('made-up', {}), 'answers another login'],
    ['no token', () => 'a.b.c', 'not signed by the platform'],
  ])('is refused: %s', async (_, make, sentence) => {
    const before = await learnersOf(store, room.id);
    const visitor = new Visitor();
    const form = await visitor.begin(at('ada'));
    const reply = await visitor.submit(form.action, await make(form), form.state);
    expect(await reply.text()).toContain(sentence);
    expect(reply.status).toBe(400);
    expect(await learnersOf(store, room.id)).toEqual(before);
  });

  it('is a launch that was used, whoever sends it again', async () => {
    const visitor = new Visitor();
    const { action, idToken, state } = await visitor.begin(at('ada'));
    expect((await visitor.submit(action, idToken, state)).status).toBe(200);
    const replayed = await visitor.submit(action, idToken, state);
    expect(replayed.status).toBe(400);
    expect(await replayed.text()).toContain('was used already');
    // With the state of a new login the token still answers the old one.
    const next = await visitor.begin(at('ada'));
    expect(await (await visitor.submit(action, idToken, next.state)).text()).toContain(
      'answers another login',
    );
  });

  it('is another’s launch that a browser is made to send: it did not begin it', async () => {
    const attacker = await new Visitor().begin(at('bob'));
    const victim = new Visitor();
    const own = await victim.begin(at('ada'));
    const forged = await victim.submit(attacker.action, attacker.idToken, attacker.state);
    expect(forged.status).toBe(400);
    expect(await forged.text()).toContain('was not begun in this browser');
    // The victim's own launch is not disturbed by it.
    expect((await victim.submit(own.action, own.idToken, own.state)).status).toBe(200);
  });

  it('is a login of a platform that is not registered, or one that leads elsewhere', async () => {
    const ask = (query: Record<string, string>) =>
      new Visitor().ask(`${tool}/lti/login?${new URLSearchParams(query)}`);
    const good = { iss: platform.address, login_hint: 'ada', target_link_uri: `${tool}/lti/launch` };
    expect((await ask({ ...good, iss: 'https://evil.example.org' })).status).toBe(400);
    expect((await ask({ ...good, target_link_uri: 'https://evil.example.org/' })).status).toBe(400);
    expect((await ask(good)).status).toBe(302);
  });
});

describe('in the frame of a platform', () => {
  it('the cookie of the login reaches the launch, and is of no use elsewhere', async () => {
    const visitor = new Visitor();
    await visitor.begin(at('ada'));
    const [cookie] = visitor.cookies;
    expect(cookie?.text).toMatch(/; HttpOnly; Secure; SameSite=None; Partitioned/);
    expect(cookie?.path).toBe('/lti');
  });

  it('only what answers a launch is shown; it runs no script, and opens a window of its own', async () => {
    const reply = await new Visitor().launch(at('ada'));
    expect(reply.headers.get('x-frame-options')).toBeNull();
    expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(await reply.text()).toMatch(
      /<a href="\/me#key=[\w-]+" target="_blank" rel="noopener noreferrer">/,
    );
    for (const path of ['/me', '/login', '/dashboard']) {
      const page = await new Visitor().ask(`${tool}${path}`);
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('names are text', async () => {
    platform.people.set('markup', { sub: 'teacher-1', [`${CLAIM}roles`]: [INSTRUCTOR] });
    platform.people.set('odd', { sub: 'student-5', name: '<img src=x>\u202e', email: undefined });
    expect(await (await learnerPage('odd')).progress()).toMatchObject({ name: '<img src=x>' });
  });
});

describe('the platform’s gradebook', () => {
  const idOf = async (name: string): Promise<number> => {
    const found = (await learnersOf(store, room.id)).find(({ displayName }) => displayName === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found.id;
  };
  const report = (score: number) => ({
    learner: 'x',
    file: 'x',
    chapter: '03-bert',
    seed: 's',
    verdict: 'fail' as const,
    score,
    points: 10,
    exercises: [{ id: 'bert/one', title: 'One', points: 10, score, verdict: 'fail' as const }],
  });

  it('gets each mark with its penalty and what was decided by hand, once, through the page', async () => {
    const { id: assignmentId } = await setAssignment(store, {
      roomId: room.id,
      chapter: '03-bert',
      by: 'test',
    });
    const hand = async (name: string, hours: number, score: number): Promise<void> => {
      const learnerId = await idOf(name);
      const handedInAt = new Date(DUE.getTime() + hours * 3_600_000);
      const notebook = Buffer.from(name);
      const { id } = await handIn(store, { assignmentId, learnerId, notebook, at: handedInAt });
      await addGrading(store, { submissionId: id, report: report(score), graderVersion: '1', by: 'test' });
    };
    // In time: 6. Two hours late: one day has begun, 8 × 0.5 = 4. By hand 9 instead of 2, in time.
    await hand('Ada Byron', -1, 6);
    await hand('Bob', 2, 8);
    await hand('Carla Cruz', -1, 2);
    await addMark(store, {
      assignmentId,
      learnerId: await idOf('Carla Cruz'),
      exercise: 'bert/one',
      points: 9,
      comment: 'a typing error',
      by: 'Grace',
    });
    const { ask } = await grace();
    const send = async (): Promise<PassedMarkView[]> =>
      jsonOf(ask('POST', `/api/rooms/${room.id}/chapters/03-bert/passback`));
    const told = (results: PassedMarkView[]) =>
      Object.fromEntries(results.map(({ name, outcome, points }) => [name, `${outcome} ${points}`]));
    platform.failures = [503];
    const first = told(await send());
    expect(first).toMatchObject({
      'Ada Byron': 'sent 6',
      Bob: 'sent 4',
      'Carla Cruz': 'sent 9',
      Dan: 'unmarked null',
    });
    expect(
      platform.scores.map(({ body }) => [body.userId, body.scoreGiven, body.scoreMaximum, body.comment]),
    ).toEqual([
      ['student-1', 6, 10, undefined],
      ['student-2', 4, 10, undefined],
      ['student-3', 9, 10, 'a typing error'],
    ]);
    const second = told(await send());
    expect(second).toMatchObject({
      'Ada Byron': 'unchanged 6',
      Bob: 'unchanged 4',
      'Carla Cruz': 'unchanged 9',
    });
    expect(platform.scores).toHaveLength(3);
    // Two at once make one column and send nothing twice.
    await addMark(store, { assignmentId, learnerId: await idOf('Bob'), points: 10, by: 'Grace' });
    await Promise.all([send(), send()]);
    expect(platform.scores.slice(3).map(({ body }) => [body.userId, body.scoreGiven])).toEqual([
      ['student-2', 10],
    ]);
    expect(platform.lineItems).toEqual([{ label: '03-BERT', scoreMaximum: 10, resourceLinkId: 'link-1' }]);
  });

  it('of a course gets the marks of its own people alone', async () => {
    const elsewhere = { [`${CLAIM}context`]: { id: 'course-5' } };
    platform.people.set('grace of course 5', {
      ...elsewhere,
      sub: 'teacher-1',
      [`${CLAIM}roles`]: [INSTRUCTOR],
      [`${CLAIM}custom`]: { chapter: '03-bert', room: room.code },
    });
    platform.people.set('bob of course 5', { ...elsewhere, sub: 'student-2', name: 'Bob' });
    await new Visitor().launch(at('grace of course 5', 'link-5'));
    await new Visitor().launch(at('bob of course 5', 'link-5'));
    const before = platform.scores.length;
    const { ask } = await grace();
    await ask('POST', `/api/rooms/${room.id}/chapters/03-bert/passback`);
    expect(platform.scores.slice(before).map(({ url, body }) => [url, body.userId])).toEqual([
      ['/lineitems/2/scores?course=1', 'student-2'],
    ]);
  });

  it('gets no mark from whoever may not mark, and none of a chapter without a link', async () => {
    const path = `/api/rooms/${room.id}/chapters/03-bert/passback`;
    expect((await new Visitor().post(`${tool}${path}`, {})).status).toBe(401);
    const bare = await createRoom(store, { title: 'Bare', by: 'test' });
    await setAssignment(store, { roomId: bare.id, chapter: '03-bert', by: 'test' });
    const { ask } = await grace();
    const refused = await ask('POST', `/api/rooms/${bare.id}/chapters/03-bert/passback`);
    expect([refused.status, (await jsonOf(refused)).message]).toEqual([
      409,
      'no link of a platform leads to this chapter; open one there first, as its instructor',
    ]);
  });

  it('tells who is in the course: learners who are there, and nobody twice', async () => {
    const member = (user_id: string, name: string, more: object = {}) => ({
      user_id,
      name,
      email: `${user_id}@example.org`,
      roles: ['Learner'],
      ...more,
    });
    platform.members = [
      [member('student-1', 'Ada Byron'), member('student-6', 'Finn')],
      [
        member('student-7', 'Gia', { roles: [LEARNER] }),
        member('student-8', 'Gone', { status: 'Inactive' }),
        member('teacher-1', 'Grace Hopper', { roles: [INSTRUCTOR] }),
      ],
    ];
    const { ask } = await grace();
    const pull = async () => jsonOf(ask('POST', `/api/rooms/${room.id}/pull-roster`));
    expect(await pull()).toEqual({ added: 2, matched: 0, unchanged: 1, passedOver: 2 });
    expect(await pull()).toEqual({ added: 0, matched: 0, unchanged: 3, passedOver: 2 });
    const names = (await learnersOf(store, room.id)).map(({ displayName }) => displayName);
    expect(names).toEqual(expect.arrayContaining(['Finn', 'Gia']));
    expect(names).not.toContain('Gone');
  });
});

it('is told in one JSON what Canvas asks for', async () => {
  const given = await jsonOf(new Visitor().ask(`${tool}/lti/config.json`));
  expect(given).toMatchObject({
    oidc_initiation_url: `${tool}/lti/login`,
    target_link_uri: `${tool}/lti/launch`,
    public_jwk_url: `${tool}/lti/keys`,
  });
});

it('without TLS there is no LTI, and a sentence says what to do', async () => {
  const { app: plain } = await createApp({ store, catalogue: [], address: 'http://192.168.0.10:7788' });
  for (const url of ['/lti/login', '/lti/launch', '/lti/keys', '/lti/config.json']) {
    const { statusCode, body } = await plain.inject({ url });
    expect(statusCode, url).toBe(409);
    expect(body).toContain('npx lab workshop --address https://lab.example.org');
  }
  await plain.close();
});
