/** The second step of a launch: the platform's signed word on who comes from where is believed, or refused. */
import { and, eq } from 'drizzle-orm';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { hashToken } from '../store/names.ts';
import type { Store } from '../store/open.ts';
import { ltiDeployments, ltiLinks, ltiLogins, ltiNonces, ltiPlatforms } from '../store/schema.ts';
import { ALGORITHM } from './keys.ts';
import { type Platform, serviceAddress } from './platforms.ts';

/** Clocks of platforms may be off by so much. */
const CLOCK_SECONDS = 60;
/** A token that is older was not made for this launch. */
const OLDEST_TOKEN = '10 minutes';

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
/** Platforms write what they do not know as null, or leave it out. */
const text = z.string().nullish();
const identifier = z.union([z.string(), z.number()]).transform(String).pipe(z.string().min(1).max(255));
const claims = z.object({
  sub: identifier,
  aud: z.union([z.string(), z.array(z.string())]),
  azp: text,
  exp: z.number(),
  nonce: z.string().min(1),
  name: text,
  email: text,
  [`${CLAIM}message_type`]: z.literal('LtiResourceLinkRequest'),
  [`${CLAIM}version`]: z.literal('1.3.0'),
  [`${CLAIM}deployment_id`]: identifier,
  [`${CLAIM}target_link_uri`]: z.url(),
  [`${CLAIM}roles`]: z.array(z.string()),
  [`${CLAIM}resource_link`]: z.object({ id: identifier, title: text }),
  [`${CLAIM}context`]: z.object({ id: identifier }).nullish(),
  [`${CLAIM}custom`]: z.record(z.string(), z.unknown()).nullish(),
  'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint': z
    .object({
      scope: z.array(z.string()),
      lineitems: serviceAddress.nullish(),
      lineitem: serviceAddress.nullish(),
    })
    .nullish(),
  'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice': z
    .object({ context_memberships_url: serviceAddress })
    .nullish(),
});

export interface Launch {
  readonly platform: Platform;
  readonly link: typeof ltiLinks.$inferSelect;
  /** Who it is on the platform; the same at every launch. */
  readonly sub: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly role: 'instructor' | 'learner';
  /** Parameters that stand beside the link on the platform, for example `chapter`. */
  readonly custom: Readonly<Record<string, string>>;
  readonly targetUrl: string;
}

const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** A platform's keys, fetched once and again when a token names one that is not among them. */
function keysOf({ jwksUrl }: Platform): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(jwksUrl);
  if (known !== undefined) return known;
  const keys = createRemoteJWKSet(new URL(jwksUrl), { cooldownDuration: 5000, timeoutDuration: 10_000 });
  keySets.set(jwksUrl, keys);
  return keys;
}

/**
 * Believes a launch, once. @param given.cookie the state that was put into this browser's cookie
 * @throws InputError, in a sentence that says nothing of keys or tokens, for everything else
 */
