import Fastify, { type FastifyInstance } from 'fastify';
import { base64url, exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownKeySet, rotateKey } from '../../src/workshop/lti/keys.ts';
import type { Launch } from '../../src/workshop/lti/launch.ts';
import { passBack } from '../../src/workshop/lti/passback.ts';
import { type Platform, registerPlatform } from '../../src/workshop/lti/platforms.ts';
import { lti } from '../../src/workshop/lti/plugin.ts';
import { PlatformServices } from '../../src/workshop/lti/services.ts';
import { addGrading } from '../../src/workshop/store/gradebook.ts';
import { joinRoom } from '../../src/workshop/store/learners.ts';
import type { Store } from '../../src/workshop/store/open.ts';
import { createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import { ltiLinks, ltiUsers } from '../../src/workshop/store/schema.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { INSTRUCTOR, SimulatedPlatform } from './lti-platform.ts';
import { anyStore } from './store-engines.ts';

const ADDRESS = 'https://lab.example.org';
const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const TARGET = { [`${CLAIM}target_link_uri`]: `${ADDRESS}/rooms/1` };

let opened: Awaited<ReturnType<typeof anyStore>>;
let store: Store;
let platform: SimulatedPlatform;
let registered: Platform;
let app: FastifyInstance;
let launches: Launch[] = [];

beforeAll(async () => {
  opened = await anyStore();
  store = opened.store;
  platform = await SimulatedPlatform.start(() => ownKeySet(store));
  registered = await registerPlatform(store, platform.registration, 'test');
  app = Fastify();
  await app.register(lti, {
    store,
    address: ADDRESS,
    onLaunch: async (launch, _request, reply) => {
      launches.push(launch);
      return reply.redirect('/in');
    },
  });
}, 600_000);
afterAll(async () => {
  await app.close();
  await platform.stop();
  await opened.close();
}, 120_000);

const login = async (more: Record<string, string> = {}) => {
  const query = { iss: platform.address, login_hint: 'u1', target_link_uri: `${ADDRESS}/rooms/1`, ...more };
  const reply = await app.inject({ method: 'GET', url: '/lti/login', query });
  const redirect = reply.statusCode === 302 ? new URL(String(reply.headers.location)) : undefined;
  return {
    reply,
    redirect,
    state: redirect?.searchParams.get('state') ?? '',
    nonce: redirect?.searchParams.get('nonce') ?? '',
    cookie: String(reply.headers['set-cookie'] ?? '').split(';')[0] ?? '',
  };
};
const launch = async (state: string, idToken: string, cookie: string) => {
  launches = [];
  const { statusCode, body } = await app.inject({
    method: 'POST',
    url: '/lti/launch',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie },
    payload: new URLSearchParams({ state, id_token: idToken }).toString(),
  });
  return { statusCode, body };
};
type TokenOptions = Parameters<SimulatedPlatform['idToken']>[1];
const wholeLaunch = async (claims: Record<string, unknown> = {}, options: TokenOptions = {}) => {
  const { state, nonce, cookie } = await login();
  return launch(state, await platform.idToken({ nonce, ...TARGET, ...claims }, options), cookie);
};

