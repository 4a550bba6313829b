import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addInstructor, type Instructor } from '../../src/workshop/server/accounts.ts';
import { createApp, type Workshop } from '../../src/workshop/server/app.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';

const CATALOGUE = [
  {
    chapter: '00-start-here',
    title: 'Start here',
    exercises: [{ id: 'start/standardize', title: 'Standardise', minutes: 5 }],
  },
  {
    chapter: '03-bert',
    title: 'BERT',
    exercises: [{ id: 'bert/embeddings', title: 'Embeddings', minutes: 10 }],
  },
];

let store: Store;
let app: FastifyInstance;
let workshop: Workshop;
let owner: Instructor;
let password: string;
const logged: string[] = [];
let names = 0;

interface Login {
  readonly cookie: string;
  readonly csrf: string;
}

async function login(who: Instructor): Promise<Login> {
  const { cookies } = await app.inject({
    method: 'POST',
    url: '/api/login',
    // An address each: the limit of guesses is tested by itself.
    remoteAddress: `10.0.0.${++names % 250}`,
    payload: { key: workshop.logins.give(who) },
  });
  const cookie = `lab_instructor=${cookies.find(({ name }) => name === 'lab_instructor')?.value}`;
  const { csrf } = (await app.inject({ url: '/api/me', headers: { cookie } })).json();
  return { cookie, csrf };
}

function as({ cookie, csrf }: Login) {
  return (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
    app.inject({
      method,
      url,
      headers: { cookie, 'x-csrf-token': csrf },
      ...(payload === undefined ? {} : { payload }),
    });
}

/** A learner's lab. */
async function join(code: string, name = `learner ${++names}`) {
  const reply = await app.inject({ method: 'POST', url: '/api/join', payload: { code, name } });
  const { token, learner } = reply.json();
  return {
    status: reply.statusCode,
    message: reply.json().message as string | undefined,
    id: learner?.id as number,
    token: token as string,
    post: (url: string, payload: object) =>
      app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}` } }),
    check: (given: object = {}) =>
      app.inject({
        method: 'POST',
        url: '/api/learner/checks',
        headers: { authorization: `Bearer ${token}` },
        payload: { sentAt: new Date().toISOString(), checks: [checkOf(given)] },
      }),
    handIn: (chapter: string, notebook: string) =>
      app.inject({
        method: 'POST',
        url: `/api/learner/hand-in/${chapter}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ipynb+json' },
        payload: notebook,
      }),
  };
}

function checkOf(given: object = {}) {
  return {
    id: randomUUID(),
    exercise: 'start/standardize',
    verdict: 'fail',
    mistake: 'The mean runs over the wrong axis.',
    checkedAt: new Date().toISOString(),
    ...given,
  };
}

beforeAll(async () => {
  store = await openStore();
  ({ instructor: owner, password } = await addInstructor(store, {
    name: 'Owner',
    role: 'owner',
    by: 'test',
  }));
  ({ app, workshop } = await createApp({
    store,
    catalogue: CATALOGUE,
    address: 'http://lab.test:7788',
    log: (message) => logged.push(message),
  }));
});
afterAll(async () => {
  await app.close();
  await store.close();
});

async function newRoom(settings: object = {}) {
  const ask = as(await login(owner));
  const { id, code } = (await ask('POST', '/api/rooms', { title: `Room ${++names}`, ...settings })).json();
  return { id: id as number, code: code as string, ask };
}

