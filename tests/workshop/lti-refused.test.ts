/** What is no launch, and what a frame of another site gets to see, over HTTP. */
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownKeySet } from '../../src/workshop/lti/keys.ts';
import { learnersOf } from '../../src/workshop/store/learners.ts';
import { SimulatedPlatform } from './lti-platform.ts';
import { CLAIM, LtiSetting } from './lti-setting.ts';
import { Visitor } from './lti-visitor.ts';

let lti: LtiSetting;
beforeAll(async () => {
  lti = await LtiSetting.open(true);
}, 600_000);
afterAll(() => lti.close(), 120_000);

describe('what is no launch', () => {
  type Form = Awaited<ReturnType<Visitor['begin']>>;
  const claims = (nonce: string) => ({
    ...lti.platform.claims({
      nonce,
      sub: 'intruder',
      name: 'Mallory',
      [`${CLAIM}target_link_uri`]: `${lti.tool}/lti/launch`,
    }),
    iss: lti.platform.address,
    aud: lti.platform.clientId,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 300,
  });
  const signed = (nonce: string, options: Parameters<SimulatedPlatform['idToken']>[1], more = {}) =>
    lti.platform.idToken({ ...claims(nonce), iss: undefined, ...more }, options);
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
        const key = await importJWK(lti.platform.keys[0]?.jwk ?? {}, 'RS256', { extractable: true });
        if (key instanceof Uint8Array) throw new Error('no public key');
        const secret = new TextEncoder().encode(await exportSPKI(key));
        return new SignJWT(claims(nonce)).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
      },
      'not signed by the platform',
    ],
    [
      'signed with another’s key under the platform’s name',
      async ({ nonce }) => {
        const stranger = await SimulatedPlatform.start(() => ownKeySet(lti.store));
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
    const before = await learnersOf(lti.store, lti.room.id);
    const visitor = new Visitor();
    const form = await visitor.begin(lti.at('ada'));
    const reply = await visitor.submit(form.action, await make(form), form.state);
    expect(await reply.text()).toContain(sentence);
    expect(reply.status).toBe(400);
    expect(await learnersOf(lti.store, lti.room.id)).toEqual(before);
  });

  it('is a launch that was used, whoever sends it again', async () => {
    const visitor = new Visitor();
    const { action, idToken, state } = await visitor.begin(lti.at('ada'));
    expect((await visitor.submit(action, idToken, state)).status).toBe(200);
    const replayed = await visitor.submit(action, idToken, state);
    expect(replayed.status).toBe(400);
    expect(await replayed.text()).toContain('was used already');
    // With the state of a new login the token still answers the old one.
    const next = await visitor.begin(lti.at('ada'));
    expect(await (await visitor.submit(action, idToken, next.state)).text()).toContain(
      'answers another login',
    );
  });

  it('is another’s launch that a browser is made to send: it did not begin it', async () => {
    const attacker = await new Visitor().begin(lti.at('bob'));
    const victim = new Visitor();
    const own = await victim.begin(lti.at('ada'));
    const forged = await victim.submit(attacker.action, attacker.idToken, attacker.state);
    expect(forged.status).toBe(400);
    expect(await forged.text()).toContain('was not begun in this browser');
    // The victim's own launch is not disturbed by it.
    expect((await victim.submit(own.action, own.idToken, own.state)).status).toBe(200);
  });

  it('is a login of a platform that is not registered, or one that leads elsewhere', async () => {
    const ask = (query: Record<string, string>) =>
      new Visitor().ask(`${lti.tool}/lti/login?${new URLSearchParams(query)}`);
    const good = { iss: lti.platform.address, login_hint: 'ada', target_link_uri: `${lti.tool}/lti/launch` };
    expect((await ask({ ...good, iss: 'https://evil.example.org' })).status).toBe(400);
    expect((await ask({ ...good, target_link_uri: 'https://evil.example.org/' })).status).toBe(400);
    expect((await ask(good)).status).toBe(302);
  });
});

describe('in the frame of a platform', () => {
  it('the cookie of the login reaches the launch, and is of no use elsewhere', async () => {
    const visitor = new Visitor();
    await visitor.begin(lti.at('ada'));
    const [cookie] = visitor.cookies;
    expect(cookie?.text).toMatch(/; HttpOnly; Secure; SameSite=None; Partitioned/);
    expect(cookie?.path).toBe('/lti');
  });

  it('only what answers a launch is shown; it runs no script, and opens a window of its own', async () => {
    const reply = await new Visitor().launch(lti.at('ada'));
    expect(reply.headers.get('x-frame-options')).toBeNull();
    expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(await reply.text()).toMatch(
      /<a href="\/me#key=[\w-]+" target="_blank" rel="noopener noreferrer">/,
    );
    for (const path of ['/me', '/login', '/dashboard']) {
      const page = await new Visitor().ask(`${lti.tool}${path}`);
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('names and titles are text', async () => {
    const title = '<img src=x>';
    const link = { [`${CLAIM}resource_link`]: { id: 'link-1', title } };
    lti.platform.people.set('odd', { sub: 'student-5', name: `${title}\u202e`, email: undefined, ...link });
    const page = await (await new Visitor().launch(lti.at('odd'))).text();
    expect(page).toContain('&#60;img src=x&#62;');
    expect(page).not.toContain('<img');
    expect(await (await lti.learnerPage('odd')).progress()).toMatchObject({ name: title });
  });
});
