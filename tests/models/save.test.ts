import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { namedValues } from '../../src/checkpoints/parameters.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';
import { architectures } from '../../src/models/registry.ts';

const FIXTURES = join(import.meta.dirname, '../parity/fixtures');
/** LLM_LAB_PYTHON names an interpreter with torch and transformers, where they are not the system's. */
const PYTHON = process.env.LLM_LAB_PYTHON ?? 'python3';
const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  await startBackend();
  folder = await mkdtemp(join(tmpdir(), 'saved-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** One fixture of every class: the shortest name, which is the plain variant. */
async function fixtures(): Promise<string[]> {
  const names = (await readdir(FIXTURES)).sort((a, b) => a.length - b.length);
  const chosen = new Map<string, string>();
  for (const name of names) {
    const model = await loadPretrained(join(FIXTURES, name));
    if (!chosen.has(model.className)) chosen.set(model.className, name);
    model.dispose();
  }
  return [...chosen.values()];
}

/** Compares a saved folder with the fixture in transformers: the same class, nothing missing, equal weights. */
const CHECK = `
import sys, json, torch, transformers
transformers.logging.set_verbosity_error()
for saved, original in json.loads(sys.argv[1]):
    name = json.load(open(saved + '/config.json'))['architectures'][0]
    cls = getattr(transformers, name)
    ours, info = cls.from_pretrained(saved, output_loading_info=True)
    bad = {key: sorted(value) for key, value in info.items() if value}
    assert not bad, (name, bad)
    theirs = cls.from_pretrained(original)
    for (key, a), b in zip(ours.state_dict().items(), theirs.state_dict().values()):
        assert torch.equal(a, b), (name, key)
    print(name)
`;

describe('saving', () => {
  it('writes every class so that it loads again with the same numbers', async () => {
    const names = await fixtures();
    expect(names.length).toBe(architectures.size);
    for (const name of names) {
      const model = await loadPretrained(join(FIXTURES, name));
      await model.save(join(folder, name));
      const again = await loadPretrained(join(folder, name));
      expect(again.className).toBe(model.className);
      expect(await namedValues(again.weights())).toEqual(await namedValues(model.weights()));
      model.dispose();
      again.dispose();
    }
    expect(tf.memory().numTensors).toBe(0);
  });

  it('writes folders that transformers loads', async (context) => {
    const missing = await run(PYTHON, ['-c', 'import torch, transformers']).catch((error: unknown) => error);
    if (missing instanceof Error)
      return context.skip(`${PYTHON} has no torch and transformers (LLM_LAB_PYTHON)`);
    const names = await readdir(folder);
    const pairs = names.map((name) => [join(folder, name), join(FIXTURES, name)]);
    const { stdout } = await run(PYTHON, ['-c', CHECK, JSON.stringify(pairs)], { maxBuffer: 1e8 });
    expect(stdout.trim().split('\n').sort()).toEqual([...architectures.keys()].sort());
  }, 240_000);
});
