/** Launches over HTTP, through the server as `lab workshop` runs it: who comes, and where to. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkView } from '../../src/workshop/book-protocol.ts';
import { tieInstructor } from '../../src/workshop/lti/people.ts';
import { addInstructor } from '../../src/workshop/server/accounts.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { learnersOf } from '../../src/workshop/store/learners.ts';
import { createRoom } from '../../src/workshop/store/rooms.ts';
import { importRoster } from '../../src/workshop/store/roster.ts';
import { INSTRUCTOR } from './lti-platform.ts';
import { CLAIM, keyIn, LtiSetting, wayOn } from './lti-setting.ts';
import { jsonOf, Visitor } from './lti-visitor.ts';

let lti: LtiSetting;
beforeAll(async () => {
  lti = await LtiSetting.open(false);
}, 600_000);
afterAll(() => lti.close(), 120_000);

describe('an instructor of the platform', () => {
  it('is nobody here before they have logged in once with their password', async () => {
    const visitor = new Visitor();
    const page = await visitor.launch(lti.at('grace'));
    expect(page.status).toBe(200);
    const href = await wayOn(page);
    expect(href).toMatch(/^\/login#claim=/);
    expect((await visitor.ask(`${lti.tool}/api/me`)).status).toBe(401);
    const claim = keyIn(href);
    const who = await visitor.post(`${lti.tool}/api/login/claim`, { key: claim });
    expect(await jsonOf(who)).toEqual({ name: 'Grace Hopper', platform: 'Campus' });
    const attempt = (secret: string) =>
      visitor.post(`${lti.tool}/api/login`, { name: 'Grace', password: secret, claim });
    expect((await attempt('guess')).status).toBe(401);
    expect((await attempt(lti.password)).status).toBe(200);
    // Once: whoever finds the link later ties nobody to anything.
    expect((await attempt(lti.password)).status).toBe(401);
  });

  it('is logged in by the link from then on, and asked where it leads', async () => {
    const { href, ask } = await lti.graceThere();
    expect(href).toMatch(/^\/login#key=[\w-]+&to=\/links\/\d+$/);
    expect(await jsonOf(ask('GET', '/api/me'))).toMatchObject({ name: 'Grace', role: 'instructor' });
    const [link]: LinkView[] = await jsonOf(ask('GET', '/api/links'));
    expect(link).toMatchObject({ platform: 'Campus', title: 'BERT in the course', chapter: null });
    // A learner who comes before that finds a sentence and becomes nobody.
    const early = await new Visitor().launch(lti.at('ada'));
    expect(await early.text()).toContain('has not said yet which chapter this link leads to');
    expect(await learnersOf(lti.store, lti.room.id)).toEqual([]);
    expect(
      (await ask('PUT', `/api/links/${link?.id}`, { roomId: lti.room.id, chapter: '99-none' })).status,
    ).toBe(409);
    expect(
      (await ask('PUT', `/api/links/${link?.id}`, { roomId: lti.room.id, chapter: '03-bert' })).status,
    ).toBe(200);
    expect((await lti.graceThere()).href).toMatch(new RegExp(`&to=/rooms/${lti.room.id}$`));
  });

  it('changes where links lead only as what their role here allows, from the page of this server', async () => {
    const { instructor } = await addInstructor(lti.store, { name: 'Tom', role: 'assistant', by: 'test' });
    lti.platform.people.set('tom', { sub: 'ta-1', name: 'Tom', [`${CLAIM}roles`]: [INSTRUCTOR] });
    await tieInstructor(lti.store, { platformId: 1, sub: 'ta-1' }, instructor);
    const visitor = new Visitor();
    const href = await wayOn(await visitor.launch(lti.at('tom'), 'document'));
    await visitor.post(`${lti.tool}/api/login`, { key: keyIn(href) });
    const { csrf, role } = await jsonOf(visitor.ask(`${lti.tool}/api/me`));
    expect(role).toBe('assistant');
    const put = (token: string) =>
      visitor.ask(`${lti.tool}/api/links/1`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-csrf-token': token },
        body: JSON.stringify({ roomId: lti.room.id, chapter: '04-roberta' }),
      });
    expect((await put(csrf)).status).toBe(403);
    expect((await put('forged')).status).toBe(403);
  });
});

describe('a learner of the platform', () => {
  it('comes to their own page, the same one at every launch, and to nobody else’s', async () => {
    const first = await lti.learnerPage('ada');
    expect(first.href).toMatch(/^\/me#key=/);
    expect(await first.progress()).toMatchObject({ room: 'Monday', name: 'Ada Byron' });
    const again = await lti.learnerPage('ada');
    expect(await again.progress()).toMatchObject({ name: 'Ada Byron' });
    expect((await learnersOf(lti.store, lti.room.id)).map(({ displayName }) => displayName)).toEqual([
      'Ada Byron',
    ]);
    expect(await (await lti.learnerPage('bob')).progress()).toMatchObject({ name: 'Bob' });
    // The link of the page is good once.
    expect((await new Visitor().post(`${lti.tool}/api/my/session`, { key: keyIn(first.href) })).status).toBe(
      401,
    );
  });

  it('connects their lab with the line of that page, and what it checks is theirs', async () => {
    const { visitor, progress } = await lti.learnerPage('ada');
    expect((await progress()).lab).toMatchObject({ code: lti.room.code, joined: false });
    const { key } = await jsonOf(visitor.post(`${lti.tool}/api/my/lab-key`, {}));
    const lab = new Visitor();
    const join = () =>
      lab.post(`${lti.tool}/api/join`, { code: lti.room.code, name: 'whatever', identity: key });
    const joined = await join();
    const { token, learner } = await jsonOf(joined);
    expect(learner.name).toBe('Ada Byron');
    const checks = [
      { id: randomUUID(), exercise: 'bert/one', verdict: 'pass', checkedAt: new Date().toISOString() },
    ];
    const told = { sentAt: new Date().toISOString(), checks };
    await lab.post(`${lti.tool}/api/learner/checks`, told, { authorization: `Bearer ${token}` });
    const [chapter] = (await progress()).assignments;
    expect(chapter?.cells).toMatchObject([{ exercise: 'bert/one', verdict: 'pass' }]);
    // Used, the key is a word like any other, and the name is free.
    expect((await jsonOf(join())).learner.name).toBe('whatever');
  });

  it('is no key for another room, and a page that a lab opened gives none', async () => {
    const { visitor } = await lti.learnerPage('ada');
    const { key } = await jsonOf(visitor.post(`${lti.tool}/api/my/lab-key`, {}));
    const other = await createRoom(lti.store, { title: 'Tuesday', by: 'test' });
    const wrong = await new Visitor().post(`${lti.tool}/api/join`, {
      code: other.code,
      name: 'x',
      identity: key,
    });
    expect(wrong.status).toBe(409);
    const joined = await new Visitor().post(`${lti.tool}/api/join`, { code: other.code, name: 'Zoe' });
    const { token } = await jsonOf(joined);
    const fromLab = new Visitor();
    const page = await fromLab.post(
      `${lti.tool}/api/learner/page-key`,
      {},
      { authorization: `Bearer ${token}` },
    );
    await fromLab.post(`${lti.tool}/api/my/session`, { key: (await jsonOf(page)).key });
    expect((await fromLab.post(`${lti.tool}/api/my/lab-key`, {})).status).toBe(403);
    expect((await fromLab.ask(`${lti.tool}/api/my/progress`)).status).toBe(200);
  });

  it('is the one on the list of names with the same e-mail, in any case', async () => {
    await importRoster(
      lti.store,
      lti.room.id,
      [{ line: 2, displayName: 'Carla Cruz', email: 'Carla@Example.org', group: 'A' }],
      'test',
    );
    lti.platform.people.set('carla', { sub: 'student-3', name: 'C. Cruz', email: 'carla@example.org' });
    expect(await (await lti.learnerPage('carla')).progress()).toMatchObject({ name: 'Carla Cruz' });
    // Somebody else who gives the same e-mail is somebody else.
    lti.platform.people.set('eve', { sub: 'student-9', name: 'Eve', email: 'carla@example.org' });
    expect(await (await lti.learnerPage('eve')).progress()).toMatchObject({ name: 'Eve' });
  });

  it('comes to the chapter that stands beside the link, in the room of the course', async () => {
    const custom = { [`${CLAIM}custom`]: { chapter: '04-roberta' } };
    lti.platform.people.set('ada with a parameter', custom);
    expect(await (await lti.learnerPage('ada with a parameter', 'link-2')).progress()).toMatchObject({
      name: 'Ada Byron',
    });
    const { ask } = await lti.grace();
    const links: LinkView[] = await jsonOf(ask('GET', '/api/links'));
    expect(links.map(({ room: title, chapter }) => [title, chapter])).toEqual([
      ['Monday', '03-bert'],
      ['Monday', '04-roberta'],
    ]);
    // In another course nothing says which room.
    lti.platform.people.set('ada elsewhere', { ...custom, [`${CLAIM}context`]: { id: 'course-2' } });
    const page = await new Visitor().launch(lti.at('ada elsewhere', 'link-3'));
    expect(await page.text()).toContain('has not said yet');
  });

  it('does not lead a room into another course by its code; who teaches here does', async () => {
    const custom = { [`${CLAIM}custom`]: { chapter: '04-roberta', room: lti.room.code } };
    const course = { [`${CLAIM}context`]: { id: 'course-4' } };
    lti.platform.people.set('ada with a code', { ...custom, ...course });
    lti.platform.people.set('stranger with a code', {
      ...custom,
      ...course,
      sub: 'teacher-9',
      [`${CLAIM}roles`]: [INSTRUCTOR],
    });
    lti.platform.people.set('grace with a code', {
      ...custom,
      ...course,
      sub: 'teacher-1',
      [`${CLAIM}roles`]: [INSTRUCTOR],
    });
    const learner = () => new Visitor().launch(lti.at('ada with a code', 'link-4'));
    expect(await (await learner()).text()).toContain('has not said yet');
    await new Visitor().launch(lti.at('stranger with a code', 'link-4'));
    expect(await (await learner()).text()).toContain('has not said yet');
    await new Visitor().launch(lti.at('grace with a code', 'link-4'));
    expect(await wayOn(await learner())).toMatch(/^\/me#key=/);
  });

  it('has two launches at the same moment and is one learner', async () => {
    lti.platform.people.set('dan', { sub: 'student-4', name: 'Dan', email: 'dan@example.org' });
    await Promise.all([1, 2, 3].map(() => new Visitor().launch(lti.at('dan'))));
    const names = (await learnersOf(lti.store, lti.room.id)).map(({ displayName }) => displayName);
    expect(names.filter((name) => name.startsWith('Dan'))).toEqual(['Dan']);
  });
});

it('is told in one JSON what Canvas asks for', async () => {
  const given = await jsonOf(new Visitor().ask(`${lti.tool}/lti/config.json`));
  expect(given).toMatchObject({
    oidc_initiation_url: `${lti.tool}/lti/login`,
    target_link_uri: `${lti.tool}/lti/launch`,
    public_jwk_url: `${lti.tool}/lti/keys`,
  });
});

it('without TLS there is no LTI, and a sentence says what to do', async () => {
  const { app: plain } = await createApp({
    store: lti.store,
    catalogue: [],
    address: 'http://192.168.0.10:7788',
  });
  for (const url of ['/lti/login', '/lti/launch', '/lti/keys', '/lti/config.json']) {
    const { statusCode, body } = await plain.inject({ url });
    expect(statusCode, url).toBe(409);
    expect(body).toContain('npx lab workshop --address https://lab.example.org');
  }
  await plain.close();
});
