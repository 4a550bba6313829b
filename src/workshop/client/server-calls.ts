/** Requests from a learner's lab to the server of its room. */

import type { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';

/** The server answered, and said no. Trying again will not help. */
export class RefusedError extends InputError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The address of a server as a learner types it, with its protocol and without a path. @throws InputError */
export function serverAddress(text: string): string {
  const typed = text.trim();
  const withProtocol = /^https?:\/\//i.test(typed) ? typed : `http://${typed}`;
  let url: URL;
  try {
    url = new URL(withProtocol);
  } catch {
    throw new InputError(
      `'${text}' is not the address of a server; expected one like http://192.168.0.10:7788`,
    );
  }
  return url.origin;
}

export interface Call<T> {
  readonly server: string;
  readonly path: string;
  readonly token?: string;
  /** Sent as JSON, bytes as they are. */
  readonly body?: unknown;
  readonly reply: z.ZodType<T>;
  readonly timeout?: number;
}

/**
 * Posts to the server and reads its answer.
 * @throws RefusedError if the server says no, with its own sentence. @throws InputError if it cannot be reached.
 */
export async function post<T>({ server, path, token, body, reply, timeout = 10_000 }: Call<T>): Promise<T> {
  const bytes = body instanceof Uint8Array;
  let response: Response;
  try {
    response = await fetch(`${server}${path}`, {
      method: 'POST',
      headers: {
        'content-type': bytes ? 'application/x-ipynb+json' : 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: bytes ? Buffer.from(body) : JSON.stringify(body ?? {}),
      signal: AbortSignal.timeout(timeout),
      redirect: 'error',
    });
  } catch (error) {
    throw new InputError(`${server} cannot be reached (${reasonOf(error)})`);
  }
  const text = await response.text();
  if (!response.ok) throw new RefusedError(response.status, refusal(text, response.status, server));
  const parsed = reply.safeParse(parseJson(text));
  if (!parsed.success) throw new InputError(`${server} answered, but not as the lab's server does`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(text: string, status: number, server: string): string {
  const body = parseJson(text);
  const message: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'message') : undefined;
  return typeof message === 'string' ? message : `${server} answered with status ${status}`;
}

/** `fetch` hides the reason behind 'fetch failed'. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? code : messageOf(cause ?? error);
}
