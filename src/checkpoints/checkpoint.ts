/** A model's weights on disk: one safetensors file, or several with an index that says which tensor is where. */
import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { parseWith, readJsonObject } from './json.ts';
import {
  openSafetensors,
  readTensor,
  type SafetensorsFile,
  type TensorData,
  type TensorEntry,
} from './safetensors.ts';

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** Named tensors, read when asked for. */
export interface Checkpoint {
  /** what to call it in messages */
  source: string;
  entries: ReadonlyMap<string, TensorEntry>;
  read(name: string): Promise<TensorData>;
}

const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string(), 'expected the file of every tensor'),
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Opens the weights in a folder.
 *
 * @throws InputError if there are none, or if a file or the index is wrong.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const single = join(folder, WEIGHTS_FILE);
  if (await exists(single)) return checkpointOf(single, [await openSafetensors(single)]);
  const index = join(folder, INDEX_FILE);
  if (!(await exists(index)))
    throw new InputError(`${folder}: neither ${WEIGHTS_FILE} nor ${INDEX_FILE} is there`);
  const { weight_map } = parseWith(indexSchema, await readJsonObject(index), index);
  const files = new Map<string, SafetensorsFile>();
  for (const [name, file] of Object.entries(weight_map)) {
    if (file !== basename(file) || file === '..' || file === '.') {
      throw new InputError(
        `${index}: ${JSON.stringify(name)} is said to be in ${JSON.stringify(file)}, not a file name`,
      );
    }
    const shard = files.get(file) ?? (await openSafetensors(join(folder, file)));
    files.set(file, shard);
    if (!shard.entries.has(name))
      throw new InputError(`${shard.path}: lacks ${JSON.stringify(name)}, promised by ${index}`);
  }
  return checkpointOf(index, [...files.values()]);
}

/** Several files as one set of tensors. @throws InputError if two files hold the same tensor. */
export function checkpointOf(source: string, files: readonly SafetensorsFile[]): Checkpoint {
  const home = new Map<string, SafetensorsFile>();
  const entries = new Map<string, TensorEntry>();
  for (const file of files) {
    for (const [name, entry] of file.entries) {
      const other = home.get(name);
      if (other)
        throw new InputError(`${source}: ${JSON.stringify(name)} is in ${other.path} and in ${file.path}`);
      home.set(name, file);
      entries.set(name, entry);
    }
  }
  const read = async (name: string): Promise<TensorData> => {
    const file = home.get(name);
    if (file === undefined) throw new InputError(`${source}: tensor ${JSON.stringify(name)} is missing`);
    return readTensor(file, name);
  };
  return { source, entries, read };
}
