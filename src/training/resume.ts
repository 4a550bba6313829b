/** Writing a training run down, and going on with it in another process. */

import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors, readTensor, type TensorData, writeSafetensors } from '../checkpoints/index.ts';
import { InputError } from '../errors.ts';
import type { Optimizer, OptimizerState } from './optimizer.ts';
import { namedVariables } from './parameters.ts';

const [PARAMETER, FIRST, SECOND] = ['parameter.', 'first.', 'second.'];

/**
 * Writes the variables and what the optimiser remembers into one safetensors file, whole or not at all. Call it
 * between two calls of `train`.
 */
export async function saveTraining(path: string, params: object, optimizer: Optimizer): Promise<void> {
  const tensors = new Map<string, TensorData>();
  for (const [name, variable] of namedVariables(params)) {
    tensors.set(PARAMETER + name, {
      shape: variable.shape,
      values: Float32Array.from(await variable.data()),
    });
  }
  const { step, moments } = await optimizer.state();
  for (const [name, { shape, first, second }] of Object.entries(moments)) {
    tensors.set(FIRST + name, { shape, values: first });
    tensors.set(SECOND + name, { shape, values: second });
  }
  await writeSafetensors(path, tensors, { step: String(step) });
}

/**
 * Sets variables and optimiser to what `saveTraining` wrote: `train` with the same arguments then goes on as if it had
 * never stopped. Throws an InputError, and changes nothing, if the file is not of a run with these parameters.
 */
export async function resumeTraining(path: string, params: object, optimizer: Optimizer): Promise<void> {
  const file = await openSafetensors(path);
  const variables = namedVariables(params);
  const step = Number(file.metadata.get('step'));
  if (!file.metadata.has('step') || !Number.isInteger(step) || step < 0) {
    throw new InputError(`${path}: not a training run: its metadata has no number of steps`);
  }
  const known = new Set(
    [...variables.keys()].flatMap((name) => [PARAMETER + name, FIRST + name, SECOND + name]),
  );
  for (const name of file.entries.keys()) {
    if (!known.has(name))
      throw new InputError(`${path}: the run has ${name}, but there is no such parameter`);
  }
  const read = async (name: string, shape: readonly number[]): Promise<Float32Array<ArrayBuffer>> => {
    const data = await readTensor(file, name);
    if (data.shape.join() !== shape.join()) {
      throw new InputError(`${path}: ${name} is [${data.shape}], but the parameter is [${shape}]`);
    }
    return Float32Array.from(data.values);
  };
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  const state: OptimizerState = { step, moments: {} };
  for (const [name, { shape }] of variables) {
    values.set(name, await read(PARAMETER + name, shape));
    // A parameter that never had a gradient has no moments.
    if (!file.entries.has(FIRST + name)) continue;
    const [first, second] = [await read(FIRST + name, shape), await read(SECOND + name, shape)];
    state.moments[name] = { shape: [...shape], first, second };
  }
  tf.tidy(() => {
    for (const [name, variable] of variables) {
      variable.assign(tf.tensor(values.get(name) ?? new Float32Array(), variable.shape));
    }
  });
  optimizer.restore(state);
}
