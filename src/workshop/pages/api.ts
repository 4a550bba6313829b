/** Requests of the pages to their own server. */

/** What the server said when it said no, to be shown as it is. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Sent with every change, so that another site cannot make one in an instructor's name. Given at login. */
let csrf = '';

export function useCsrf(token: string): void {
  csrf = token;
}

/**
 * Asks the server.
 * @throws Refusal with the server's sentence, or with one of ours if it cannot be reached (status 0).
 */
export async function ask<T>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' ? {} : { 'x-csrf-token': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'same-origin',
    });
  } catch {
    throw new Refusal(0, 'The server does not answer. Is it still running?');
  }
  const text = await response.text();
  const reply: unknown = text === '' ? undefined : parse(text);
  if (response.ok) return reply as T;
  const message: unknown =
    typeof reply === 'object' && reply !== null ? Reflect.get(reply, 'message') : undefined;
  throw new Refusal(
    response.status,
    typeof message === 'string' ? message : `The server answered with status ${response.status}.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
