import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { probeBackends, startBackend } from '../../src/backends/index.ts';
import { InputError } from '../../src/errors.ts';
import {
  adamW,
  cloneParameters,
  decaysByName,
  disposeParameters,
  linearSchedule,
  namedTensors,
  parameterCount,
  resumeTraining,
  type StepReport,
  saveTraining,
  train,
  trainable,
} from '../../src/training/index.ts';

const numbers = z.array(z.number());
const Reference = z.object({
  adamW: z.array(
    z.object({
      options: z.object({
        lr: z.number(),
        betas: z.tuple([z.number(), z.number()]),
        eps: z.number(),
        weight_decay: z.number(),
      }),
      clip: z.number().nullable(),
      accumulate: z.number(),
      losses: numbers,
      norms: numbers,
      snapshots: z.record(z.string(), z.record(z.string(), numbers)),
    }),
  ),
});
const file = new URL('./fixtures/reference.json', import.meta.url);
const reference = Reference.parse(JSON.parse(await readFile(file, 'utf8')));

/** The parameters, and the moving target, of generate.py. */
const SHAPES = { dense: { weight: [3, 4], bias: [3] }, layerNorm: { weight: [5] }, unused: { weight: [2] } };
function parameters() {
  const one = (shape: number[]): tf.Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(
      Array.from({ length: size }, (_, i) => -1 + (3 * i) / (size - 1)),
      shape,
    );
  };
  return trainable({
    dense: { weight: one(SHAPES.dense.weight), bias: one(SHAPES.dense.bias) },
    layerNorm: { weight: one(SHAPES.layerNorm.weight) },
    unused: { weight: one(SHAPES.unused.weight) },
  });
}
type Parameters = ReturnType<typeof parameters>;

function movingLoss(params: Parameters, moment: number): tf.Tensor {
  const terms = [...namedTensors(params)].flatMap(([name, parameter]) => {
    if (name === 'unused.weight') return [];
    const values = Array.from(
      { length: parameter.size },
      (_, i) => ((7 * i + 13 * moment + name.length) % 29) / 10 - 1.4,
    );
    return [tf.sum(tf.mul(0.1, tf.pow(tf.sub(parameter, tf.tensor(values, parameter.shape)), 4)))];
  });
  return tf.addN(terms);
}
const moments = Array.from({ length: 1000 }, (_, moment) => moment);

async function valuesOf(params: object): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {};
  for (const [name, tensor] of namedTensors(params)) values[name] = Array.from(await tensor.data());
  return values;
}

const backends = (await probeBackends()).filter(({ available }) => available).map(({ name }) => name);

describe.each(backends)('training on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(reference.adamW)(
    'follows torch.optim.AdamW (accumulating $accumulate, clipping at $clip)',
    async (expected) => {
      const { options, clip, accumulate, losses, norms, snapshots } = expected;
      const params = parameters();
      const optimizer = adamW({
        beta1: options.betas[0],
        beta2: options.betas[1],
        epsilon: options.eps,
        weightDecay: options.weight_decay,
      });
      const reports: StepReport[] = [];
      let done = 0;
      for (const at of Object.keys(snapshots).map(Number)) {
        await train({
          params,
          loss: movingLoss,
          batches: moments,
          optimizer,
          schedule: linearSchedule({ peak: options.lr, warmupSteps: 10, totalSteps: 150 }),
          steps: at,
          accumulate,
          ...(clip === null ? {} : { clipNorm: clip }),
          progress: false,
          onStep: (report) => reports.push(report),
        });
        for (const [name, values] of Object.entries(await valuesOf(params))) {
          for (const [i, value] of values.entries()) {
            const target = snapshots[at]?.[name]?.[i] ?? Number.NaN;
            expect(Math.abs(value - target), `${name}[${i}] after ${at} steps`).toBeLessThan(
              2e-5 * (1 + Math.abs(target)),
            );
          }
        }
        done = at;
      }
      expect(reports.map(({ step }) => step)).toEqual(losses.map((_, i) => i + 1));
      expect(done).toBe(losses.length);
      for (const [i, { loss, gradientNorm }] of reports.entries()) {
        expect(Math.abs(loss - (losses[i] ?? Number.NaN))).toBeLessThan(1e-4 * loss);
        if (clip === null) expect(gradientNorm).toBeUndefined();
        else
          expect(Math.abs((gradientNorm ?? Number.NaN) - (norms[i] ?? Number.NaN))).toBeLessThan(
            1e-4 * (norms[i] ?? 1),
          );
      }
      optimizer.dispose();
      disposeParameters(params);
    },
  );

  it('leaves as many tensors as it found, the moments of the optimiser aside', async () => {
    const params = parameters();
    const optimizer = adamW();
    const run = (steps: number) =>
      train({
        params,
        loss: (p: Parameters, moment: number) => {
          const loss = movingLoss(p, moment);
          return { loss, double: tf.mul(loss, 2) };
        },
        batches: moments,
        optimizer,
        schedule: 1e-3,
        steps,
        accumulate: 2,
        clipNorm: 1,
        reportEvery: 3,
        progress: false,
      });
    await run(1);
    const before = tf.memory().numTensors;
    const { history } = await run(8);
    expect(tf.memory().numTensors).toBe(before);
    for (const { loss, metrics } of history) expect(metrics.double).toBeCloseTo(2 * loss, 4);
    optimizer.dispose();
    disposeParameters(params);
    expect(tf.memory().numTensors).toBe(before - 6 - 4);
  });
});