describe('joining', () => {
  it('takes the code as people type it', async () => {
    const { code } = await newRoom();
    const typed = ` ${code.slice(0, 4).toLowerCase()}-${code.slice(4)} `;
    expect((await join(typed)).status).toBe(200);
  });

  it('says that a code is unknown', async () => {
    const wrong = await join('ZZZZ-ZZZZ');
    expect([wrong.status, wrong.message]).toEqual([
      404,
      'There is no room with this code; look at it again.',
    ]);
  });

  it('gives a name once, and suggests another', async () => {
    const { code } = await newRoom();
    expect((await join(code, 'Ada')).status).toBe(200);
    const second = await join(code, 'ada');
    expect(second.status).toBe(409);
    expect(second.message).toMatch(/ada 2/);
  });

  it('ends with the date of the code, and with the room', async () => {
    const expired = await newRoom({ expiresAt: new Date(Date.now() - 1000).toISOString() });
    expect((await join(expired.code)).message).toMatch(/expired/);
    const { code, id, ask } = await newRoom();
    const early = await join(code);
    await ask('PATCH', `/api/rooms/${id}`, { closed: true });
    expect((await join(code)).message).toMatch(/closed/);
    expect((await early.check()).statusCode).toBe(423);
  });

  it.each([
    ['a name of control characters', { name: 'a\u202eb' }],
    ['no name', { name: '   ' }],
    ['a field that is not known', { name: 'Ada', admin: true }],
    ['a name that is too long', { name: 'x'.repeat(61) }],
  ])('refuses %s with a sentence', async (_title, given) => {
    const { code } = await newRoom();
    const reply = await app.inject({ method: 'POST', url: '/api/join', payload: { code, ...given } });
    expect(reply.statusCode).toBe(400);
    expect(reply.json().message).toMatch(/\w+/);
  });
});

describe('checks', () => {
  it('count once, however often they are sent', async () => {
    const { code, id, ask } = await newRoom();
    const learner = await join(code);
    const same = { id: randomUUID() };
    for (let i = 0; i < 3; i++) expect((await learner.check(same)).json().accepted).toEqual([same.id]);
    const history = (await ask('GET', `/api/rooms/${id}/learners/${learner.id}/checks`)).json();
    expect(history).toHaveLength(1);
  });

  it('bring no code into a room that does not ask for it', async () => {
    const { code, id, ask } = await newRoom();
    const learner = await join(code);
    const of = async () => (await ask('GET', `/api/rooms/${id}/learners/${learner.id}/checks`)).json();
    await learner.check({ code: 'secret' });
    expect((await of())[0].code).toBeNull();
    await ask('PATCH', `/api/rooms/${id}`, { asksForCode: true });
    await learner.check({ code: 'shown' });
    expect((await of())[0].code).toBe('shown');
  });

  it('are placed in time by the server, whatever the learner’s clock says', async () => {
    const { code, id, ask } = await newRoom();
    const learner = await join(code);
    // A clock that is three hours and more ahead; the check was made a minute before it was sent.
    const ahead = (seconds: number) => new Date(Date.now() + 11_000_000 - seconds * 1000).toISOString();
    await learner.post('/api/learner/checks', {
      sentAt: ahead(0),
      checks: [checkOf({ checkedAt: ahead(60) })],
    });
    const [entry] = (await ask('GET', `/api/rooms/${id}/learners/${learner.id}/checks`)).json();
    const age = Date.now() - new Date(entry.checkedAt).getTime();
    expect(age).toBeGreaterThan(50_000);
    expect(age).toBeLessThan(120_000);
  });

  it('are refused whole if one is malformed, and nothing is kept', async () => {
    const { code, id, ask } = await newRoom();
    const learner = await join(code);
    const bad = await learner.post('/api/learner/checks', {
      sentAt: new Date().toISOString(),
      checks: [checkOf(), checkOf({ verdict: 'perfect' })],
    });
    expect(bad.statusCode).toBe(400);
    expect((await ask('GET', `/api/rooms/${id}/learners/${learner.id}/checks`)).json()).toEqual([]);
  });

  it('show the most common mistakes first', async () => {
    const { code, id, ask } = await newRoom();
    for (let i = 0; i < 3; i++) await (await join(code)).check({ mistake: 'often' });
    const one = await join(code);
    await one.check({ mistake: 'rare' });
    await one.check({ mistake: 'rare' });
    const counts = (await ask('GET', `/api/rooms/${id}/mistakes`)).json();
    expect(
      counts.map(({ mistake, learners, times }: Record<string, unknown>) => [mistake, learners, times]),
    ).toEqual([
      ['often', 3, 3],
      ['rare', 1, 2],
    ]);
  });
});

