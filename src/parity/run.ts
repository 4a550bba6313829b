/** Runs a parity folder: loads its model, runs it, and compares every output, gradient and generated id. */
import * as tf from '@tensorflow/tfjs-core';
import { namedValues } from '../checkpoints/parameters.ts';
import type { TensorData } from '../checkpoints/safetensors.ts';
import type { WeightLeaf } from '../checkpoints/weight-map.ts';
import { InputError } from '../errors.ts';
import type { Model, NamedTensors } from '../models/architecture.ts';
import { loadPretrained } from '../models/pretrained.ts';
import { camelCase, type ParityCase, readParityCase, tensorFrom } from './case.ts';
import { type Comparison, compare } from './compare.ts';

export interface ParityResult {
  folder: string;
  className: string;
  /** numbers in the model, a tied tensor counted once */
  parameters: number;
  ok: boolean;
  comparisons: Comparison[];
}

/**
 * Compares a folder's model with its reference.
 *
 * @throws InputError if the folder cannot be run: no such class, a malformed file, an unknown input.
 */
export async function runParity(folder: string): Promise<ParityResult> {
  const expected = await readParityCase(folder);
  const model = await loadPretrained(folder);
  try {
    const comparisons = [
      ...(await compareOutputs(model, expected)),
      ...(await compareGradients(model, expected)),
      ...(await compareGenerated(model, expected)),
    ];
    const parameters = model.weights().reduce((sum, [, tensor]) => sum + tensor.size, 0);
    const ok = comparisons.every((comparison) => comparison.ok);
    return { folder, className: model.className, parameters, ok, comparisons };
  } finally {
    model.dispose();
  }
}

/** The inputs of the forward pass as tensors, which the caller frees. */
function forwardInputs(model: Model, { inputs }: ParityCase): NamedTensors {
  const own = [...inputs].filter(([name]) => !name.startsWith('generate_'));
  for (const [name, data] of own) checkIds(name, data, model.config);
  return Object.fromEntries(own.map(([name, data]) => [camelCase(name), tensorFrom(data)]));
}

/** Ids outside of their table would be read from memory that is not the table's: not every backend checks. */
function checkIds(name: string, { values }: TensorData, config: unknown): void {
  const table = new Map([
    ['input_ids', 'vocab_size'],
    ['decoder_input_ids', 'vocab_size'],
    ['generate_input_ids', 'vocab_size'],
    ['token_type_ids', 'type_vocab_size'],
    ['position_ids', 'max_position_embeddings'],
  ]).get(name);
  if (table === undefined) return;
  const rows = new Map(Object.entries(config ?? {})).get(table);
  if (typeof rows !== 'number') return;
  const stray = values.find((id) => !(id >= 0 && id < rows));
  if (stray !== undefined) throw new InputError(`in.${name}: ${stray} is not in [0, ${table} = ${rows})`);
}

async function dataOf(tensor: tf.Tensor): Promise<TensorData> {
  const values = await tensor.data();
  return {
    shape: tensor.shape,
    values: tensor.dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
  };
}

function missing(name: string, { shape }: TensorData, reason: string): Comparison {
  return { name, ok: false, shape, maxError: null, reason };
}

async function compareOutputs(model: Model, expected: ParityCase): Promise<Comparison[]> {
  const wanted = [...expected.outputs].filter(([name]) => name !== 'generated_ids');
  if (wanted.length === 0) return [];
  const inputs = forwardInputs(model, expected);
  const outputs = tf.tidy(() => ({ ...model.forward(inputs) }));
  const comparisons: Comparison[] = [];
  for (const [name, data] of wanted) {
    const output = outputs[camelCase(name)];
    const fail = (): Comparison => missing(name, data, `${model.className} gave no such output`);
    comparisons.push(output ? compare(name, data, await dataOf(output)) : fail());
  }
  tf.dispose([inputs, outputs]);
  return comparisons;
}

async function compareGradients(model: Model, expected: ParityCase): Promise<Comparison[]> {
  if (expected.gradients.size === 0) return [];
  const inputs = forwardInputs(model, expected);
  const pairs = model.weights();
  const gradients = lossGradients(model, inputs, pairs);
  const named = await namedValues(gradients);
  tf.dispose([inputs, gradients.map(([, gradient]) => gradient)]);
  const comparisons: Comparison[] = [];
  for (const [name, data] of expected.gradients) {
    const got = named.get(name) ?? named.get(storedName(name, model) ?? '');
    const label = `grad.${name}`;
    comparisons.push(
      got ? compare(label, data, got) : missing(label, data, `${model.className} has no such parameter`),
    );
  }
  return comparisons;
}

/** The gradient of the loss by every tensor of the model; zero where the loss does not depend on it. */
function lossGradients(
  model: Model,
  inputs: NamedTensors,
  pairs: ReadonlyArray<readonly [WeightLeaf, tf.Tensor]>,
): Array<readonly [WeightLeaf, tf.Tensor]> {
  const tensors = pairs.map(([, tensor]) => tensor);
  const loss = (): tf.Tensor => {
    const { loss } = model.forward(inputs);
    if (loss === undefined) throw new InputError(`${model.className} gives no loss for these inputs`);
    return loss;
  };
  const gradients = tf.tidy(() => {
    // The engine's own call, because `tf.grads` refuses tensors that the loss does not reach.
    const { grads } = tf.engine().gradients(loss, tensors, undefined, true);
    return tensors.map((tensor, i) => grads[i] ?? tf.zerosLike(tensor));
  });
  return pairs.flatMap(([leaf], i) => {
    const gradient = gradients[i];
    return gradient ? [[leaf, gradient] as const] : [];
  });
}

/** The stored name of a tied tensor that has several. */
function storedName(name: string, model: Model): string | undefined {
  const leaf = model.leaves().find((l) => l.name === name || l.aliases?.includes(name));
  return leaf?.tiedTo ?? leaf?.name;
}

async function compareGenerated(
  model: Model,
  { generate, inputs, outputs }: ParityCase,
): Promise<Comparison[]> {
  const expected = outputs.get('generated_ids');
  const prompt = inputs.get('generate_input_ids');
  if (generate === undefined || expected === undefined || prompt === undefined) return [];
  if (model.generate === undefined)
    return [missing('generated_ids', expected, `${model.className} does not generate`)];
  checkIds('generate_input_ids', prompt, model.config);
  const mask = inputs.get('generate_attention_mask');
  const inputIds = tensorFrom(prompt);
  const attentionMask = mask && tensorFrom(mask);
  const rows = await model.generate({ inputIds, attentionMask }, generate);
  tf.dispose([inputIds, ...(attentionMask ? [attentionMask] : [])]);
  const got = { shape: [rows.length, rows[0]?.length ?? 0], values: Int32Array.from(rows.flat()) };
  return [compare('generated_ids', expected, got)];
}
