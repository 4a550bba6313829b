/**
 * Models from a Hugging Face hub. What was fetched once stays in a cache and is found there without a connection.
 *
 *     <cache>/<owner>--<name>/refs/<revision>       the commit that a branch or tag pointed to
 *     <cache>/<owner>--<name>/<commit>/config.json  … and the other files
 *     <cache>/<owner>--<name>/<commit>/.complete    all of them are there
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { InputError } from '../errors.ts';
import { consoleProgress, type Progress } from '../training/progress.ts';
import { INDEX_FILE, WEIGHTS_FILE } from './checkpoint.ts';
import {
  COMMIT,
  connectionOf,
  exists,
  type Hub,
  type HubOptions,
  isHubId,
  reasonOf,
  refusal,
  remoteOf,
} from './hub-connection.ts';
import { fetchFile, type HubFile } from './hub-file.ts';

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
  const { hub, cache } = connectionOf(options);
  const home = join(cache, id.replace('/', '--'));
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
    if (error instanceof HubApiError) throw refusal(error, 'model', id, revision, hub.hubUrl);
    const cached = await cachedFolder(home, reference, revision);
    if (cached !== undefined) return cached;
    throw new InputError(
      `${id}: ${hub.hubUrl} cannot be reached (${reasonOf(error)}) and the model is not in ${cache}; ` +
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
  const openRemote = remoteOf('model', id, commit, hub);
  let before = 0;
  try {
    for (const file of files) {
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
