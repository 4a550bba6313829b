/**
 * Files of a hub's data sets. They lie in the cache of the models, each complete and verified as soon as it has its name:
 *
 *     <cache>/datasets/<owner>--<name>/<commit>/data/train-00000-of-00001.parquet
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HubApiError, listFiles } from '@huggingface/hub';
import { InputError } from '../errors.ts';
import { consoleProgress } from '../training/progress.ts';
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

export interface DatasetFileOptions extends Omit<HubOptions, 'revision'> {
  /** The commit, in full: what is computed from a data set should be so again next year. */
  revision: string;
  /** A file larger than this is refused before anything of it is fetched. */
  maxBytes: number;
}

/**
 * The path of one file of a hub's data set, fetched if it is not in the cache. What is in the cache needs no connection.
 * An interrupted download goes on where it stopped.
 *
 * @param id `owner/name`
 * @param path of the file in the repository
 * @throws InputError if there is no such file, it is too large, its checksum is wrong, or the hub cannot be reached.
 */
export async function downloadDatasetFile(
  id: string,
  path: string,
  options: DatasetFileOptions,
): Promise<string> {
  const { revision, maxBytes } = options;
  if (!isHubId(id)) throw new InputError(`${JSON.stringify(id)}: not a hub id, expected owner/name`);
  if (!COMMIT.test(revision))
    throw new InputError(`${id}: the revision must be a commit of 40 hexadecimal digits, got ${revision}`);
  if (path.split('/').some((part) => part === '' || part.startsWith('.')))
    throw new InputError(`${id}: ${JSON.stringify(path)} is not a path in a repository`);
  const { hub, cache } = connectionOf(options);
  const target = join(cache, 'datasets', id.replace('/', '--'), revision, path);
  if (await exists(target)) return target;
  const progress = options.progress ?? consoleProgress(id);
  try {
    const file = await listed(id, path, revision, hub);
    if (file.size > maxBytes) {
      throw new InputError(`${id}: ${path} has ${file.size} bytes, more than the ${maxBytes} allowed`);
    }
    await mkdir(dirname(target), { recursive: true });
    const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
    await fetchFile(file, target, remoteOf('dataset', id, revision, hub), (bytes) =>
      progress.report(megabytes(bytes), megabytes(file.size), `MB ${path}`),
    );
    return target;
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof HubApiError) throw refusal(error, 'data set', id, revision, hub.hubUrl);
    throw new InputError(`${id}: ${hub.hubUrl} cannot be reached (${reasonOf(error)})`);
  } finally {
    progress.end();
  }
}

/** The file as the hub lists it, with its size and checksum. */
async function listed(id: string, path: string, revision: string, hub: Hub): Promise<HubFile> {
  const folder = dirname(path);
  const repo = { type: 'dataset', name: id } as const;
  for await (const entry of listFiles({ repo, revision, ...(folder !== '.' && { path: folder }), ...hub })) {
    if (entry.type === 'file' && entry.path === path)
      return { path, size: entry.size, oid: entry.oid, lfs: entry.lfs };
  }
  throw new InputError(`${id}: has no file ${path} at ${revision}`);
}
