/** The one way in: a model from a folder or from a hub. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../checkpoints/checkpoint.ts';
import { downloadModel } from '../checkpoints/hub.ts';
import { type HubOptions, isHubId } from '../checkpoints/hub-connection.ts';
import { readJsonObject } from '../checkpoints/json.ts';
import { InputError, messageOf } from '../errors.ts';
import { type GenerationOptions, parseGenerationOptions } from '../generation/options.ts';
import type { Architecture, Model, ModelOptions, NamedTensors, RunOptions } from './architecture.ts';
import { architectureOf } from './registry.ts';

/** The class to load the weights into, if not the one that config.json names: `BertModel`, `BertForMaskedLM`, … */
interface ChosenClass<C, P, O extends NamedTensors, X> {
  architecture: Architecture<C, P, O, X>;
}

/**
 * Loads a model from a folder or, if there is none of that name, from a hub. The class comes from config.json; with
 * `architecture` it is the one given, and the model's parameters, outputs and components have its types.
 *
 * @param source path of a folder, or a hub id such as `google-bert/bert-base-uncased`
 * @throws InputError naming the file and what is wrong with it, or why the hub cannot give it.
 */
export function loadPretrained<C, P, O extends NamedTensors, X>(
  source: string,
  options: ModelOptions & HubOptions & ChosenClass<C, P, O, X>,
): Promise<Model<C, P, O, X>>;
export function loadPretrained(source: string, options?: ModelOptions & HubOptions): Promise<Model>;
export async function loadPretrained(
  source: string,
  options: ModelOptions & HubOptions & Partial<ChosenClass<unknown, unknown, NamedTensors, RunOptions>> = {},
): Promise<Model> {
  const info = await stat(source).catch(() => undefined);
  if (info === undefined && !isHubId(source)) {
    throw new InputError(`${source}: no such folder, and not a hub id (owner/name)`);
  }
  return loadFolder(info ? source : await downloadModel(source, options), options);
}

/**
 * Loads a model as transformers saves it: config.json beside model.safetensors, or beside its shards and their index.
 */
async function loadFolder(
  folder: string,
  options: ModelOptions & Partial<ChosenClass<unknown, unknown, NamedTensors, RunOptions>>,
): Promise<Model> {
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new InputError(`${folder}: not a folder`);
  const config = join(folder, 'config.json');
  const json = await readJsonObject(config);
  try {
    const generation = options.generation ?? (await readGenerationConfig(folder));
    const architecture = options.architecture ?? architectureOf(json);
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