export async function acceptLaunch(
  store: Store,
  given: { readonly idToken: unknown; readonly state: unknown; readonly cookie: string | undefined },
): Promise<Launch> {
  const { idToken, state, cookie } = given;
  if (typeof idToken !== 'string' || typeof state !== 'string')
    throw new InputError('the platform sent no launch');
  if (cookie === undefined || hashToken(cookie) !== hashToken(state)) {
    throw new InputError(
      'this launch was not begun in this browser; allow its cookies and open the link again',
    );
  }
  // Taken away at once: a state serves one launch, also one that fails.
  const [login] = await store.db
    .delete(ltiLogins)
    .where(eq(ltiLogins.stateHash, hashToken(state)))
    .returning();
  if (login === undefined || login.expiresAt < new Date()) {
    throw new InputError('this launch was used already or took too long; open the link again');
  }
  const [platform] = await store.db.select().from(ltiPlatforms).where(eq(ltiPlatforms.id, login.platformId));
  if (platform === undefined) throw new InputError('this platform is not registered here');
  const found = await verified(idToken, platform);
  if (found.nonce !== login.nonce) throw new InputError('the launch answers another login (nonce)');
  await useNonce(store, platform, found.nonce, found.exp);
  const parties = typeof found.aud === 'string' ? [found.aud] : found.aud;
  if ((parties.length > 1 || found.azp != null) && found.azp !== platform.clientId) {
    throw new InputError('the launch was made for another tool (azp)');
  }
  if (found[`${CLAIM}target_link_uri`] !== login.targetUrl) {
    throw new InputError('the launch goes to another place than its login (target_link_uri)');
  }
  const [deployment] = await store.db
    .select()
    .from(ltiDeployments)
    .where(
      and(
        eq(ltiDeployments.platformId, platform.id),
        eq(ltiDeployments.deploymentId, found[`${CLAIM}deployment_id`]),
      ),
    );
  if (deployment === undefined)
    throw new InputError('this deployment of the platform is not registered here');
  const { id: resourceLinkId, title } = found[`${CLAIM}resource_link`];
  const grades = found['https://purl.imsglobal.org/spec/lti-ags/claim/endpoint'];
  const members = found['https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice'];
  const services = {
    contextId: found[`${CLAIM}context`]?.id ?? null,
    title: title ?? null,
    lineItemsUrl: grades?.lineitems ?? null,
    // A column that was made for the link later on stays known.
    ...(grades?.lineitem == null ? {} : { lineItemUrl: grades.lineitem }),
    scopes: grades?.scope ?? [],
    membershipsUrl: members?.context_memberships_url ?? null,
    lastLaunchAt: new Date(),
  };
  const [link] = await store.db
    .insert(ltiLinks)
    .values({ deploymentId: deployment.id, resourceLinkId, ...services })
    .onConflictDoUpdate({ target: [ltiLinks.deploymentId, ltiLinks.resourceLinkId], set: services })
    .returning();
  if (link === undefined) throw new Error('the link was not kept');
  const { sub, name, email } = found;
  return {
    platform,
    link,
    sub,
    name: name ?? undefined,
    email: email ?? undefined,
    role: roleOf(found[`${CLAIM}roles`]),
    custom: Object.fromEntries(
      Object.entries(found[`${CLAIM}custom`] ?? {}).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value]] : [],
      ),
    ),
    targetUrl: login.targetUrl,
  };
}

async function verified(idToken: string, platform: Platform): Promise<z.infer<typeof claims>> {
  try {
    const { payload } = await jwtVerify(idToken, keysOf(platform), {
      // Neither `none` nor a shared secret: nobody but the platform has the key.
      algorithms: [ALGORITHM],
      issuer: platform.issuer,
      audience: platform.clientId,
      clockTolerance: CLOCK_SECONDS,
      maxTokenAge: OLDEST_TOKEN,
      requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
    });
    const parsed = claims.safeParse(payload);
    if (parsed.success) return parsed.data;
    const claim = String(parsed.error.issues[0]?.path[0] ?? '').replace(CLAIM, '');
    throw new InputError(`the launch is not as LTI 1.3 wants it (${claim})`);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof errors.JWTExpired)
      throw new InputError('the launch has expired; open the link again');
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new InputError(`the launch was not made for this tool (${error.claim})`);
    if (isAway(error))
      throw new InputError('the keys of the platform cannot be fetched now; try again in a minute');
    throw new InputError('the launch is not signed by the platform');
  }
}

/** Whether the platform's keys did not come: no answer, an error instead of them, or something that is none. */
function isAway(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC')
  );
}

/** Kept until no token with it can be valid. @throws InputError if it was used before */
async function useNonce({ db }: Store, { id }: Platform, nonce: string, exp: number): Promise<void> {
  const expiresAt = new Date((exp + CLOCK_SECONDS) * 1000);
  const [used] = await db
    .insert(ltiNonces)
    .values({ platformId: id, nonce, expiresAt })
    .onConflictDoNothing()
    .returning();
  if (used === undefined) throw new InputError('this launch was used already (nonce)');
}

/** Roles in the course alone: who administers the institution does not teach this course. */
function roleOf(roles: readonly string[]): Launch['role'] {
  const teaching = /\/membership#(?:Instructor|ContentDeveloper|Administrator)$|\/membership\/Instructor#/;
  return roles.some((role) => teaching.test(role)) ? 'instructor' : 'learner';
}
