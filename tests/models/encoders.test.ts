import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { createRng } from '../../src/core/random.ts';
import type { NamedTensors } from '../../src/models/architecture.ts';
import { CLASSES, createModel, inputsOf } from './encoders.ts';

await startBackend();

const ROWS = [6, 4]; // tokens of each row of the inputs

async function numbers(tensor: tf.Tensor): Promise<number[]> {
  return Array.from(await tensor.data());
}

function largest(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

/** What an output says about tokens: without the columns of padding. */
async function atTokens(name: string, tensor: tf.Tensor): Promise<number[]> {
  if (
    ['loss', 'poolerOutput', 'seqRelationshipLogits', 'sopLogits'].includes(name) ||
    tensor.shape[1] === 2
  ) {
    return numbers(tensor);
  }
  const rows = ROWS.map((length, row) => {
    const size = [1, length, ...tensor.shape.slice(2)];
    return tf.slice(tensor, [row, 0, ...tensor.shape.slice(2).map(() => 0)], size);
  });
  return (await Promise.all(rows.map(numbers))).flat();
}

function entries(outputs: NamedTensors): Array<[string, tf.Tensor]> {
  return Object.entries(outputs).flatMap(([name, tensor]) => (tensor ? [[name, tensor]] : []));
}

describe.each(CLASSES)('%s: %s', (family, className) => {
  it('does not look at padding', async () => {
    const model = createModel(family, className);
    const [short, long] = [model.forward(inputsOf(className)), model.forward(inputsOf(className, 5))];
    for (const [name, tensor] of entries(short)) {
      const other = long[name];
      if (!other) throw new Error(`${name} is missing`);
      expect(largest(await atTokens(name, tensor), await atTokens(name, other)), name).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it('leaves its inputs as they are and no tensor behind, in evaluation and in training', async () => {
    const model = createModel(family, className);
    const inputs = inputsOf(className);
    const before = await Promise.all(entries(inputs).map(([, tensor]) => numbers(tensor)));
    const count = tf.memory().numTensors;
    for (const options of [{}, { rng: createRng(1) }]) {
      const outputs = entries(model.forward(inputs, options));
      expect(tf.memory().numTensors).toBe(count + outputs.length);
      tf.dispose(outputs.map(([, tensor]) => tensor));
    }
    expect(await Promise.all(entries(inputs).map(([, tensor]) => numbers(tensor)))).toEqual(before);
    model.dispose();
    tf.dispose(entries(inputs).map(([, tensor]) => tensor));
  });

  it('gives the same numbers for the same seed of dropout, others for another, none without', async () => {
    const model = createModel(family, className, {
      hidden_dropout_prob: 0.3,
      attention_probs_dropout_prob: 0.3,
    });
    const run = async (seed?: number): Promise<number[]> => {
      const [first] = entries(
        model.forward(inputsOf(className), seed === undefined ? {} : { rng: createRng(seed) }),
      );
      return first ? numbers(first[1]) : [];
    };
    const plain = await run();
    expect(await run()).toEqual(plain);
    const one = await run(1);
    expect(largest(one, plain)).toBeGreaterThan(1e-3);
    expect(await run(1)).toEqual(one);
    expect(largest(await run(2), one)).toBeGreaterThan(1e-3);
    model.dispose();
  });

  it('refuses inputs that it does not know, that are missing, or of another shape', () => {
    const model = createModel(family, className);
    const { inputIds, ...rest } = inputsOf(className);
    expect(() => model.forward(rest)).toThrow(`${className}: inputIds: expected a tensor`);
    expect(() => model.forward({ inputIds, decoderInputIds: inputIds })).toThrow(/decoderInputIds/);
    const wrong = tf.zeros([2, 5], 'int32');
    expect(() => model.forward({ inputIds, attentionMask: wrong })).toThrow(
      'attentionMask: expected [2,6] as inputIds, got [2,5]',
    );
    expect(() => model.forward({ inputIds: tf.zeros([6], 'int32') })).toThrow(
      'inputIds: expected [B, T], got [6]',
    );
    expect(() => model.forward({ inputIds: tf.zeros([1, 18], 'int32') })).toThrow(
      family === 'Roberta' ? '18 tokens, the model has room for 13' : '18 tokens, the model has 17 positions',
    );
    model.dispose();
  });
});

const WITH_LOSS = CLASSES.filter(([, className]) => !className.endsWith('Model'));

describe.each(WITH_LOSS)('%s: %s', (family, className) => {
  it('sends a gradient to every parameter', async () => {
    const model = createModel(family, className);
    const pairs = model.weights();
    const count = tf.memory().numTensors;
    const inputs = inputsOf(className);
    const gradients = tf.tidy(() =>
      tf.grads(() => model.forward(inputs).loss ?? tf.scalar(NaN))(pairs.map(([, tensor]) => tensor)),
    );
    for (const [i, [leaf]] of pairs.entries()) {
      const values = await numbers(gradients[i] ?? tf.scalar(NaN));
      expect(values.every(Number.isFinite), leaf.name).toBe(true);
      // A key's bias adds the same to every score of a query, and softmax does not see it: its gradient is noise.
      if (/\bkey\.bias$/.test(leaf.name)) continue;
      expect(
        values.some((value) => Math.abs(value) > 1e-7),
        leaf.name,
      ).toBe(true);
    }
    tf.dispose([gradients, entries(inputs).map(([, tensor]) => tensor)]);
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  });
});
