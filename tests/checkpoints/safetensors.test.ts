import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readTensor, type TensorData } from '../../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../src/checkpoints/safetensors-write.ts';
import { createRng } from '../../src/core/random.ts';
import { InputError } from '../../src/errors.ts';

const DTYPES = join(import.meta.dirname, 'fixtures/dtypes.safetensors');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** A file with this header (bytes, text, or anything to be written as JSON) and these bytes of data. */
async function fileOf(header: unknown, data = 0, headerLength?: bigint): Promise<string> {
  const text = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(headerLength ?? BigInt(text.length));
  const path = join(folder, 'case.safetensors');
  await writeFile(path, Buffer.concat([head, text, Buffer.alloc(data)]));
  return path;
}

async function readAll(path: string): Promise<Map<string, TensorData>> {
  const file = await openSafetensors(path);
  const tensors = new Map<string, TensorData>();
  for (const name of file.entries.keys()) tensors.set(name, await readTensor(file, name));
  return tensors;
}

const F32 = (shape: number[], from: number, to: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, to],
});

describe('reading safetensors', () => {
  // Expected numbers: dtypes.py, which wrote them with PyTorch.
  it('turns every type into float32 or int32', async () => {
    const tensors = await readAll(DTYPES);
    const values = (name: string): number[] => [...(tensors.get(name)?.values ?? [])];
    const floats = [1.5, -2, 0, 65504, 2 ** -14, -0.333251953125];
    for (const name of ['f64', 'f32', 'f16']) expect(values(name)).toEqual(floats);
    const brain = [1.5, -2, 0, 3.3895313892515355e38, 1.1754943508222875e-38, -0.333984375];
    expect(values('bf16')).toEqual(brain);
    expect(values('subnormal')).toEqual([2 ** -24, -1023 * 2 ** -24, Infinity, -Infinity]);
    for (const name of ['i64', 'i32', 'i16', 'i8']) expect(values(name)).toEqual([1, -2, 0, 100, -100, 7]);
    expect(values('u8')).toEqual([0, 255, 7]);
    expect(values('bool')).toEqual([1, 0]);
    expect(tensors.get('scalar')).toEqual({ shape: [], values: new Float32Array([2.5]) });
    expect(tensors.get('empty')).toEqual({ shape: [0, 3], values: new Float32Array(0) });
  });

  it('reads the metadata', async () => {
    expect(Object.fromEntries((await openSafetensors(DTYPES)).metadata)).toEqual({ format: 'pt', note: 'ü' });
  });

  const bad: Array<[string, unknown, number, RegExp, bigint?]> = [
    ['a header longer than the file', '{}', 0, /truncated: the header claims 900 bytes/, 900n],
    ['a header of exabytes', '{}', 0, /claims 9223372036854775807 bytes, more than/, 0x7fffffffffffffffn],
    ['a header that is not JSON', '{"a": ', 0, /header.*not valid JSON/],
    ['a header that is not an object', '[]', 0, /expected a JSON object/],
    [
      'a header that is not UTF-8',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
      0,
      /header\): not UTF-8 text/,
    ],
    ['data that ends early', { a: F32([3], 0, 12) }, 8, /"a": truncated: it ends at byte/],
    [
      'a shape that lies',
      { a: F32([2, 2], 0, 12) },
      12,
      /"a": F32 of shape \[2,2\] takes 16 bytes, .* gives it 12/,
    ],
    ['a shape without end', { a: F32([2 ** 30, 2 ** 30, 2 ** 30], 0, 4) }, 4, /"a": F32 of shape .* takes/],
    ['a negative shape', { a: F32([-1], 0, 4) }, 4, /"a": shape\.0: expected a number that is not negative/],
    ['a shape that is not whole', { a: F32([1.5], 0, 6) }, 6, /"a": shape\.0: expected a whole number/],
    ['offsets the wrong way round', { a: F32([1], 4, 0) }, 4, /"a": F32 of shape \[1\] takes 4 bytes/],
    [
      'overlapping tensors',
      { a: F32([2], 0, 8), b: F32([2], 4, 12) },
      12,
      /"b" overlaps the tensor before it/,
    ],
    ['a hole', { a: F32([1], 0, 4), b: F32([1], 8, 12) }, 12, /"b" leaves a hole before it/],
    ['bytes that belong to nothing', { a: F32([1], 0, 4) }, 9, /5 bytes at the end belong to no tensor/],
    [
      'the same key twice',
      `{"a":${JSON.stringify(F32([1], 0, 4))},"\\u0061":${JSON.stringify(F32([1], 0, 4))}}`,
      4,
      /appears twice/,
    ],
    [
      'an unknown type',
      { a: { dtype: 'F7', shape: [1], data_offsets: [0, 4] } },
      4,
      /"a": unknown type "F7"/,
    ],
    ['a tensor without a shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /"a": shape: /],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 0, /__metadata__: a: expected text/],
  ];
  it.each(bad)('refuses %s', async (_, header, data, message, length) => {
    await expect(openSafetensors(await fileOf(header, data, length))).rejects.toThrow(message);
    await expect(openSafetensors(await fileOf(header, data, length))).rejects.toThrow(InputError);
  });

  it('refuses a type that cannot be computed with only when it is read', async () => {
    const header = { a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] }, b: F32([1], 4, 8) };
    const file = await openSafetensors(await fileOf(header, 8));
    expect((await readTensor(file, 'b')).values).toEqual(new Float32Array(1));
    await expect(readTensor(file, 'a')).rejects.toThrow(/"a": numbers of type F8_E4M3 cannot be read/);
    await expect(readTensor(file, 'c')).rejects.toThrow(/"c" is missing/);
  });

  it('refuses what is not a file, or too short', async () => {
    await expect(openSafetensors(folder)).rejects.toThrow('not a file');
    await expect(openSafetensors(join(folder, 'nothing'))).rejects.toThrow(/nothing: cannot be read/);
    await writeFile(join(folder, 'short'), 'abc');
    await expect(openSafetensors(join(folder, 'short'))).rejects.toThrow('3 bytes are too few');
  });

  it('notices a file that shrinks after it was opened', async () => {
    const path = await fileOf({ a: F32([2], 0, 8) }, 8);
    const file = await openSafetensors(path);
    await writeFile(path, (await readFile(path)).subarray(0, -4));
    await expect(readTensor(file, 'a')).rejects.toThrow(/truncated at byte/);
  });

  it('survives any damage: it reads the same or a different file, or refuses in one sentence', async () => {
    const whole = await readFile(DTYPES);
    const rng = createRng('damage');
    const path = join(folder, 'damaged.safetensors');
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(whole);
      for (let n = rng.integer(4); n >= 0; n--) {
        // Mostly in the header: that is where damage can mislead.
        bytes[rng.integer(rng.next() < 0.8 ? 1100 : bytes.length)] = rng.integer(256);
      }
      const cut = rng.next() < 0.3 ? rng.integer(bytes.length) : bytes.length;
      await writeFile(path, bytes.subarray(0, cut));
      const outcome = await readAll(path).catch((error: unknown) => error);
      if (outcome instanceof Map) continue;
      expect(outcome).toBeInstanceOf(InputError);
      expect(String(outcome)).toContain('damaged.safetensors');
    }
  });
});