describe('a launch', () => {
  it('asks the platform who it is, in a way that this browser alone can answer', async () => {
    const { redirect, reply } = await login({ lti_message_hint: 'hint', client_id: platform.clientId });
    expect(redirect?.origin).toBe(platform.address);
    expect(Object.fromEntries(redirect?.searchParams ?? [])).toMatchObject({
      scope: 'openid',
      response_type: 'id_token',
      response_mode: 'form_post',
      prompt: 'none',
      client_id: platform.clientId,
      redirect_uri: `${ADDRESS}/lti/launch`,
      login_hint: 'u1',
      lti_message_hint: 'hint',
    });
    expect(String(reply.headers['set-cookie'])).toMatch(/HttpOnly; Secure; SameSite=None/);
  });

  it('says who comes from where, and what the platform offers', async () => {
    expect((await wholeLaunch()).statusCode).toBe(302);
    expect(launches[0]).toMatchObject({ sub: 'student-1', name: 'Ada Byron', role: 'learner' });
    expect(launches[0]?.link).toMatchObject({
      resourceLinkId: 'link-1',
      lineItemsUrl: `${platform.address}/lineitems`,
    });
    await wholeLaunch({ [`${CLAIM}roles`]: [INSTRUCTOR] });
    expect(launches[0]?.role).toBe('instructor');
  });

  it('may leave out what the platform does not know, or say null', async () => {
    // As the documentation of Canvas shows its launches.
    const canvas = {
      name: null,
      email: null,
      azp: platform.clientId,
      [`${CLAIM}resource_link`]: { id: 'link-9', title: null, description: null, validation_context: null },
      [`${CLAIM}custom`]: { chapter: '03-bert', other: null, number: 7 },
      'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint': {
        scope: [],
        lineitems: `${platform.address}/lineitems`,
        lineitem: null,
      },
    };
    expect((await wholeLaunch(canvas)).statusCode).toBe(302);
    expect(launches[0]).toMatchObject({
      name: undefined,
      custom: { chapter: '03-bert' },
      link: { resourceLinkId: 'link-9', title: null, lineItemUrl: null },
    });
    expect(launches[0]?.custom).toEqual({ chapter: '03-bert' });
  });

  it('begins by POST too, as Moodle does', async () => {
    const reply = await app.inject({
      method: 'POST',
      url: '/lti/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        iss: platform.address,
        login_hint: 'u1',
        target_link_uri: `${ADDRESS}/rooms/1`,
        lti_message_hint: '{"cmid":7,"launchid":"ltilaunch7"}',
        client_id: platform.clientId,
        lti_deployment_id: '1',
      }).toString(),
    });
    expect(reply.statusCode).toBe(302);
    const hint = new URL(String(reply.headers.location)).searchParams.get('lti_message_hint');
    expect(hint).toBe('{"cmid":7,"launchid":"ltilaunch7"}');
  });

  it('gives no rights for a role outside of the course', async () => {
    await wholeLaunch({
      [`${CLAIM}roles`]: ['http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor'],
    });
    expect(launches[0]?.role).toBe('learner');
  });

  it.each<[string, Record<string, unknown>, TokenOptions, string]>([
    ['of another issuer', {}, { iss: 'https://evil.example.org' }, 'not made for this tool (iss)'],
    ['for another tool', {}, { aud: 'tool-8' }, 'not made for this tool (aud)'],
    [
      'for several, meant for another',
      { azp: 'tool-8' },
      { aud: ['tool-7', 'tool-8'] },
      'for another tool (azp)',
    ],
    ['for several, meant for nobody', {}, { aud: ['tool-7', 'tool-8'] }, 'for another tool (azp)'],
    ['that has expired', {}, { issuedAt: Math.floor(Date.now() / 1000) - 400 }, 'has expired'],
    [
      'that is old and never expires',
      {},
      { issuedAt: Math.floor(Date.now() / 1000) - 4000, seconds: 1e6 },
      'launch',
    ],
    ['of an unknown deployment', { [`${CLAIM}deployment_id`]: 'x' }, {}, 'this deployment'],
    ['of another kind', { [`${CLAIM}message_type`]: 'LtiDeepLinkingRequest' }, {}, '(message_type)'],
    ['of another version', { [`${CLAIM}version`]: '1.1' }, {}, '(version)'],
    ['to another place', { [`${CLAIM}target_link_uri`]: `${ADDRESS}/rooms/2` }, {}, 'target_link_uri'],
    ['of nobody', { sub: undefined }, {}, '(sub)'],
    ['of another login', { nonce: 'mine' }, {}, '(nonce)'],
  ])('%s is refused', async (_, claims, options, sentence) => {
    const { statusCode, body } = await wholeLaunch(claims, options);
    expect(body).toContain(sentence);
    expect(statusCode).toBe(400);
    expect(launches).toEqual([]);
  });

  it('is believed once', async () => {
    const { state, nonce, cookie } = await login();
    const token = await platform.idToken({ nonce, ...TARGET });
    expect((await launch(state, token, cookie)).statusCode).toBe(302);
    expect((await launch(state, token, cookie)).body).toContain('was used already');
    // The same token in a login of its own.
    const again = await login();
    expect((await launch(again.state, token, again.cookie)).body).toContain('answers another login');
  });

  it('is believed in the browser that began it alone', async () => {
    const { state, nonce, cookie } = await login();
    const other = await login();
    const token = await platform.idToken({ nonce, ...TARGET });
    for (const wrong of ['', other.cookie, `${cookie.split('=')[0]}=${other.state}`]) {
      expect((await launch(state, token, wrong)).body).toContain('was not begun in this browser');
    }
  });

  it('without a signature, or with one that anybody can make, is refused', async () => {
    const attempt = async (make: (claims: Record<string, unknown>) => Promise<string> | string) => {
      const { state, nonce, cookie } = await login();
      const now = Math.floor(Date.now() / 1000);
      const standard = { iss: platform.address, aud: platform.clientId, iat: now, exp: now + 300 };
      return launch(state, await make({ ...platform.claims({ nonce, ...TARGET }), ...standard }), cookie);
    };
    const none = await attempt((claims) => new UnsecuredJWT(claims).encode());
    // HMAC with the platform's public key as the secret.
    const [key] = platform.keys;
    const publicKey = await importJWK(key?.jwk ?? {}, 'RS256', { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error('no public key');
    const pem = new TextEncoder().encode(await exportSPKI(publicKey));
    const hmac = await attempt((claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(pem),
    );
    // Another's key under the platform's key id.
    const stranger = await SimulatedPlatform.start(() => ownKeySet(store));
    const forged = await wholeLaunch({}, { key: stranger.keys[0], iss: platform.address });
    await stranger.stop();
    const changed = await attempt(async (claims) => {
      const [head, , signature] = (await platform.idToken({})).split('.');
      return [head, base64url.encode(JSON.stringify(claims)), signature].join('.');
    });
    for (const { statusCode, body } of [none, hmac, forged, changed]) {
      expect(body).toContain('not signed by the platform');
      expect(statusCode).toBe(400);
    }
    expect((await attempt(() => 'no token')).statusCode).toBe(400);
  });

  it.each([
    [{ iss: 'https://unknown.example.org' }, 'this platform is not registered here'],
    [{ client_id: 'tool-8' }, 'this platform is not registered here'],
    [{ target_link_uri: 'https://evil.example.org/' }, 'to another address'],
    [{ login_hint: '' }, 'is no login of a learning platform'],
  ])('does not begin: %o', async (more, sentence) => {
    const { reply } = await login(more);
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toContain(sentence);
  });
});

describe('the services of a platform', () => {
  const services = () => new PlatformServices(store, registered, { waitMs: 1 });

  it('list everybody in the course, over pages', async () => {
    const member = (user_id: string) => ({ user_id, roles: ['Learner'], name: user_id });
    const numbered = { ...member('b'), user_id: 2, name: null, email: null };
    platform.members = [[member('a'), numbered], [member('c')], [{ ...member('d'), status: 'Inactive' }]];
    const found = await services().members(`${platform.address}/members?page=0`);
    expect(found.map(({ user_id, status }) => `${user_id} ${status}`)).toEqual([
      'a Active',
      '2 Active',
      'c Active',
      'd Inactive',
    ]);
  });

  it('get each mark once, again when it changes, and in spite of faults that pass', async () => {
    await wholeLaunch();
    const link = launches[0]?.link;
    if (link === undefined) throw new Error('no launch');
    const room = await createRoom(store, { title: 'Monday', by: 'test' });
    const { learner } = await joinRoom(store, { room, displayName: 'Ada' });
    const assignment = await setAssignment(store, {
      roomId: room.id,
      chapter: '03-bert',
      title: 'BERT',
      open: true,
      by: 'test',
    });
    await store.db.update(ltiLinks).set({ roomId: room.id, assignmentId: assignment.id });
    await store.db.insert(ltiUsers).values({
      platformId: registered.id,
      sub: 'student-1',
      learnerId: learner.id,
      contextIds: ['course-1'],
    });
    const { id } = await handIn(store, {
      assignmentId: assignment.id,
      learnerId: learner.id,
      notebook: Buffer.from('1'),
    });
    const grade = async (score: number) => {
      const exercises = [{ id: 'bert/pooler', title: 'P', points: 10, score, verdict: 'fail' as const }];
      const report = {
        learner: 'Ada',
        file: 'x',
        chapter: '03-bert',
        seed: 's',
        verdict: 'fail' as const,
        score,
        points: 10,
        exercises,
      };
      await addGrading(store, { submissionId: id, report, graderVersion: '1', by: 'test' });
    };
    const pass = async () => (await passBack(store, link.id, services))[0];
    expect(await pass()).toMatchObject({ name: 'Ada', outcome: 'unmarked' });
    await grade(7.5);
    platform.failures = [503, 429];
    expect(await pass()).toMatchObject({ outcome: 'sent', points: 7.5, outOf: 10 });
    expect(platform.lineItems).toEqual([{ label: 'BERT', scoreMaximum: 10, resourceLinkId: 'link-1' }]);
    expect(platform.scores).toMatchObject([
      {
        url: '/lineitems/1/scores?course=1',
        body: {
          userId: 'student-1',
          scoreGiven: 7.5,
          scoreMaximum: 10,
          activityProgress: 'Completed',
          gradingProgress: 'FullyGraded',
        },
      },
    ]);
    expect(await pass()).toMatchObject({ outcome: 'unchanged' });
    await grade(9);
    platform.failures = [400];
    expect(await pass()).toMatchObject({
      learnerId: learner.id,
      outcome: 'failed',
      why: 'the platform refused (HTTP 400)',
    });
    expect(await pass()).toMatchObject({ outcome: 'sent' });
    expect(platform.lineItems).toHaveLength(1);
    expect(platform.scores.at(-1)?.body.scoreGiven).toBe(9);
  });

  it('are asked with a new token when the old one is refused', async () => {
    const asked = services();
    const send = () =>
      asked.sendScore(`${platform.address}/lineitems/1`, { sub: 's', points: 1, outOf: 2, at: new Date() });
    await send();
    const given = platform.tokensGiven;
    await send();
    expect(platform.tokensGiven).toBe(given);
    platform.forgetTokens();
    await send();
    expect(platform.tokensGiven).toBe(given + 1);
  });
});

describe('keys', () => {
  it('of a platform that is away are asked for in a minute, not taken for forged', async () => {
    const away = await SimulatedPlatform.start(() => ownKeySet(store));
    await registerPlatform(store, { ...away.registration, clientId: 'tool-away' }, 'test');
    const begun = await app.inject({
      url: '/lti/login',
      query: { iss: away.address, login_hint: 'u1', target_link_uri: `${ADDRESS}/rooms/1` },
    });
    const query = new URL(String(begun.headers.location)).searchParams;
    const nonce = query.get('nonce') ?? '';
    const token = await away.idToken({ nonce, ...TARGET }, { aud: 'tool-away' });
    away.keysAway = true;
    const cookie = String(begun.headers['set-cookie']).split(';')[0] ?? '';
    const { statusCode, body } = await launch(query.get('state') ?? '', token, cookie);
    await away.stop();
    expect(body).toContain('the keys of the platform cannot be fetched now');
    expect(statusCode).toBe(400);
  });

  it('of the platform may change: the new ones are fetched', { timeout: 120_000 }, async () => {
    await wholeLaunch();
    await platform.rotate();
    // The tool asks for keys at most every few seconds, so that a flood of forged key ids is no flood of requests.
    await expect
      .poll(async () => (await wholeLaunch()).statusCode, { timeout: 60_000, interval: 1000 })
      .toBe(302);
  });

  it('of ours hold no private part, and an old one is still shown after a new one', async () => {
    const before = await ownKeySet(store);
    await rotateKey(store);
    const { keys } = (await app.inject({ url: '/lti/keys' })).json();
    expect(keys).toHaveLength(before.keys.length + 1);
    expect(keys).toContainEqual(before.keys[0]);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });
});
