/** A learning platform as far as a tool can see it: keys, tokens, a gradebook and a list of members. */
import Fastify, { type FastifyInstance } from 'fastify';
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { Registration } from '../../src/workshop/lti/platforms.ts';

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
export const INSTRUCTOR = 'http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor';
export const LEARNER = 'http://purl.imsglobal.org/vocab/lis/v2/membership#Learner';

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function newKey(kid: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

export class SimulatedPlatform {
  readonly clientId = 'tool-7';
  readonly deploymentId = 'deployment-1';
  /** Of scores that were posted, in order. */
  readonly scores: { readonly url: string; readonly body: Record<string, unknown> }[] = [];
  readonly lineItems: Record<string, unknown>[] = [];
  members: unknown[][] = [];
  /** Who logs in under a hint, in the claims that differ from Ada's. */
  readonly people = new Map<string, Record<string, unknown>>();
  /** Status codes with which the next requests for the gradebook are answered. */
  failures: number[] = [];
  /** Of whom no score is taken. */
  readonly refused = new Set<string>();
  /** Whether the key set is answered with an error. */
  keysAway = false;
  tokensGiven = 0;
  keys: Key[] = [];
  #address = '';
  readonly #app: FastifyInstance = Fastify();
  readonly #toolKeys: () => Promise<{ keys: JWK[] }>;
  #tokens = new Map<string, string>();

  private constructor(toolKeys: () => Promise<{ keys: JWK[] }>) {
    this.#toolKeys = toolKeys;
  }

  static async start(toolKeys: () => Promise<{ keys: JWK[] }>): Promise<SimulatedPlatform> {
    const platform = new SimulatedPlatform(toolKeys);
    platform.keys = [await newKey('first')];
    platform.#serve();
    platform.#address = await platform.#app.listen({ port: 0, host: '127.0.0.1' });
    return platform;
  }

  get address(): string {
    return this.#address;
  }

  get registration(): Registration {
    const at = (path: string): string => `${this.#address}${path}`;
    const { clientId, deploymentId } = this;
    const urls = { authUrl: at('/auth'), tokenUrl: at('/token'), jwksUrl: at('/keys') };
    return { name: 'Campus', issuer: this.#address, clientId, deploymentId, ...urls };
  }

  /** New keys from now on; the old ones are gone. */
  async rotate(): Promise<void> {
    this.keys = [await newKey('second')];
  }

  forgetTokens(): void {
    this.#tokens = new Map();
  }

  /** Where a link of the course leads: the tool's login, with somebody's hint. */
  course(tool: string, hint: string, resource = 'link-1'): string {
    const query = {
      iss: this.#address,
      login_hint: hint,
      target_link_uri: `${tool}/lti/launch`,
      client_id: this.clientId,
      lti_message_hint: resource,
    };
    return `${tool}/lti/login?${new URLSearchParams(query)}`;
  }

  claims(more: Record<string, unknown>): Record<string, unknown> {
    return {
      sub: 'student-1',
      name: 'Ada Byron',
      email: 'ada@example.org',
      [`${CLAIM}message_type`]: 'LtiResourceLinkRequest',
      [`${CLAIM}version`]: '1.3.0',
      [`${CLAIM}deployment_id`]: this.deploymentId,
      [`${CLAIM}roles`]: [LEARNER],
      [`${CLAIM}resource_link`]: { id: 'link-1', title: 'BERT' },
      [`${CLAIM}context`]: { id: 'course-1' },
      'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint': {
        scope: [
          'https://purl.imsglobal.org/spec/lti-ags/scope/lineitem',
          'https://purl.imsglobal.org/spec/lti-ags/scope/score',
        ],
        lineitems: `${this.#address}/lineitems`,
      },
      'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice': {
        context_memberships_url: `${this.#address}/members?page=0`,
      },
      ...more,
    };
  }

  /** An id token as this platform makes it; what is given takes the place of what is right. */
  async idToken(
    claims: Record<string, unknown>,
    {
      key = this.keys[0],
      iss = this.#address,
      aud = this.clientId,
      issuedAt = Math.floor(Date.now() / 1000),
      seconds = 300,
    }: {
      readonly key?: Key | undefined;
      readonly iss?: string;
      readonly aud?: string | string[];
      readonly issuedAt?: number;
      readonly seconds?: number;
    } = {},
  ): Promise<string> {
    if (key === undefined) throw new Error('no key');
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg: 'RS256', kid: key.kid })
      .setIssuer(iss)
      .setAudience(aud)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + seconds)
      .sign(key.privateKey);
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }

  #serve(): void {
    const app = this.#app;
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    app.addContentTypeParser(/^application\/vnd\.ims\./, { parseAs: 'string' }, (_, body, done) =>
      done(null, JSON.parse(String(body))),
    );
    app.get<{ Querystring: { tool: string; hint: string } }>('/course', async ({ query }, reply) =>
      reply
        .type('text/html')
        .send(
          `<!doctype html><title>Course</title><link rel="icon" href="data:,"><h1>Course</h1><iframe title="tool" width="900" height="500" src="${this.course(query.tool, query.hint).replaceAll('&', '&amp;')}"></iframe>`,
        ),
    );
    // Somebody is logged in: the answer is a form that sends itself to the tool (OAuth 2.0 form post response mode).
    app.get<{ Querystring: Record<string, string> }>('/auth', async ({ query }, reply) => {
      const { client_id, redirect_uri = '', nonce, state = '', login_hint = '', lti_message_hint } = query;
      const person = this.people.get(login_hint);
      if (client_id !== this.clientId || person === undefined) return reply.code(400).send();
      const token = await this.idToken({
        nonce,
        [`${CLAIM}target_link_uri`]: redirect_uri,
        [`${CLAIM}resource_link`]: { id: lti_message_hint, title: 'BERT in the course' },
        ...person,
      });
      return reply
        .type('text/html')
        .send(
          `<form method="post" action="${redirect_uri}"><input type="hidden" name="id_token" value="${token}"><input type="hidden" name="state" value="${state}"></form><script>document.forms[0].submit()</script>`,
        );
    });
    app.get('/keys', async (_request, reply) =>
      this.keysAway ? reply.code(500).send() : { keys: this.keys.map(({ jwk }) => jwk) },
    );
    app.post<{ Body: Record<string, string> }>('/token', async ({ body }, reply) => {
      const keys = createLocalJWKSet(await this.#toolKeys());
      const { payload } = await jwtVerify(body.client_assertion ?? '', keys, {
        issuer: this.clientId,
        subject: this.clientId,
        audience: `${this.#address}/token`,
        requiredClaims: ['jti', 'exp', 'iat'],
      });
      if (body.grant_type !== 'client_credentials' || payload.jti === undefined)
        return reply.code(400).send();
      const token = `token-${++this.tokensGiven}`;
      this.#tokens.set(token, body.scope ?? '');
      return { access_token: token, token_type: 'Bearer', expires_in: 3600, scope: body.scope };
    });
    const allowed = (authorization: string | undefined, scope: string): boolean =>
      this.#tokens.get(authorization?.replace('Bearer ', '') ?? '')?.endsWith(scope) === true;
    app.get('/lineitems', async ({ headers }, reply) => {
      if (!allowed(headers.authorization, 'scope/lineitem')) return reply.code(401).send();
      // All of them: a platform may leave the filtering to the tool.
      return this.lineItems.map((item, i) => ({
        ...item,
        id: `${this.#address}/lineitems/${i + 1}?course=1`,
      }));
    });
    app.post<{ Body: Record<string, unknown> }>('/lineitems', async ({ headers, body }, reply) => {
      if (!allowed(headers.authorization, 'scope/lineitem')) return reply.code(401).send();
      this.lineItems.push(body);
      return { ...body, id: `${this.#address}/lineitems/${this.lineItems.length}?course=1` };
    });
    app.post<{ Body: Record<string, unknown> }>(
      '/lineitems/:id/scores',
      async ({ headers, body, url }, reply) => {
        if (!allowed(headers.authorization, 'scope/score')) return reply.code(401).send();
        const failure = this.failures.shift();
        if (failure !== undefined) return reply.code(failure).send();
        if (this.refused.has(String(body.userId))) return reply.code(400).send();
        this.scores.push({ url, body });
        return reply.code(204).send();
      },
    );
    app.get<{ Querystring: { page: string } }>('/members', async ({ headers, query }, reply) => {
      if (!allowed(headers.authorization, 'contextmembership.readonly')) return reply.code(401).send();
      const page = Number(query.page);
      if (page + 1 < this.members.length)
        reply.header('link', `<${this.#address}/members?page=${page + 1}>; rel="next"`);
      return { id: 'x', context: { id: 'course-1' }, members: this.members[page] ?? [] };
    });
  }
}
