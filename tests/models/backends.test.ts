import { describe, expect, it } from 'vitest';
// Looks for a GPU, or for what stands in for one, before the backends are asked.
import '../backends/gpu.ts';
import { type BackendName, probeBackends, startBackend } from '../../src/backends/index.ts';
import { createRng } from '../../src/core/random.ts';
import type { Model, NamedTensors } from '../../src/models/architecture.ts';
import {
  createDecoder,
  CLASSES as DECODERS,
  inputsOf as decoderInputs,
  furthest,
  numbers,
} from './decoders.ts';
import { createModel, CLASSES as ENCODERS, inputsOf as encoderInputs } from './encoders.ts';

/** Every class with its inputs, made anew: tensors belong to the backend that made them. */
const MODELS: ReadonlyArray<{ name: string; make: () => Model; inputs: () => NamedTensors }> = [
  ...ENCODERS.map(([family, name]) => ({
    name,
    make: () => createModel(family, name),
    inputs: () => encoderInputs(name),
  })),
  ...DECODERS.map((name) => ({ name, make: () => createDecoder(name), inputs: () => decoderInputs(name) })),
];

/** What all classes give in evaluation and with dropout, and what those that generate draw, on one backend. */
async function everything(backend: BackendName): Promise<Map<string, number[]>> {
  await startBackend(backend);
  const found = new Map<string, number[]>();
  for (const { name, make, inputs: makeInputs } of MODELS) {
    const model = make();
    const inputs = makeInputs();
    for (const [kind, options] of [
      ['evaluation', {}],
      ['training', { rng: createRng(3) }],
    ] as const) {
      for (const [output, tensor] of Object.entries(model.forward(inputs, options))) {
        found.set(`${name}, ${kind}, ${output}`, await numbers(tensor));
      }
    }
    const drawn = await model.generate?.(
      { inputIds: [[7, 4, 25]] },
      { maxNewTokens: 6, doSample: true, seed: 8 },
    );
    if (drawn) found.set(`${name}, sampled`, drawn.flat());
    model.dispose();
  }
  return found;
}

const probes = await probeBackends();
const present = probes.filter(({ name, available }) => available && name !== 'cpu');
const reference = await everything('cpu');

describe('one seed gives one result on every backend', () => {
  it.for(probes.filter(({ available }) => !available))(
    '$name is not here: $detail',
    ({ detail }, context) => {
      context.skip(detail);
    },
  );

  it.each(present)(
    '$name agrees with plain JavaScript',
    async ({ name }) => {
      const found = await everything(name);
      expect([...found.keys()]).toEqual([...reference.keys()]);
      for (const [what, values] of found) {
        const expected = reference.get(what) ?? [];
        if (what.endsWith('sampled')) expect(values, what).toEqual(expected);
        else expect(furthest(values, expected), what).toBeLessThan(5e-5);
      }
    },
    300_000,
  );
});
