/** What fetching models and fetching data sets have in common: which hub, which cache, and what can go wrong. */
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { downloadFile, type HubApiError } from '@huggingface/hub';
import { InputError, messageOf } from '../errors.ts';
import type { Progress } from '../training/progress.ts';
import type { OpenRemote } from './hub-file.ts';

export interface HubOptions {
  /** branch, tag or commit; `main` unless given */
  revision?: string | undefined;
  /** address of the hub; the environment's HF_ENDPOINT, else the public one */
  hubUrl?: string | undefined;
  /** where files are kept; the environment's LLM_LAB_CACHE, else ~/.cache/llm-lab */
  cacheDir?: string | undefined;
  /** for what is not public; the environment's HF_TOKEN unless given */
  accessToken?: string | undefined;
  /** shows how far it is; a bar on standard error unless given */
  progress?: Progress | undefined;
  /** take only what is in the cache; true unless given if the environment's HF_HUB_OFFLINE is 1 */
  offline?: boolean | undefined;
  /** give up when nothing has come for so many seconds; 30 unless given */
  patience?: number | undefined;
}

/** A hub, as the functions of `@huggingface/hub` take it. */
export interface Hub {
  hubUrl: string;
  accessToken?: string;
  fetch: typeof fetch;
}

export interface Connection {
  hub: Hub;
  /** The folder of the cache. */
  cache: string;
}

const PUBLIC_HUB = 'https://huggingface.co';

/** The whole of a commit's id. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a text can be a hub id: `name` or `owner/name`. */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !text.includes('..');
}

export function connectionOf(options: HubOptions): Connection {
  const accessToken = options.accessToken ?? process.env.HF_TOKEN;
  const offline = options.offline ?? process.env.HF_HUB_OFFLINE === '1';
  return {
    hub: {
      hubUrl: (options.hubUrl ?? process.env.HF_ENDPOINT ?? PUBLIC_HUB).replace(/\/+$/, ''),
      ...(accessToken && { accessToken }),
      fetch: offline ? refuseToFetch : impatientFetch(options.patience ?? 30),
    },
    cache: options.cacheDir ?? process.env.LLM_LAB_CACHE ?? join(homedir(), '.cache', 'llm-lab'),
  };
}

const refuseToFetch: typeof fetch = () => Promise.reject(new Error('offline by choice'));

/** `fetch` that gives up when nothing has come for so many seconds, neither the answer nor more of its bytes. */
function impatientFetch(seconds: number): typeof fetch {
  return async (input, init) => {
    const giveUp = new AbortController();
    const watch = (): NodeJS.Timeout =>
      setTimeout(() => giveUp.abort(new Error(`nothing came for ${seconds} seconds`)), 1000 * seconds);
    let timer = watch();
    const stop = (): void => clearTimeout(timer);
    const signal = init?.signal ? AbortSignal.any([init.signal, giveUp.signal]) : giveUp.signal;
    const response = await fetch(input, { ...init, signal }).catch((error: unknown) => {
      stop();
      throw error;
    });
    if (response.body === null) {
      stop();
      return response;
    }
    const watched = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, sink) {
          stop();
          timer = watch();
          sink.enqueue(bytes);
        },
        flush: stop,
        cancel: stop,
      }),
    );
    return new Response(watched, response);
  };
}

/** Opens files of one commit of a repository, as `fetchFile` wants it. */
export function remoteOf(type: 'model' | 'dataset', id: string, commit: string, hub: Hub): OpenRemote {
  return async ({ path }, start) => {
    const blob = await downloadFile({ repo: { type, name: id }, revision: commit, path, ...hub });
    if (blob === null) throw new InputError(`${id}: the hub lists ${path} but does not have it`);
    return (start > 0 ? blob.slice(start) : blob).stream();
  };
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** fetch says only "fetch failed"; why is in its cause. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error) || messageOf(error);
}

/** What a hub's refusal means. `what` is "model" or "data set". */
export function refusal(
  error: HubApiError,
  what: string,
  id: string,
  revision: string,
  hubUrl: string,
): InputError {
  const { statusCode } = error;
  // The hub answers 401 for what does not exist too, so as not to tell what is private.
  if (statusCode === 401 || statusCode === 403 || statusCode === 404) {
    return new InputError(
      `${id}: ${hubUrl} has no such ${what}, no revision ${JSON.stringify(revision)}, or wants a token (HF_TOKEN) for it (status ${statusCode})`,
    );
  }
  return new InputError(`${id}: ${hubUrl} answered with status ${statusCode}`);
}
