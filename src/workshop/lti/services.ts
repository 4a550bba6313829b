/** What this tool asks of a platform: a column in its gradebook (AGS 2.0), scores in it, and who is in the course (NRPS 2.0). */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { Store } from '../store/open.ts';
import { ALGORITHM, signingKey } from './keys.ts';
import type { Platform } from './platforms.ts';

export const SCOPES = {
  lineItems: 'https://purl.imsglobal.org/spec/lti-ags/scope/lineitem',
  scores: 'https://purl.imsglobal.org/spec/lti-ags/scope/score',
  members: 'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly',
} as const;

/** A platform that did not do what it was asked, with the reason in a sentence. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  /** Of HTTP; undefined where there was no answer. */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 15_000;
const TRIES = 4;
const LONGEST_WAIT_MS = 30_000;

export interface ServiceOptions {
  /** Wait before the first repetition, doubled each time; 1 s unless given. */
  readonly waitMs?: number;
}

/** Talks to one platform; keeps its access tokens until shortly before they expire. */
export class PlatformServices {
  readonly #store: Store;
  readonly #platform: Platform;
  readonly #waitMs: number;
  readonly #tokens = new Map<string, { token: string; until: number }>();
  /** Under way: several requests at once wait for one token. */
  readonly #asked = new Map<string, Promise<string>>();

  constructor(store: Store, platform: Platform, { waitMs = 1000 }: ServiceOptions = {}) {
    this.#store = store;
    this.#platform = platform;
    this.#waitMs = waitMs;
  }

