import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startBackend } from '../../src/backends/index.ts';
import * as core from '../../src/core/index.ts';

const numbers = z.object({ shape: z.array(z.int()), values: z.array(z.number()) });
const named = z.record(z.string(), numbers);
const cases = z
  .record(z.string(), z.object({ inputs: named, weight: numbers, output: numbers, gradients: named }))
  .parse(JSON.parse(await readFile(join(import.meta.dirname, 'fixtures/core.json'), 'utf8')));

const MASK = [
  [1, 1, 0, 1, 1, 1, 0],
  [0, 1, 1, 1, 1, 0, 0],
];

type Inputs = Record<string, tf.Tensor>;

function input(inputs: Inputs, name: string): tf.Tensor {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`the fixture lacks ${name}`);
  return tensor;
}

/** q, k and v of a case through attention, with more options if wanted. */
function attend(inputs: Inputs, options: core.ScaledDotProductOptions = {}): tf.Tensor {
  const heads = (name: string): tf.Tensor4D => {
    const [b = 0, h = 0, t = 0, d = 0] = input(inputs, name).shape;
    return tf.reshape(input(inputs, name), [b, h, t, d]);
  };
  return core.scaledDotProductAttention(heads('q'), heads('k'), heads('v'), options).output;
}

/** Each function on the inputs of its case. */
const functions: Record<string, (inputs: Inputs) => tf.Tensor> = {
  linear: (t) => core.linear({ weight: input(t, 'weight'), bias: input(t, 'bias') }, input(t, 'input')),
  layerNorm: (t) =>
    core.layerNorm({ weight: input(t, 'weight'), bias: input(t, 'bias') }, input(t, 'x'), 0.1),
  rmsNorm: (t) => core.rmsNorm({ weight: input(t, 'weight') }, input(t, 'x'), 0.1),
  gelu: (t) => core.gelu(input(t, 'input')),
  geluTanh: (t) => core.geluTanh(input(t, 'x')),
  silu: (t) => core.silu(input(t, 'input')),
  relu: (t) => core.relu(input(t, 'input')),
  attention: (t) => attend(t),
  attentionPadded: (t) => attend(t, { bias: core.paddingBias(tf.tensor2d(MASK, [2, 7], 'int32')) }),
  attentionCausal: (t) => attend(t, { bias: core.causalBias(5, 7) }),
  attentionBiased: (t) => attend(t, { bias: input(t, 'bias'), scale: 1 }),
  attentionGrouped: (t) => attend(t, { bias: core.paddingBias(tf.tensor2d(MASK, [2, 7], 'int32')) }),
  embed: (t) => core.embed(input(t, 'table'), tf.cast(input(t, 'ids'), 'int32')),
  embedPadded: (t) => core.embed(input(t, 'table'), tf.cast(input(t, 'ids'), 'int32'), { paddingId: 5 }),
  binaryCrossEntropy: (t) =>
    core.binaryCrossEntropy(
      input(t, 'logits'),
      tf.tensor2d([
        [1, 0, 0.25],
        [0, 1, 1],
      ]),
    ),
};

async function expectClose(got: tf.Tensor, expected: z.infer<typeof numbers>, what: string): Promise<void> {
  expect(got.shape, what).toEqual(expected.shape);
  const values = await got.data();
  for (const [i, want] of expected.values.entries()) {
    // Not toBeCloseTo: one number far off must say which.
    const error = Math.abs((values[i] ?? NaN) - want);
    if (!(error <= 3e-6 + 3e-6 * Math.abs(want)))
      expect.fail(`${what}[${i}]: expected ${want}, got ${values[i]}`);
  }
}

beforeAll(() => startBackend());

describe('src/core gives what PyTorch gives, value and gradient', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const expected = cases[name];
    const run = functions[name];
    if (!expected || !run) throw new Error(`no function for ${name}`);
    const names = Object.keys(expected.inputs);
    const tensors = names.map((key) =>
      tf.tensor(expected.inputs[key]?.values ?? [], expected.inputs[key]?.shape),
    );
    const inputs = Object.fromEntries(names.map((key, i) => [key, tensors[i] ?? tf.scalar(0)]));
    const weight = tf.tensor(expected.weight.values, expected.weight.shape);
    const before = tf.memory().numTensors;

    const output = tf.tidy(() => run(inputs));
    await expectClose(output, expected.output, name);
    const wanted = Object.keys(expected.gradients);
    const gradients = tf.tidy(() =>
      tf.grads((...given: tf.Tensor[]) => {
        const own = Object.fromEntries(wanted.map((key, i) => [key, given[i] ?? tf.scalar(0)]));
        return tf.sum(tf.mul(run({ ...inputs, ...own }), weight));
      })(wanted.map((key) => input(inputs, key))),
    );
    for (const [i, key] of wanted.entries()) {
      const [gradient, want] = [gradients[i], expected.gradients[key]];
      if (!gradient || !want) throw new Error(`no gradient for ${key}`);
      await expectClose(gradient, want, `gradient by ${key}`);
    }
    tf.dispose([output, gradients]);
    expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
    tf.dispose([tensors, weight]);
  });
});
