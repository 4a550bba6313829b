/** The server of a workshop: pages for instructors, an interface for learners' notebooks. */

import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { ZodError } from 'zod';
import { InputError } from '../../errors.ts';
import type { Person } from '../lti/people.ts';
import type { Store } from '../store/open.ts';
import type { Instructor } from './accounts.ts';
import { bookRoutes } from './book-routes.ts';
import type { ChapterEntry } from './course-catalogue.ts';
import { instructorRoutes } from './instructor-routes.ts';
import { learnerRoutes } from './learner-routes.ts';
import { linkRoutes } from './link-routes.ts';
import { LiveRooms } from './live-room.ts';
import { loginRoutes } from './login-routes.ts';
import { ltiRoutes } from './lti-routes.ts';
import { OneTimeKeys } from './one-time-keys.ts';
import { pageRoutes } from './page-routes.ts';
import { staffRoutes } from './staff-routes.ts';

export interface WorkshopOptions {
  readonly store: Store;
  readonly catalogue: readonly ChapterEntry[];
  /** Where learners reach the server, without a slash at its end. */
  readonly address: string;
  /** Whether a proxy in front says who asks and over what (`X-Forwarded-For`, `X-Forwarded-Proto`). Default false. */
  readonly trustProxy?: boolean;
  /** What went wrong inside, for the terminal. Never holds secrets, names or code. */
  readonly log?: (message: string) => void;
}

/** What the routes share. */
export interface Workshop {
  readonly store: Store;
  /** Where browsers reach the server, without a slash at its end. */
  readonly address: string;
  readonly catalogue: readonly ChapterEntry[];
  readonly rooms: LiveRooms;
  /** Links that log an instructor in. */
  readonly logins: OneTimeKeys<Instructor>;
  /** Links to learners' own pages. */
  readonly pages: OneTimeKeys<PageReader>;
  /** What a lab proves with that it belongs to a learner. */
  readonly labs: OneTimeKeys<number>;
  /** Links by which an instructor says who they are on a learning platform. */
  readonly claims: OneTimeKeys<Person & { readonly platformName: string }>;
}

export interface PageReader {
  readonly learner: number;
  /** Whether a learning platform said who it is: then the page may connect a lab. */
  readonly launched: boolean;
}

/** Ten minutes: from a terminal or a notebook to a browser. */
const LINK_LIFETIME = 600_000;
/** Of the small requests; a notebook that is handed in may be larger. */
const LARGEST_BODY = 6 * 1024 * 1024;

/** A refusal with its status. */
export class HttpError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Makes the server; `listen` starts it. `workshop.logins.give` makes a link for the person at the terminal. */
export async function createApp(
  options: WorkshopOptions,
): Promise<{ app: FastifyInstance; workshop: Workshop }> {
  const { store, catalogue, address, trustProxy = false, log = () => undefined } = options;
  const app = fastify({ bodyLimit: LARGEST_BODY, trustProxy, logger: false, forceCloseConnections: true });
  const rooms = new LiveRooms({ store, catalogue, address, log: (error) => log(reasonOf(error)) });
  const workshop: Workshop = {
    store,
    address,
    catalogue,
    rooms,
    logins: new OneTimeKeys(LINK_LIFETIME),
    pages: new OneTimeKeys(LINK_LIFETIME),
    labs: new OneTimeKeys(LINK_LIFETIME),
    claims: new OneTimeKeys(LINK_LIFETIME),
  };
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { status, message } = refusalOf(error);
    if (status >= 500) log(reasonOf(error));
    void reply.code(status).send({ message });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ message: 'There is nothing at this address.' }),
  );
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    // Learning platforms show what answers a launch in a frame.
    if (!request.url.startsWith('/lti/')) reply.header('x-frame-options', 'DENY');
    reply.header('cross-origin-opener-policy', 'same-origin');
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });
  // A classroom may share one address: the limit for all requests is wide, those for guessing are narrow (see the routes).
  await app.register(rateLimit, {
    global: true,
    max: 30_000,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { after }) =>
      new HttpError(429, `Too many requests; try again in ${after}.`),
  });
  await app.register(cookie);
  await app.register(learnerRoutes(workshop));
  await app.register(loginRoutes(workshop));
  await app.register(instructorRoutes(workshop));
  await app.register(bookRoutes(workshop));
  await app.register(staffRoutes(workshop));
  await app.register(linkRoutes(workshop));
  await app.register(ltiRoutes(workshop));
  await app.register(pageRoutes);
  // Streams never end by themselves: they are ended before the server waits for its connections.
  app.addHook('preClose', async () => rooms.close());
  return { app, workshop };
}

function refusalOf(error: FastifyError | Error): { status: number; message: string } {
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the request' : issue.path.join('.');
    return { status: 400, message: `${where}: ${issue?.message ?? 'is not as expected'}` };
  }
  if (error instanceof InputError) return { status: 409, message: error.message };
  const status: unknown = Reflect.get(error, 'statusCode');
  if (typeof status === 'number' && status >= 400 && status < 500) return { status, message: error.message };
  if (isDiskFull(error))
    return { status: 507, message: 'The disk of the server is full; what you sent is not kept there.' };
  return { status: 503, message: 'The server could not do this now; try again in a moment.' };
}

function isDiskFull(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code: unknown = Reflect.get(cause, 'code');
    // Of the file system, and of PostgreSQL (appendix A: disk_full).
    if (code === 'ENOSPC' || code === '53100') return true;
  }
  return false;
}

/** A query's own text holds its parameters, which may be a learner's code: only what the database said is told. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? `${cause.name}: ${cause.message.split('\n')[0]}` : 'an error that is none';
}
