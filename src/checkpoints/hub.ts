/**
 * Models from a Hugging Face hub. What was fetched once stays in a cache and is found there without a connection.
 *
 *     <cache>/<owner>--<name>/refs/<revision>       the commit that a branch or tag pointed to
 *     <cache>/<owner>--<name>/<commit>/config.json  … and the other files
 *     <cache>/<owner>--<name>/<commit>/.complete    all of them are there
 */
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { downloadFile, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { InputError, messageOf } from '../errors.ts';
import { consoleProgress, type Progress } from '../training/progress.ts';
import { INDEX_FILE, WEIGHTS_FILE } from './checkpoint.ts';
import { fetchFile, type HubFile } from './hub-file.ts';

export interface HubOptions {
  /** branch, tag or commit; `main` unless given */
  revision?: string | undefined;
  /** address of the hub; the environment's HF_ENDPOINT, else the public one */
  hubUrl?: string | undefined;
  /** where files are kept; the environment's LLM_LAB_CACHE, else ~/.cache/llm-lab */
  cacheDir?: string | undefined;
  /** for models that are not public; the environment's HF_TOKEN unless given */
  accessToken?: string | undefined;
  /** shows how far it is; a bar on standard error unless given */
  progress?: Progress | undefined;
}

const PUBLIC_HUB = 'https://huggingface.co';
const COMMIT = /^[0-9a-f]{40}$/;
/** What a model needs besides its weights. */
const SMALL_FILES = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
]);

/** Whether a text can be a hub id: `name` or `owner/name`. */
export function isHubId(text: string): boolean {
  return /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(text) && !text.includes('..');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The folder of a hub's model, fetched if it is not in the cache. An interrupted download goes on where it stopped.
 *
 * @param id `owner/name`
 * @throws InputError if there is no such model, it has no safetensors, a checksum is wrong, or there is no connection and
 * the cache does not have it.
 */
export async function downloadModel(id: string, options: HubOptions = {}): Promise<string> {
  if (!isHubId(id)) throw new InputError(`${JSON.stringify(id)}: not a hub id, expected owner/name`);
  const { revision = 'main', progress } = options;
  const hubUrl = (options.hubUrl ?? process.env.HF_ENDPOINT ?? PUBLIC_HUB).replace(/\/+$/, '');
  const accessToken = options.accessToken ?? process.env.HF_TOKEN;
  const cache = options.cacheDir ?? process.env.LLM_LAB_CACHE ?? join(homedir(), '.cache', 'llm-lab');
  const home = join(cache, id.replace('/', '--'));
  const hub = { hubUrl, ...(accessToken && { accessToken }) };
  const reference = join(home, 'refs', encodeURIComponent(revision));
  try {
    const commit = COMMIT.test(revision) ? revision : await commitOf(id, revision, hub);
    const folder = join(home, commit);
    if (!(await exists(join(folder, '.complete')))) {
      await mkdir(folder, { recursive: true });
      await fetchFiles(id, commit, folder, hub, progress ?? consoleProgress(id));
      await writeFile(join(folder, '.complete'), '');
    }
    await mkdir(join(home, 'refs'), { recursive: true });
    await writeFile(reference, commit);
    return folder;
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof HubApiError) throw refusal(error, id, revision, hubUrl);
    const cached = await cachedFolder(home, reference, revision);
    if (cached !== undefined) return cached;
    throw new InputError(
      `${id}: ${hubUrl} cannot be reached (${reasonOf(error)}) and the model is not in ${cache}; ` +
        'connect and try again (a download goes on where it stopped), or give the path of a folder',
    );
  }
}

async function cachedFolder(home: string, reference: string, revision: string): Promise<string | undefined> {
  const known = COMMIT.test(revision) ? revision : (await readFile(reference, 'utf8').catch(() => '')).trim();
  if (!COMMIT.test(known)) return undefined;
  const folder = join(home, known);
  return (await exists(join(folder, '.complete'))) ? folder : undefined;
}

/** fetch says only "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error) || messageOf(error);
}

function refusal(error: HubApiError, id: string, revision: string, hubUrl: string): InputError {
  const { statusCode } = error;
  // The hub answers 401 for what does not exist too, so as not to tell what is private.
  if (statusCode === 401 || statusCode === 403 || statusCode === 404) {
    return new InputError(
      `${id}: ${hubUrl} has no such model, no revision ${JSON.stringify(revision)}, or wants a token (HF_TOKEN) for it (status ${statusCode})`,
    );
  }
  return new InputError(`${id}: ${hubUrl} answered with status ${statusCode}`);
}

interface Hub {
  hubUrl: string;
  accessToken?: string;
}

async function commitOf(name: string, revision: string, hub: Hub): Promise<string> {
  const { sha } = await modelInfo({ name, revision, additionalFields: ['sha'], ...hub });
  if (typeof sha !== 'string' || !COMMIT.test(sha)) throw new InputError(`${name}: the hub names no commit`);
  return sha;
}

async function fetchFiles(
  id: string,
  commit: string,
  folder: string,
  hub: Hub,
  progress: Progress,
): Promise<void> {
  const repo = { type: 'model', name: id } as const;
  const listed: HubFile[] = [];
  for await (const entry of listFiles({ repo, revision: commit, ...hub })) {
    if (entry.type === 'file')
      listed.push({ path: entry.path, size: entry.size, oid: entry.oid, lfs: entry.lfs });
  }
  const files = wanted(listed, id);
  const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  try {
    for (const file of files) {
      const openRemote = async ({ path }: HubFile, start: number): Promise<ReadableStream<Uint8Array>> => {
        const blob = await downloadFile({ repo, revision: commit, path, ...hub });
        if (blob === null) throw new InputError(`${id}: the hub lists ${path} but does not have it`);
        return (start > 0 ? blob.slice(start) : blob).stream();
      };
      await fetchFile(file, join(folder, file.path), openRemote, (bytes) =>
        progress.report(megabytes(before + bytes), megabytes(total), `MB ${file.path}`),
      );
      before += file.size;
    }
  } finally {
    progress.end();
  }
}

/** The files to fetch: the small ones first, then one file of weights or all shards. Files in subfolders are left. */
function wanted(files: readonly HubFile[], id: string): HubFile[] {
  const small = files.filter(({ path }) => SMALL_FILES.has(path));
  if (!small.some(({ path }) => path === 'config.json')) throw new InputError(`${id}: has no config.json`);
  const single = files.filter(({ path }) => path === WEIGHTS_FILE);
  if (single.length > 0) return [...small, ...single];
  const index = files.filter(({ path }) => path === INDEX_FILE);
  const shards = files.filter(({ path }) => /^model-[\w-]+\.safetensors$/.test(path));
  if (index.length > 0 && shards.length > 0) return [...small, ...index, ...shards];
  throw new InputError(`${id}: has no ${WEIGHTS_FILE}: models in other formats cannot be loaded`);
}