describe('the loop', () => {
  beforeAll(() => startBackend('cpu'));
  const basic = (params: Parameters) => ({
    params,
    loss: movingLoss,
    batches: moments,
    schedule: 1e-2,
    progress: false as const,
  });

  it('resumes from a saved state as if it had never stopped', async () => {
    const straight = parameters();
    await train({ ...basic(straight), optimizer: adamW(), steps: 30, accumulate: 2 });

    const first = parameters();
    const controller = new AbortController();
    const early = adamW();
    const result = await train({
      ...basic(first),
      optimizer: early,
      steps: 30,
      accumulate: 2,
      reportEvery: 1,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 11) controller.abort();
      },
    });
    expect(result).toMatchObject({ steps: 11, interrupted: true });
    expect(result.history).toHaveLength(11);

    const later = adamW();
    later.restore(await early.state());
    early.dispose();
    const rest = await train({ ...basic(first), optimizer: later, steps: 30, accumulate: 2 });
    expect(rest).toMatchObject({ steps: 30, interrupted: false });
    expect(rest.history[0]?.step).toBe(12);
    expect(await valuesOf(first)).toEqual(await valuesOf(straight));
  });

  it('goes on from a file in another process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'run-'));
    const path = join(folder, 'run.safetensors');
    const straight = parameters();
    await train({ ...basic(straight), optimizer: adamW(), steps: 12 });

    const early = { params: parameters(), optimizer: adamW() };
    await train({ ...basic(early.params), optimizer: early.optimizer, steps: 5 });
    await saveTraining(path, early.params, early.optimizer);
    const later = { params: parameters(), optimizer: adamW() };
    await resumeTraining(path, later.params, later.optimizer);
    await train({ ...basic(later.params), optimizer: later.optimizer, steps: 12 });
    expect(await valuesOf(later.params)).toEqual(await valuesOf(straight));

    const other = trainable({ dense: { weight: tf.zeros([3, 4]) } });
    await expect(resumeTraining(path, other, adamW())).rejects.toThrow('there is no such parameter');
    const reshaped = { ...parameters(), layerNorm: trainable({ weight: tf.zeros([6]) }) };
    await expect(resumeTraining(path, reshaped, adamW())).rejects.toThrow(
      'layerNorm.weight is [5], but the parameter is [6]',
    );
    await writeFile(path, 'not a run');
    await expect(resumeTraining(path, later.params, later.optimizer)).rejects.toThrow(InputError);
    await rm(folder, { recursive: true });
  });

  it('hears the interrupt of the program that runs it', async () => {
    const controller = new AbortController();
    const key = Symbol.for('llm-lab.interruptSignal');
    Reflect.set(globalThis, key, () => controller.signal);
    const options = { ...basic(parameters()), optimizer: adamW(), steps: 20, reportEvery: 1 };
    const result = await train({
      ...options,
      onStep: ({ step }) => {
        if (step === 4) controller.abort();
      },
    });
    Reflect.deleteProperty(globalThis, key);
    expect(result).toMatchObject({ steps: 4, interrupted: true });
  });

  it('makes the batches of each epoch anew, also asynchronously', async () => {
    const epochs: number[] = [];
    const seen: string[] = [];
    await train({
      ...basic(parameters()),
      loss: (params: Parameters, batch: string) => {
        seen.push(batch);
        return tf.sum(params.dense.bias);
      },
      batches: async function* (epoch: number) {
        epochs.push(epoch);
        for (const name of ['a', 'b', 'c']) yield `${epoch}${name}`;
      },
      optimizer: adamW(),
      steps: 7,
    });
    expect(epochs).toEqual([0, 1, 2]);
    expect(seen).toEqual(['0a', '0b', '0c', '1a', '1b', '1c', '2a']);
  });

  it('lets the event loop turn between steps', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await train({ ...basic(parameters()), optimizer: adamW(), steps: 40 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('trains one variable that stands in two places once, and leaves plain tensors alone', async () => {
    const table = tf.tensor1d([1, 2, 3]);
    const frozen = tf.tensor1d([5]);
    const params = { ...trainable({ embedding: table, head: { weight: table } }), frozen };
    expect(params.head.weight).toBe(params.embedding);
    expect(parameterCount(params)).toBe(4);
    await train({
      params,
      loss: (p) => tf.sum(tf.mul(tf.add(p.embedding, p.head.weight), p.frozen)),
      batches: [0],
      optimizer: adamW({ weightDecay: 0 }),
      schedule: 0.5,
      steps: 1,
      progress: false,
    });
    // Adam's first step is the learning rate, against the sign of the gradient.
    for (const [i, value] of (await params.embedding.data()).entries()) expect(value).toBeCloseTo(i + 0.5, 5);
    expect(Array.from(await frozen.data())).toEqual([5]);
  });

  it('leaves a clone of the parameters as it was', async () => {
    const params = parameters();
    const clone = cloneParameters(params);
    const before = await valuesOf(params);
    await train({ ...basic(params), optimizer: adamW(), steps: 2 });
    expect(await valuesOf(clone)).toEqual(before);
    expect(await valuesOf(params)).not.toEqual(before);
  });

  it('ends with one clear sentence when the loss is not a number', async () => {
    const before = tf.memory().numTensors;
    const params = parameters();
    const optimizer = adamW();
    const run = train({
      ...basic(params),
      loss: (p: Parameters, moment: number) => tf.mul(movingLoss(p, moment), tf.log(tf.scalar(3 - moment))),
      optimizer,
      steps: 20,
    });
    await expect(run).rejects.toThrow(
      /the loss became (-?Infinity|NaN) at step 4, at a learning rate of 0.01/,
    );
    optimizer.dispose();
    disposeParameters(params);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses what cannot be trained', async () => {
    const params = parameters();
    const plain = { weight: tf.zeros([2]) };
    const one = { batches: [0], schedule: 1, steps: 1, progress: false as const };
    await expect(
      train({ ...one, params: plain, loss: (p) => tf.sum(p.weight), optimizer: adamW() }),
    ).rejects.toThrow('trainable(params)');
    await expect(train({ ...one, params, loss: (p) => p.dense.bias, optimizer: adamW() })).rejects.toThrow(
      'loss has the shape [3]',
    );
    await expect(train({ ...basic(params), batches: [], optimizer: adamW(), steps: 1 })).rejects.toThrow(
      InputError,
    );
    await expect(train({ ...basic(params), optimizer: adamW(), steps: 0 })).rejects.toThrow('steps');
    const generator = (function* () {
      yield 1;
    })();
    await expect(
      train({ ...basic(params), batches: generator, optimizer: adamW(), steps: 3 }),
    ).rejects.toThrow('no batch number 1');
    expect(() => adamW({ beta2: 1 })).toThrow('beta2');
  });

  it('tells progress how far it is', async () => {
    const lines: string[] = [];
    let ended = 0;
    const progress = {
      report: (done: number, total: number) => lines.push(`${done}/${total}`),
      end: () => ended++,
    };
    await train({ ...basic(parameters()), optimizer: adamW(), steps: 4, reportEvery: 3, progress });
    expect(lines).toEqual(['1/4', '2/4', '3/4', '4/4']);
    expect(ended).toBe(1);
  });
});

describe('weight decay', () => {
  it('leaves biases and norms out, by name', () => {
    for (const name of ['encoder.layers.0.output.weight', 'embeddings.word', 'h.3.attn.weight']) {
      expect(decaysByName(name), name).toBe(true);
    }
    for (const name of [
      'pooler.bias',
      'embeddings.layerNorm.weight',
      'h.0.ln_1.weight',
      'ln_f.weight',
      'input_layernorm.weight',
      'norm.weight',
    ]) {
      expect(decaysByName(name), name).toBe(false);
    }
  });
});