describe('who may do what', () => {
  it('asks for a login', async () => {
    for (const url of [
      '/api/rooms',
      '/api/me',
      '/api/rooms/1/mistakes',
      '/api/rooms/1/live',
      '/api/rooms/1/grades.csv',
    ]) {
      expect((await app.inject({ url })).statusCode, url).toBe(401);
    }
  });

  it('takes the password of the name alone', async () => {
    const attempt = (name: string, secret: string) =>
      app.inject({
        method: 'POST',
        url: '/api/login',
        remoteAddress: '10.1.0.1',
        payload: { name, password: secret },
      });
    expect((await attempt('owner', password)).statusCode).toBe(200);
    expect((await attempt('owner', `${password}x`)).json().message).toBe(
      'No instructor has this name and password.',
    );
    expect((await attempt('nobody', password)).json().message).toBe(
      'No instructor has this name and password.',
    );
  });

  it('stops who guesses passwords', async () => {
    const codes: number[] = [];
    for (let i = 0; i < 12; i++) {
      const payload = { name: 'owner', password: `guess ${i}` };
      codes.push(
        (await app.inject({ method: 'POST', url: '/api/login', remoteAddress: '10.2.0.1', payload }))
          .statusCode,
      );
    }
    expect(codes.filter((code) => code === 401)).toHaveLength(10);
    expect(codes.slice(10)).toEqual([429, 429]);
  });

  it('takes a login link once', async () => {
    const key = workshop.logins.give(owner);
    const use = () =>
      app.inject({ method: 'POST', url: '/api/login', remoteAddress: '10.3.0.1', payload: { key } });
    expect((await use()).statusCode).toBe(200);
    expect((await use()).statusCode).toBe(401);
  });

  it('changes nothing without the login’s own token beside its cookie', async () => {
    const { cookie } = await login(owner);
    for (const headers of [{ cookie }, { cookie, 'x-csrf-token': randomUUID() }]) {
      const reply = await app.inject({
        method: 'POST',
        url: '/api/rooms',
        headers,
        payload: { title: 'forged' },
      });
      expect(reply.statusCode).toBe(403);
    }
    const { ask } = await newRoom();
    const titles = (await ask('GET', '/api/rooms')).json().map(({ title }: { title: string }) => title);
    expect(titles).not.toContain('forged');
  });

  it('lets an assistant look and help, and no more', async () => {
    const { id } = await newRoom();
    const { instructor } = await addInstructor(store, {
      name: `Assistant ${++names}`,
      role: 'assistant',
      by: 'test',
    });
    const ask = as(await login(instructor));
    expect((await ask('GET', `/api/rooms/${id}/mistakes`)).statusCode).toBe(200);
    expect(
      (await ask('POST', `/api/rooms/${id}/messages`, { kind: 'announcement', text: 'hello' })).statusCode,
    ).toBe(200);
    expect((await ask('PATCH', `/api/rooms/${id}`, { closed: true })).statusCode).toBe(403);
    expect((await ask('GET', `/api/rooms/${id}/grades.csv`)).statusCode).toBe(403);
    expect((await ask('POST', '/api/instructors', { name: 'Mallory', role: 'instructor' })).statusCode).toBe(
      403,
    );
  });

  it('ends a login for good', async () => {
    const session = await login(owner);
    await as(session)('POST', '/api/logout');
    expect((await as(session)('GET', '/api/me')).statusCode).toBe(401);
  });

  it('knows a learner by their token alone', async () => {
    const { code, id, ask } = await newRoom();
    const ada = await join(code);
    await ada.check();
    for (const authorization of ['', 'Bearer', 'Bearer x', `Basic ${ada.token}`, `Bearer ${ada.token}x`]) {
      const reply = await app.inject({
        method: 'POST',
        url: '/api/learner/here',
        headers: { authorization },
      });
      expect(reply.statusCode, authorization).toBe(401);
    }
    // A learner's token opens nothing of the instructors', and a removed learner is out.
    const cookie = `lab_instructor=${ada.token}`;
    expect((await app.inject({ url: `/api/rooms/${id}/mistakes`, headers: { cookie } })).statusCode).toBe(
      401,
    );
    await ask('DELETE', `/api/rooms/${id}/learners/${ada.id}`);
    expect((await ada.check()).statusCode).toBe(401);
  });

  it('shows nothing of one room to another', async () => {
    const here = await newRoom();
    const there = await newRoom();
    const ada = await join(here.code);
    const reply = await here.ask('GET', `/api/rooms/${there.id}/learners/${ada.id}/checks`);
    expect(reply.statusCode).toBe(404);
    const message = { kind: 'hint', text: 'psst', learnerId: ada.id };
    expect((await here.ask('POST', `/api/rooms/${there.id}/messages`, message)).statusCode).toBe(404);
  });
});

