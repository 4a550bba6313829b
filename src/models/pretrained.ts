/** The one way in: a model from a folder or from a hub. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../checkpoints/checkpoint.ts';
import { downloadModel, type HubOptions, isHubId } from '../checkpoints/hub.ts';
import { readJsonObject } from '../checkpoints/json.ts';
import { InputError, messageOf } from '../errors.ts';
import { type GenerationOptions, parseGenerationOptions } from '../generation/options.ts';
import type { Model, ModelOptions } from './architecture.ts';
import { architectureOf } from './registry.ts';

export interface PretrainedOptions extends ModelOptions {
  /** the class to load the weights into, if not the one that config.json names */
  className?: string | undefined;
}

/**
 * Loads a model from a folder or, if there is none of that name, from a hub. The class comes from config.json.
 *
 * @param source path of a folder, or a hub id such as `google-bert/bert-base-uncased`
 * @throws InputError naming the file and what is wrong with it, or why the hub cannot give it.
 */
export async function loadPretrained(
  source: string,
  options: PretrainedOptions & HubOptions = {},
): Promise<Model> {
  const info = await stat(source).catch(() => undefined);
  if (info !== undefined) return loadFolder(source, options);
  if (!isHubId(source)) throw new InputError(`${source}: no such folder, and not a hub id (owner/name)`);
  return loadFolder(await downloadModel(source, options), options);
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
    const generation = options.generation ?? (await readGenerationConfig(folder));
    const architecture = architectureOf(json, options.className);
    architecture.parseConfig(json); // what is wrong with it is said before the weights are looked at
    return await architecture.load(json, await openCheckpoint(folder), { ...options, generation });
  } catch (error) {
    // Families speak of config.json without knowing which.
    if (!(error instanceof InputError) || !messageOf(error).startsWith('config.json: ')) throw error;
    throw new InputError(messageOf(error).replace('config.json', config));
  }
}

/** What `generation_config.json` says, where there is one. */
async function readGenerationConfig(folder: string): Promise<GenerationOptions | undefined> {
  const path = join(folder, 'generation_config.json');
  const info = await stat(path).catch(() => undefined);
  return info ? parseGenerationOptions(await readJsonObject(path), path) : undefined;
}
