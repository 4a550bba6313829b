/** The one way in: a model from a folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../checkpoints/checkpoint.ts';
import { readJsonObject } from '../checkpoints/json.ts';
import type { LoadOptions } from '../checkpoints/parameters.ts';
import { InputError, messageOf } from '../errors.ts';
import type { Model } from './architecture.ts';
import { architectureOf } from './registry.ts';

export interface PretrainedOptions extends LoadOptions {
  /** the class to load the weights into, if not the one that config.json names */
  className?: string | undefined;
}

/**
 * Loads a model as transformers saves it: config.json beside model.safetensors, or beside its shards and their index.
 *
 * @throws InputError naming the file and what is wrong with it.
 */
export async function loadFolder(folder: string, options: PretrainedOptions = {}): Promise<Model> {
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new InputError(`${folder}: not a folder`);
  const config = join(folder, 'config.json');
  const json = await readJsonObject(config);
  try {
    return await architectureOf(json, options.className).load(json, await openCheckpoint(folder), options);
  } catch (error) {
    // Families speak of config.json without knowing which.
    if (!(error instanceof InputError) || !messageOf(error).startsWith('config.json: ')) throw error;
    throw new InputError(messageOf(error).replace('config.json', config));
  }
}