  /** The column that this tool made for a link before, if it did. @returns its address */
  async findLineItem(lineItemsUrl: string, resourceLinkId: string): Promise<string | undefined> {
    const url = new URL(lineItemsUrl);
    url.searchParams.set('resource_link_id', resourceLinkId);
    const answer = await this.#ask(url.href, SCOPES.lineItems, {
      method: 'GET',
      type: 'application/vnd.ims.lis.v2.lineitemcontainer+json',
    });
    // A platform that does not filter is filtered for.
    return lineItemList.parse(await answer.json()).find((one) => one.resourceLinkId === resourceLinkId)?.id;
  }

  /** Makes a column in the gradebook of the course. @returns its address */
  async createLineItem(
    lineItemsUrl: string,
    item: { readonly label: string; readonly outOf: number; readonly resourceLinkId: string },
  ): Promise<string> {
    const answer = await this.#ask(lineItemsUrl, SCOPES.lineItems, {
      method: 'POST',
      type: 'application/vnd.ims.lis.v2.lineitem+json',
      body: { label: item.label, scoreMaximum: item.outOf, resourceLinkId: item.resourceLinkId },
    });
    return z.object({ id: z.url() }).parse(await answer.json()).id;
  }

  /** Sets a learner's score. The platform takes the one with the latest `at`, so that sending it again changes nothing. */
  async sendScore(
    lineItemUrl: string,
    score: {
      readonly sub: string;
      readonly points: number;
      readonly outOf: number;
      readonly comment?: string;
      readonly at: Date;
    },
  ): Promise<void> {
    // The address may carry a query, which stays behind the path (AGS 2.0, section 3.4.4).
    const url = new URL(lineItemUrl);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/scores`;
    await this.#ask(url.href, SCOPES.scores, {
      method: 'POST',
      type: 'application/vnd.ims.lis.v1.score+json',
      body: {
        userId: score.sub,
        scoreGiven: score.points,
        scoreMaximum: score.outOf,
        timestamp: score.at.toISOString(),
        activityProgress: 'Completed',
        gradingProgress: 'FullyGraded',
        ...(score.comment === undefined ? {} : { comment: score.comment }),
      },
    });
  }

  /** Everybody in the course, page by page. */
  async members(membershipsUrl: string): Promise<Member[]> {
    const found: Member[] = [];
    const seen = new Set<string>();
    for (let next: string | undefined = membershipsUrl; next !== undefined && !seen.has(next); ) {
      seen.add(next);
      const answer = await this.#ask(next, SCOPES.members, {
        method: 'GET',
        type: 'application/vnd.ims.lti-nrps.v2.membershipcontainer+json',
      });
      found.push(...memberPage.parse(await answer.json()).members);
      next = nextPage(answer.headers.get('link'), next);
    }
    return found;
  }

  async #ask(
    url: string,
    scope: string,
    { method, type, body }: { method: 'GET' | 'POST'; type: string; body?: object },
  ): Promise<Response> {
    const init = async (): Promise<RequestInit> => ({
      method,
      headers: {
        authorization: `Bearer ${await this.#token(scope)}`,
        ...(body === undefined ? { accept: type } : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return this.#send(url, init, scope);
  }

  /** Tries again what may pass: no answer, too many requests, a fault of the platform; with a new token, once, what was refused. */
  async #send(url: string, init: () => Promise<RequestInit>, scope?: string): Promise<Response> {
    let renewed = false;
    for (let tries = 1; ; tries++) {
      let answer: Response;
      try {
        answer = await fetch(url, {
          ...(await init()),
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch (error) {
        if (error instanceof PlatformError) throw error;
        if (tries >= TRIES) throw new PlatformError(`the platform does not answer: ${messageOf(error)}`);
        await sleep(this.#waitMs * 2 ** (tries - 1));
        continue;
      }
      if (answer.ok) return answer;
      await answer.body?.cancel();
      if (answer.status === 401 && scope !== undefined && !renewed) {
        renewed = true;
        this.#tokens.delete(scope);
        continue;
      }
      if ((answer.status !== 429 && answer.status < 500) || tries >= TRIES) {
        throw new PlatformError(`the platform refused (HTTP ${answer.status})`, answer.status);
      }
      const asked = Number(answer.headers.get('retry-after') ?? 0) * 1000;
      await sleep(Math.min(Math.max(this.#waitMs * 2 ** (tries - 1), asked || 0), LONGEST_WAIT_MS));
    }
  }

  async #token(scope: string): Promise<string> {
    const known = this.#tokens.get(scope);
    if (known !== undefined && known.until > Date.now()) return known.token;
    let asked = this.#asked.get(scope);
    if (asked === undefined) {
      asked = this.#newToken(scope).finally(() => this.#asked.delete(scope));
      this.#asked.set(scope, asked);
    }
    return asked;
  }

  /** OAuth 2 client credentials with a signed assertion (RFC 7523), as the 1EdTech Security Framework wants it. */
  async #newToken(scope: string): Promise<string> {
    const { clientId, tokenUrl, audience } = this.#platform;
    const answer = await this.#send(tokenUrl, async () => {
      const { kid, key } = await signingKey(this.#store);
      const assertion = await new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience ?? tokenUrl)
        .setIssuedAt()
        .setExpirationTime('5 minutes')
        .setJti(randomUUID())
        .sign(key);
      return {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
          scope,
        }),
      };
    });
    const { access_token, expires_in } = accessToken.parse(await answer.json());
    this.#tokens.set(scope, { token: access_token, until: Date.now() + (expires_in - 30) * 1000 });
    return access_token;
  }
}

const lineItemList = z.array(z.object({ id: z.url(), resourceLinkId: z.string().nullish() }));

const accessToken = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().default(60) });

const memberPage = z.object({
  members: z.array(
    z.object({
      user_id: z.union([z.string(), z.number()]).transform(String),
      status: z
        .enum(['Active', 'Inactive', 'Deleted'])
        .nullish()
        .transform((status) => status ?? 'Active'),
      name: z
        .string()
        .nullish()
        .transform((name) => name ?? undefined),
      email: z
        .string()
        .nullish()
        .transform((email) => email ?? undefined),
      roles: z.array(z.string()),
    }),
  ),
});
export type Member = z.infer<typeof memberPage>['members'][number];

/** Whether one of the roles is that of a learner in the course; short names are allowed (NRPS 2.0, section 2.1). */
export function isLearner(roles: readonly string[]): boolean {
  return roles.some(
    (role) => role === 'Learner' || /\/membership#Learner$|\/membership\/Learner#/.test(role),
  );
}

/** Only on the same host: our token goes nowhere else. */
function nextPage(header: string | null, from: string): string | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(header ?? '') ?? [];
  if (target === undefined) return undefined;
  const next = new URL(target, from);
  return next.origin === new URL(from).origin ? next.href : undefined;
}
