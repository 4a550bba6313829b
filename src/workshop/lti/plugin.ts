/** The addresses of LTI as a Fastify plugin: `/lti/login`, `/lti/launch`, `/lti/keys`. Who launches is told to the server that registers it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InputError } from '../../errors.ts';
import type { Store } from '../store/open.ts';
import { ownKeySet } from './keys.ts';
import { acceptLaunch, type Launch } from './launch.ts';
import { beginLogin, LOGIN_MINUTES } from './login.ts';

export interface LtiOptions {
  readonly store: Store;
  /** This server as browsers reach it, without a slash at its end. */
  readonly address: string;
  /** Somebody has come; answers the request, by a redirect as a rule. */
  readonly onLaunch: (launch: Launch, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

/** Sent in another site's frame, hence `SameSite=None`, which needs `Secure`; `Partitioned` where browsers keep foreign cookies apart. */
const COOKIE = 'lab_lti_state';
const LARGEST_FORM = 128 * 1024;

/** Registers the addresses; form bodies are read within them alone. */
export async function lti(app: FastifyInstance, { store, address, onLaunch }: LtiOptions): Promise<void> {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  const refuse = (reply: FastifyReply, error: unknown): FastifyReply => {
    if (!(error instanceof InputError)) throw error;
    return reply.code(400).type('text/plain; charset=utf-8').send(`${error.message}\n`);
  };

  const login = async (parameters: unknown, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      const { redirect, state } = await beginLogin(store, parameters, `${address}/lti/launch`);
      const secure = `Path=/lti; HttpOnly; Secure; SameSite=None; Partitioned; Max-Age=${LOGIN_MINUTES * 60}`;
      // A cookie for each login: two tabs do not disturb each other.
      return reply
        .header('set-cookie', `${COOKIE}_${state.slice(0, 12)}=${state}; ${secure}`)
        .redirect(redirect);
    } catch (error) {
      return refuse(reply, error);
    }
  };
  app.get('/lti/login', (request, reply) => login(request.query, reply));
  app.post('/lti/login', (request, reply) => login(request.body, reply));

  app.post('/lti/launch', async (request, reply) => {
    try {
      const idToken = field(request.body, 'id_token');
      const state = field(request.body, 'state');
      const cookie = state === undefined ? undefined : cookieOf(request, `${COOKIE}_${state.slice(0, 12)}`);
      return await onLaunch(await acceptLaunch(store, { idToken, state, cookie }), request, reply);
    } catch (error) {
      return refuse(reply, error);
    }
  });

  app.get('/lti/keys', async (_request, reply) =>
    reply.header('cache-control', 'max-age=300').send(await ownKeySet(store)),
  );
}

function field(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
