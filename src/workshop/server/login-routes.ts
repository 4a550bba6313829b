/** Instructors' logins: beginning and ending one, and what every request of an instructor is held to. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { tieInstructor } from '../lti/people.ts';
import type { Store } from '../store/open.ts';
import { beginSession, type Deed, endSession, may, type Session, sessionOf, whoIs } from './accounts.ts';
import { HttpError, type Workshop } from './app.ts';
import { sameText } from './secrets.ts';

const COOKIE = 'lab_instructor';
/** Passwords: slow enough for guessers, whatever they know of the names. */
const GUESSES = { rateLimit: { max: 10, timeWindow: '1 minute' } };

const text = (longest: number) => z.string().trim().min(1).max(longest);

/**
 * Whose login a request comes with.
 * @throws HttpError 401 without one, 403 if it is a change without the login's token or the role does not allow the deed
 */
export async function sessionFor(store: Store, request: FastifyRequest, deed: Deed): Promise<Session> {
  const token = request.cookies[COOKIE];
  const found = token === undefined ? undefined : await sessionOf(store, token);
  if (found === undefined) throw new HttpError(401, 'Log in first.');
  if (request.method !== 'GET' && !sameText(String(request.headers['x-csrf-token'] ?? ''), found.csrf)) {
    throw new HttpError(403, 'This request did not come from the page of this server; load the page anew.');
  }
  if (!may(found.role, deed)) throw new HttpError(403, `Your role, ${found.role}, does not allow this.`);
  return found;
}

const OLD_LAUNCH = 'This was used or is too old; open the link on your learning platform again.';

export function loginRoutes({ store, logins, claims }: Workshop) {
  return async (app: FastifyInstance): Promise<void> => {
    app.post('/api/login', { config: GUESSES }, async (request, reply) => {
      const given = z
        .union([
          z.strictObject({ key: z.string().max(100) }),
          z.strictObject({
            name: text(200),
            password: z.string().max(200),
            claim: z.string().max(100).optional(),
          }),
        ])
        .parse(request.body);
      const who = 'key' in given ? logins.take(given.key) : await whoIs(store, given.name, given.password);
      if (who === undefined) {
        throw new HttpError(
          401,
          'key' in given
            ? 'This link was used or is too old; the terminal of the server shows how to make a new one.'
            : 'No instructor has this name and password.',
        );
      }
      if ('claim' in given && given.claim !== undefined) {
        const person = claims.take(given.claim);
        if (person === undefined) throw new HttpError(401, OLD_LAUNCH);
        await tieInstructor(store, person, who);
      }
      reply.setCookie(COOKIE, await beginSession(store, who), {
        path: '/api',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
      });
      return { name: who.name };
    });

    // Shown before the password is asked for: whom the login is going to let in from now on.
    app.post('/api/login/claim', { config: GUESSES }, async (request) => {
      const { key } = z.strictObject({ key: z.string().max(100) }).parse(request.body);
      const person = claims.look(key);
      if (person === undefined) throw new HttpError(401, OLD_LAUNCH);
      return { name: person.name ?? null, platform: person.platformName };
    });

    app.post('/api/logout', async (request, reply) => {
      await sessionFor(store, request, 'look');
      await endSession(store, request.cookies[COOKIE] ?? '');
      reply.clearCookie(COOKIE, { path: '/api' });
      return {};
    });

    app.get('/api/me', async (request) => {
      const { name, role, csrf } = await sessionFor(store, request, 'look');
      return { name, role, csrf };
    });
  };
}
