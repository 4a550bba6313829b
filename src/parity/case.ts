/**
 * Parity folders: a tiny model with inputs and the outputs that the reference implementation gave for them. Beside
 * config.json and model.safetensors lies parity.safetensors with `in.<argument>`, `out.<name>` and
 * `grad.<parameter>`; its metadata may ask for generation.
 */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { parseJsonObject } from '../checkpoints/json.ts';
import {
  openSafetensors,
  readTensor,
  type SafetensorsFile,
  type TensorData,
} from '../checkpoints/safetensors.ts';
import { InputError } from '../errors.ts';
import { type GenerationOptions, parseGenerationOptions } from '../generation/options.ts';

export const PARITY_FILE = 'parity.safetensors';

/** What a parity file holds. Names are without `in.`, `out.` and `grad.`, in Hugging Face's spelling. */
export interface ParityCase {
  inputs: ReadonlyMap<string, TensorData>;
  outputs: ReadonlyMap<string, TensorData>;
  gradients: ReadonlyMap<string, TensorData>;
  /** how `out.generated_ids` was made from `in.generate_input_ids` */
  generate?: GenerationOptions;
}

async function section(file: SafetensorsFile, prefix: string): Promise<Map<string, TensorData>> {
  const tensors = new Map<string, TensorData>();
  for (const name of file.entries.keys()) {
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), await readTensor(file, name));
  }
  return tensors;
}

/** Reads the parity file of a folder. @throws InputError if it is malformed or compares nothing. */
export async function readParityCase(folder: string): Promise<ParityCase> {
  const file = await openSafetensors(join(folder, PARITY_FILE));
  const stray = [...file.entries.keys()].find((name) => !/^(in|out|grad)\../.test(name));
  if (stray !== undefined) throw new InputError(`${file.path}: ${stray} is neither in.…, out.… nor grad.…`);
  const inputs = await section(file, 'in.');
  const outputs = await section(file, 'out.');
  const gradients = await section(file, 'grad.');
  if (outputs.size === 0) throw new InputError(`${file.path}: holds no out.… to compare with`);
  if (gradients.size > 0 && !outputs.has('loss'))
    throw new InputError(`${file.path}: has grad.… but no out.loss`);
  const settings = file.metadata.get('generate');
  if (settings === undefined) {
    if (!outputs.has('generated_ids')) return { inputs, outputs, gradients };
    throw new InputError(`${file.path}: has out.generated_ids, but its metadata has no "generate"`);
  }
  const source = `${file.path}: metadata "generate"`;
  const generate = parseGenerationOptions(parseJsonObject(settings, source), source);
  if (!inputs.has('generate_input_ids'))
    throw new InputError(`${file.path}: in.generate_input_ids is missing`);
  if (!outputs.has('generated_ids')) throw new InputError(`${file.path}: out.generated_ids is missing`);
  return { inputs, outputs, gradients, generate };
}

/** `last_hidden_state` → `lastHiddenState` */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A tensor of the data: int32 for integers, else float32. The caller owns it. */
export function tensorFrom({ shape, values }: TensorData): tf.Tensor {
  return tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32');
}