describe('writing safetensors', () => {
  const tensors = new Map<string, TensorData>([
    ['b', { shape: [2, 3], values: new Float32Array([1, 2, 3, 4, 5, 6]) }],
    ['ä', { shape: [], values: new Int32Array([-7]) }],
    ['none', { shape: [0], values: new Float32Array(0) }],
  ]);

  it('gives back what was written', async () => {
    const path = join(folder, 'written.safetensors');
    await writeSafetensors(path, tensors, { format: 'pt', note: 'x' });
    expect(await readAll(path)).toEqual(tensors);
    expect((await openSafetensors(path)).metadata.get('note')).toBe('x');
  });

  it('starts the numbers at a multiple of eight', async () => {
    const path = join(folder, 'written.safetensors');
    await writeSafetensors(path, tensors);
    expect((await openSafetensors(path)).entries.get('b')?.begin).toSatisfy(
      (begin: number) => begin % 8 === 0,
    );
  });

  it('keeps the old file when it fails', async () => {
    const path = join(folder, 'kept.safetensors');
    await writeSafetensors(path, tensors);
    const wrong = new Map([['x', { shape: [3], values: new Float32Array(2) }]]);
    await expect(writeSafetensors(path, wrong)).rejects.toThrow('does not hold 2 numbers');
    expect(await readAll(path)).toEqual(tensors);
  });
});
