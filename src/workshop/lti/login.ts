/** The first step of a launch: the platform says that somebody comes, and is asked who (OpenID Connect third-party initiated login). */
import { lt } from 'drizzle-orm';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { hashToken, newToken } from '../store/names.ts';
import type { Store } from '../store/open.ts';
import { ltiLogins, ltiNonces } from '../store/schema.ts';
import { findPlatform } from './platforms.ts';

/** A login is answered within this time. */
export const LOGIN_MINUTES = 10;

const loginRequest = z.object({
  iss: z.string().min(1),
  login_hint: z.string().min(1),
  target_link_uri: z.url(),
  client_id: z.string().exactOptional(),
  lti_message_hint: z.string().exactOptional(),
  lti_deployment_id: z.string().exactOptional(),
});

export interface BegunLogin {
  /** Where the browser goes on. */
  readonly redirect: string;
  /** Belongs into a cookie of this browser: a launch counts only in the browser that began it. */
  readonly state: string;
}

/** @param launchUrl our address for launches, as registered. @throws InputError for a request that is no login of a registered platform */
export async function beginLogin(store: Store, parameters: unknown, launchUrl: string): Promise<BegunLogin> {
  const parsed = loginRequest.safeParse(parameters);
  if (!parsed.success)
    throw new InputError(
      'this is no login of a learning platform: iss, login_hint or target_link_uri is missing',
    );
  const { iss, client_id, login_hint, lti_message_hint, target_link_uri } = parsed.data;
  if (new URL(target_link_uri).origin !== new URL(launchUrl).origin) {
    throw new InputError('the platform wants to go to another address than this one (target_link_uri)');
  }
  const platform = await findPlatform(store, iss, client_id);
  const [state, nonce] = [newToken(), newToken()];
  const now = new Date();
  await store.db.delete(ltiLogins).where(lt(ltiLogins.expiresAt, now));
  await store.db.delete(ltiNonces).where(lt(ltiNonces.expiresAt, now));
  await store.db.insert(ltiLogins).values({
    stateHash: hashToken(state),
    platformId: platform.id,
    nonce,
    targetUrl: target_link_uri,
    expiresAt: new Date(now.getTime() + LOGIN_MINUTES * 60_000),
  });
  const redirect = new URL(platform.authUrl);
  const query = {
    scope: 'openid',
    response_type: 'id_token',
    response_mode: 'form_post',
    prompt: 'none',
    client_id: platform.clientId,
    redirect_uri: launchUrl,
    login_hint,
    state,
    nonce,
    ...(lti_message_hint === undefined ? {} : { lti_message_hint }),
  };
  for (const [name, value] of Object.entries(query)) redirect.searchParams.set(name, value);
  return { redirect: redirect.href, state };
}