describe('a learner’s own page', () => {
  it('opens with a link from the learner’s lab, once, and shows their own work alone', async () => {
    const { code } = await newRoom();
    const [ada, bob] = [await join(code, 'Ada'), await join(code, 'Bob')];
    await ada.check({ verdict: 'pass' });
    await bob.check({ mistake: 'of Bob' });
    const { key } = (await ada.post('/api/learner/page-key', {})).json();
    const open = await app.inject({ method: 'POST', url: '/api/my/session', payload: { key } });
    const [cookie] = open.cookies;
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/api/my' });
    const page = await app.inject({
      url: '/api/my/progress',
      headers: { cookie: `lab_learner=${cookie?.value}` },
    });
    expect(page.json()).toMatchObject({
      name: 'Ada',
      assignments: [{ chapter: '00-start-here', cells: [{ verdict: 'pass' }] }],
    });
    expect(page.body).not.toContain('Bob');
    expect((await app.inject({ method: 'POST', url: '/api/my/session', payload: { key } })).statusCode).toBe(
      401,
    );
    expect((await app.inject({ url: '/api/my/progress' })).statusCode).toBe(401);
  });
});

describe('handing in', () => {
  it('keeps attempts of open chapters, the same bytes once', async () => {
    const { code, id, ask } = await newRoom();
    const ada = await join(code, 'Ada');
    expect((await ada.handIn('00-start-here', '{"cells":[]}')).json()).toMatchObject({
      attempt: 1,
      late: false,
    });
    expect((await ada.handIn('00-start-here', '{"cells":[]}')).json()).toMatchObject({ attempt: 1 });
    expect((await ada.handIn('00-start-here', '{"cells":[1]}')).json()).toMatchObject({ attempt: 2 });
    const closed = await ada.handIn('03-bert', '{}');
    expect([closed.statusCode, closed.json().message]).toEqual([409, '“BERT” is not open for handing in']);
    expect((await ada.handIn('99-none', '{}')).statusCode).toBe(404);
    const list = (await ask('GET', `/api/rooms/${id}/hand-ins`)).json();
    expect(list.map(({ learner, attempt }: Record<string, unknown>) => [learner, attempt])).toEqual([
      ['Ada', 2],
      ['Ada', 1],
    ]);
  });

  it('marks what comes after it was due as late', async () => {
    const { code, id, ask } = await newRoom();
    await ask('PUT', `/api/rooms/${id}/chapters/00-start-here`, {
      dueAt: new Date(Date.now() - 60_000).toISOString(),
    });
    expect((await (await join(code)).handIn('00-start-here', '{}')).json()).toMatchObject({ late: true });
  });

  it('packs the last attempt of everybody for grading, whatever their names', async () => {
    const { readZip } = await import('../../grader/zip.ts');
    const { code, id, ask } = await newRoom();
    const eve = await join(code, '../../etc/Eve');
    await eve.handIn('00-start-here', '{"n":1}');
    await eve.handIn('00-start-here', '{"n":2}');
    const files = await readZip((await ask('GET', `/api/rooms/${id}/hand-ins.zip`)).rawPayload);
    expect(files).toHaveLength(1);
    expect(files[0]?.name).not.toContain('..');
    expect(Buffer.from((await files[0]?.read()) ?? []).toString()).toBe('{"n":2}');
  });

  it('refuses a notebook that is too large', async () => {
    const { code } = await newRoom();
    const reply = await (await join(code)).handIn('00-start-here', 'x'.repeat(9 * 1024 * 1024));
    expect(reply.statusCode).toBe(413);
  });
});

