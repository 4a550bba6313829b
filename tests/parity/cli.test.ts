import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { probeBackends, startBackend } from '../../src/backends/index.ts';
import { openSafetensors, readTensor, type TensorData } from '../../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../src/checkpoints/safetensors-write.ts';
import { InputError } from '../../src/errors.ts';
import { runParity } from '../../src/parity/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(import.meta.dirname, 'fixtures');

let folder: string;

beforeAll(() => startBackend());

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'parity-')), 'case');
  await cp(join(FIXTURES, 'bert-masked-lm'), folder, { recursive: true });
});

afterEach(() => rm(join(folder, '..'), { recursive: true }));

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function parity(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
  const command = [join(ROOT, 'src/cli/main.ts'), 'parity', ...args];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      command,
      { maxBuffer: 1e8, env: { ...process.env, ...environment } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Changes the tensors of the folder's parity file. */
async function change(edit: (tensors: Map<string, TensorData>) => void, metadata = {}): Promise<void> {
  const path = join(folder, 'parity.safetensors');
  const file = await openSafetensors(path);
  const tensors = new Map<string, TensorData>();
  for (const name of file.entries.keys()) tensors.set(name, await readTensor(file, name));
  edit(tensors);
  await writeSafetensors(path, tensors, { format: 'pt', ...metadata });
}

async function changeConfig(changes: object): Promise<void> {
  const path = join(folder, 'config.json');
  const config = z.looseObject({}).parse(JSON.parse(await readFile(path, 'utf8')));
  await writeFile(path, JSON.stringify({ ...config, ...changes }));
}

function shifted(data: TensorData | undefined, by: number): TensorData {
  if (data === undefined) throw new Error('the fixture lacks it');
  const values = Float32Array.from(data.values);
  values[17] = (values[17] ?? 0) + by;
  return { shape: data.shape, values };
}

/** Run with `LLM_LAB_BACKEND` set, because a process has one backend. */
const others = (await probeBackends()).filter(({ available, name }) => available && name !== 'wasm');

describe('lab parity', () => {
  it.each(others.map(({ name }) => name))(
    'agrees on every fixture on the backend %s',
    async (name) => {
      const folders = (await readdir(FIXTURES)).map((fixture) => join(FIXTURES, fixture));
      const { stdout, code } = await parity({ LLM_LAB_BACKEND: name }, ...folders);
      expect(stdout.match(/FAIL.*/g) ?? []).toEqual([]);
      expect(stdout).toMatch(new RegExp(`all ${folders.length} agree\\n$`));
      expect(code).toBe(0);
    },
    240_000,
  );

  it('prints the largest error of every output and gradient, and exits 0', async () => {
    const { code, stdout } = await parity({}, folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}ok {4}logits +\[2,7,29\] {2}max \|Δ\| \d\.\d\de-\d$/m);
    expect(stdout).toMatch(/^ {2}ok {4}grad\.bert\.embeddings\.word_embeddings\.weight +\[29,12\] {2}max/m);
    expect(stdout).toMatch(/all 1 agree\n$/);
  });

  it('fails by one number, says which, and goes on with the other folders', async () => {
    await change((tensors) => tensors.set('out.logits', shifted(tensors.get('out.logits'), 0.01)));
    const { code, stdout } = await parity({}, folder, join(FIXTURES, 'bert-model'));
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAIL {2}logits .*max \|Δ\| 1\.00e-2 {2}at \[0,0,17\] expected .*, got /);
    expect(stdout).toMatch(/BertModel, \d+ parameters/);
    expect(stdout).toMatch(/1 of 2 do not agree\n$/);
  });

  it('fails by one number of a gradient', async () => {
    const name = 'grad.bert.encoder.layer.0.output.dense.weight';
    await change((tensors) => tensors.set(name, shifted(tensors.get(name), 0.01)));
    expect((await parity({}, folder)).stdout).toMatch(
      /FAIL {2}grad\.bert\.encoder\.layer\.0\.output\.dense\.weight/,
    );
  });

  it('fails when something expected is not given: an output, a parameter, another shape, NaN', async () => {
    await change((tensors) => {
      const data: TensorData = { shape: [1], values: new Float32Array(1) };
      tensors.set('out.sop_logits', data).set('grad.bert.unknown', data).set('out.logits', data);
      tensors.set('out.loss', { shape: [], values: new Float32Array([NaN]) });
    });
    const { code, stdout } = await parity({}, folder, '--json');
    expect(code).toBe(1);
    const schema = z.object({
      ok: z.literal(false),
      backend: z.string(),
      results: z.tuple([
        z.object({
          className: z.literal('BertForMaskedLM'),
          comparisons: z.array(
            z.object({ name: z.string(), ok: z.boolean(), reason: z.string().optional() }),
          ),
        }),
      ]),
    });
    const { results } = schema.parse(JSON.parse(stdout));
    const reasons = results[0].comparisons
      .filter(({ ok }) => !ok)
      .map(({ name, reason }) => `${name}: ${reason}`);
    expect(reasons.sort()).toEqual([
      'grad.bert.unknown: BertForMaskedLM has no such parameter',
      'logits: expected shape [1], got [2,7,29]',
      expect.stringMatching(/^loss: at \[\] expected NaN, got /),
      'sop_logits: BertForMaskedLM gave no such output',
    ]);
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'a class that is not there',
      () => changeConfig({ architectures: ['MambaModel'] }),
      /unknown architecture "MambaModel"/,
    ],
    [
      'an id beyond the vocabulary',
      () => change((tensors) => tensors.get('in.input_ids')?.values.fill(29, 3, 4)),
      /in\.input_ids: 29 is not in \[0, vocab_size = 29\)/,
    ],
    [
      'an input that the class does not take',
      () => change((tensors) => tensors.set('in.pixel_values', { shape: [1], values: new Float32Array(1) })),
      /pixelValues/,
    ],
    [
      'nothing to compare',
      () =>
        change((tensors) => {
          for (const name of [...tensors.keys()]) if (!name.startsWith('in.')) tensors.delete(name);
        }),
      /holds no out\.… to compare with/,
    ],
    [
      'generation without settings',
      () => change((tensors) => tensors.set('out.generated_ids', { shape: [1], values: new Int32Array(1) })),
      /metadata has no "generate"/,
    ],
    [
      'settings that are not JSON',
      () => change(() => undefined, { generate: '{' }),
      /metadata "generate": not valid JSON/,
    ],
    [
      'a parity file cut short',
      async () => {
        const path = join(folder, 'parity.safetensors');
        await writeFile(path, (await readFile(path)).subarray(0, 9000));
      },
      /parity\.safetensors: tensor .* truncated/,
    ],
    ['no parity file', () => rm(join(folder, 'parity.safetensors')), /parity\.safetensors: cannot be read/],
  ])('refuses %s in one sentence', async (_, damage, message) => {
    await damage();
    await expect(runParity(folder)).rejects.toThrow(message);
    await expect(runParity(folder)).rejects.toThrow(InputError);
  });

  it('exits 2 when a folder cannot be run, after the others', async () => {
    await changeConfig({ architectures: ['MambaModel'] });
    const { code, stderr, stdout } = await parity({}, folder, join(FIXTURES, 'bert-model'));
    expect(stderr.split('\n').filter((line) => line.startsWith('lab: '))).toEqual([
      expect.stringMatching(
        /^lab: .*case\/config\.json: unknown architecture "MambaModel": the library has /,
      ),
    ]);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toMatch(/1 of 2 do not agree\n$/);
    expect(code).toBe(2);
  });
});
