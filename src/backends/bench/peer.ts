/**
 * A program that `lab bench` starts for each backend: it is told a case on one line of standard input, does the work
 * once, and answers with the milliseconds it took on one line of standard output. pytorch_peer.py is its twin.
 */

import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../core/random.ts';
import { messageOf } from '../../errors.ts';
import type { Model } from '../../models/index.ts';
import { architectureOf } from '../../models/registry.ts';
import { adamW, namedVariables, type Optimizer, trainable } from '../../training/index.ts';
import { startBackend } from '../index.ts';
import { type BenchCase, benchCaseSchema } from './cases.ts';

interface Prepared {
  run: () => Promise<void>;
  dispose: () => void;
}

let current: { id: string; prepared: Prepared } | undefined;

/** Runs the case once and returns the milliseconds. Making the model is not part of it. */
async function measure(bench: BenchCase): Promise<number> {
  if (current?.id !== bench.id) {
    current?.prepared.dispose();
    current = { id: bench.id, prepared: prepare(bench) };
    await current.prepared.run(); // warms up: compiles, allocates
  }
  const start = performance.now();
  await current.prepared.run();
  return performance.now() - start;
}

function prepare(bench: BenchCase): Prepared {
  if (bench.work === 'matmul') return prepareMatMul(bench);
  const rng = createRng(bench.id);
  const model = architectureOf(bench.config, bench.className).create(bench.config, rng);
  const vocabulary = Number(bench.config?.vocab_size);
  const row = (): number[] => Array.from({ length: bench.length }, () => 3 + rng.integer(vocabulary - 3));
  const rows = Array.from({ length: bench.batch }, row);
  if (bench.work === 'decode') return prepareDecode(bench, model, rows);
  const ids = tf.tensor2d(rows, [bench.batch, bench.length], 'int32');
  return bench.work === 'forward' ? prepareForward(model, ids) : prepareStep(model, ids);
}

function prepareMatMul({ length }: BenchCase): Prepared {
  const rng = createRng(length);
  const matrix = (): tf.Tensor2D =>
    tf.tensor2d(Float32Array.from({ length: length ** 2 }, rng.normal), [length, length]);
  const [a, b] = [matrix(), matrix()];
  return {
    run: async () => finish(tf.tidy(() => tf.slice(tf.matMul(a, b), [0, 0], [1, 1]))),
    dispose: () => tf.dispose([a, b]),
  };
}

/** Waits until a tensor is computed, by reading it. */
async function finish(tensor: tf.Tensor): Promise<void> {
  await tensor.data();
  tensor.dispose();
}

function prepareForward(model: Model, ids: tf.Tensor): Prepared {
  const first = (): tf.Tensor => {
    const { logits } = model.forward(inputsOf(model, ids));
    if (logits === undefined) throw new Error(`${model.className} has no logits`);
    return tf.slice(tf.reshape(logits, [-1]), [0], [1]);
  };
  return {
    run: async () => finish(tf.tidy(first)),
    dispose: () => {
      model.dispose();
      ids.dispose();
    },
  };
}

function inputsOf(model: Model, ids: tf.Tensor, labels?: tf.Tensor): Record<string, tf.Tensor> {
  const needsDecoder = labels === undefined && (model.family === 'bart' || model.family === 't5');
  return { inputIds: ids, ...(labels && { labels }), ...(needsDecoder && { decoderInputIds: ids }) };
}

function prepareStep(drawn: Model, ids: tf.Tensor): Prepared {
  if (typeof drawn.params !== 'object' || drawn.params === null)
    throw new Error('the model has no parameters');
  const params = trainable(drawn.params);
  const model = drawn.withParameters(params);
  const variables = namedVariables(params);
  const optimizer: Optimizer = adamW();
  const lossOf = (): tf.Scalar => {
    const { loss } = model.forward(inputsOf(model, ids, ids));
    if (loss === undefined) throw new Error(`${model.className} has no loss`);
    return tf.reshape<tf.Rank.R0>(loss, []);
  };
  const step = (): tf.Tensor => {
    const { value, grads } = tf.variableGrads(lossOf, [...variables.values()]);
    const gradients = new Map<string, tf.Tensor>();
    for (const [name, variable] of variables) {
      const gradient = grads[variable.name];
      if (gradient) gradients.set(name, gradient);
    }
    optimizer.update(variables, gradients, 1e-3);
    return value;
  };
  return {
    run: async () => finish(tf.tidy(step)),
    dispose: () => {
      optimizer.dispose();
      model.dispose();
      drawn.dispose();
      ids.dispose();
    },
  };
}

function prepareDecode({ tokens = 1 }: BenchCase, model: Model, prompt: number[][]): Prepared {
  const options = { maxNewTokens: tokens, minNewTokens: tokens, doSample: false, numBeams: 1 };
  return {
    run: async () => {
      if (model.generate === undefined) throw new Error(`${model.className} does not generate`);
      await model.generate(
        { inputIds: prompt, attentionMask: prompt.map((row) => row.map(() => 1)) },
        options,
      );
    },
    dispose: () => model.dispose(),
  };
}

/** The most megabytes held so far: on a graphics card where the backend counts them, else of the process. */
function peakMegabytes(): number {
  const memory = tf.memory();
  if ('numBytesAllocatedInGPU' in memory) return Math.round(Number(memory.numBytesAllocatedInGPU) / 2 ** 20);
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

const info = await startBackend(process.argv[2]);
console.log(JSON.stringify({ ready: `${info.name} on ${info.device}` }));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const ms = await measure(benchCaseSchema.parse(JSON.parse(line)));
    console.log(JSON.stringify({ ms, tensors: tf.memory().numTensors, peak: peakMegabytes() }));
  } catch (error) {
    console.log(JSON.stringify({ error: messageOf(error) }));
  }
}