describe('pages', () => {
  it('load scripts from this server alone, in no frame', async () => {
    for (const url of ['/', '/login', '/dashboard', '/join', '/me']) {
      const { headers, statusCode } = await app.inject({ url });
      expect(statusCode, url).toBe(200);
      const policy = String(headers['content-security-policy']);
      expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]+';/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('find every module that they import', async () => {
    const seen = new Set<string>();
    const frame = (await app.inject({ url: '/dashboard' })).body;
    const map: Record<string, string> = JSON.parse(
      /<script type="importmap">(.+?)<\/script>/.exec(frame)?.[1] ?? '',
    ).imports;
    const visit = async (url: string): Promise<void> => {
      if (seen.has(url)) return;
      seen.add(url);
      const { statusCode, body } = await app.inject({ url });
      expect(statusCode, url).toBe(200);
      if (!url.startsWith('/assets/')) return;
      for (const [, name = ''] of body.matchAll(/^import (?:[^'"]+ from )?['"]([^'"]+)['"]/gm)) {
        const prefix = Object.keys(map).find((key) => key.endsWith('/') && name.startsWith(key));
        if (name.startsWith('./')) await visit(`/assets/${name.slice(2)}`);
        else
          await visit(map[name] ?? `${map[prefix ?? ''] ?? '/missing/'}${name.slice((prefix ?? '').length)}`);
      }
    };
    for (const page of ['dashboard', 'login', 'join', 'me']) await visit(`/assets/${page}.ts`);
    expect(seen.size).toBeGreaterThan(20);
  });

  it('give no file that is not theirs', async () => {
    for (const url of [
      '/assets/../server/app.ts',
      '/assets/tsconfig.json',
      '/vendor/webawesome/../package.json',
      '/vendor/preact/%2e%2e/package.json',
    ]) {
      expect((await app.inject({ url })).statusCode, url).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('what goes wrong', () => {
  beforeEach(() => logged.splice(0));

  it('says so in a sentence, and nothing of secrets or code in the log', async () => {
    const broken = await openStore();
    const made = await createApp({
      store: broken,
      catalogue: CATALOGUE,
      address: 'http://x',
      log: (line) => logged.push(line),
    });
    const { instructor } = await addInstructor(broken, { name: 'Grace', role: 'owner', by: 'test' });
    const { cookies } = await made.app.inject({
      method: 'POST',
      url: '/api/login',
      payload: { key: made.workshop.logins.give(instructor) },
    });
    await broken.close();
    const reply = await made.app.inject({
      method: 'POST',
      url: '/api/join',
      payload: { code: 'SECRETCODE', name: 'Someone Private' },
      headers: { cookie: `lab_instructor=${cookies[0]?.value}` },
    });
    expect(reply.statusCode).toBe(503);
    expect(reply.json().message).toBe('The server could not do this now; try again in a moment.');
    expect(logged).toHaveLength(1);
    expect(logged.join()).not.toMatch(/SECRETCODE|Someone Private/);
    await made.app.close();
  });

  it('answers what is no JSON, or too large', async () => {
    const headers = { 'content-type': 'application/json' };
    expect(
      (await app.inject({ method: 'POST', url: '/api/join', headers, payload: '{"code":' })).statusCode,
    ).toBe(400);
    expect(
      (await app.inject({ method: 'POST', url: '/api/join', headers, payload: `"${'x'.repeat(7e6)}"` }))
        .statusCode,
    ).toBe(413);
    expect((await app.inject({ url: '/api/nothing' })).json().message).toBe(
      'There is nothing at this address.',
    );
  });
});
