import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { INDEX_FILE, openCheckpoint, WEIGHTS_FILE } from '../../src/checkpoints/checkpoint.ts';
import { initParameters, loadParameters, namedValues } from '../../src/checkpoints/parameters.ts';
import { openSafetensors, readTensor, type TensorData } from '../../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../src/checkpoints/safetensors-write.ts';
import { linearWeights, type ModelWeights, pairsOf, tableWeights } from '../../src/checkpoints/weight-map.ts';
import { createRng } from '../../src/core/random.ts';
import { BertForSequenceClassification, BertModel } from '../../src/models/encoder-architectures.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';

const FIXTURE = join(import.meta.dirname, '../parity/fixtures/bert-pre-training');
const TABLE = 'bert.embeddings.word_embeddings.weight';

let folder: string;
let before: number;

beforeAll(() => startBackend());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  await copyFile(join(FIXTURE, 'config.json'), join(folder, 'config.json'));
  before = tf.memory().numTensors;
});

afterEach(async () => {
  expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  await rm(folder, { recursive: true });
});

async function fixtureTensors(): Promise<Map<string, TensorData>> {
  const file = await openSafetensors(join(FIXTURE, WEIGHTS_FILE));
  const tensors = new Map<string, TensorData>();
  for (const name of file.entries.keys()) tensors.set(name, await readTensor(file, name));
  return tensors;
}

/** Writes the fixture's tensors after a change, and loads the folder. */
async function loadChanged(change: (tensors: Map<string, TensorData>) => void): Promise<void> {
  const tensors = await fixtureTensors();
  change(tensors);
  await writeSafetensors(join(folder, WEIGHTS_FILE), tensors);
  (await loadPretrained(folder)).dispose();
}

function take(tensors: Map<string, TensorData>, name: string): TensorData {
  const data = tensors.get(name);
  if (data === undefined) throw new Error(`the fixture lacks ${name}`);
  tensors.delete(name);
  return data;
}

describe('loading a checkpoint', () => {
  it('refuses missing tensors by name', async () => {
    const change = loadChanged((tensors) => {
      tensors.delete('bert.pooler.dense.bias');
      tensors.delete('cls.predictions.transform.LayerNorm.weight');
    });
    const message =
      /missing tensors: bert\.pooler\.dense\.bias, cls\.predictions\.transform\.LayerNorm\.weight$/;
    await expect(change).rejects.toThrow(message);
  });

  it('refuses tensors without a place by name', async () => {
    const extra = { shape: [1], values: new Float32Array(1) };
    const change = loadChanged((tensors) => tensors.set('bert.encoder.layer.2.output.dense.bias', extra));
    await expect(change).rejects.toThrow(
      /without a place in the model: bert\.encoder\.layer\.2\.output\.dense\.bias$/,
    );
  });

  it('refuses a tensor of another shape, a transposed one too', async () => {
    const change = loadChanged((tensors) => {
      const { values } = take(tensors, 'bert.encoder.layer.0.intermediate.dense.weight');
      tensors.set('bert.encoder.layer.0.intermediate.dense.weight', { shape: [12, 20], values });
    });
    const message = /intermediate\.dense\.weight has shape \[12,20\], the config asks for \[20,12\]$/;
    await expect(change).rejects.toThrow(message);
  });

  it('refuses whole numbers where weights should be', async () => {
    const change = loadChanged((tensors) =>
      tensors.set('cls.predictions.bias', { shape: [29], values: new Int32Array(29) }),
    );
    await expect(change).rejects.toThrow(/cls\.predictions\.bias holds I32, expected F32, F16, BF16 or F64$/);
  });

  it('passes over the buffers that old files carry', async () => {
    await loadChanged((tensors) =>
      tensors.set('bert.embeddings.position_ids', { shape: [1, 11], values: new Int32Array(11) }),
    );
  });

  it('knows the old names of a norm', async () => {
    await loadChanged((tensors) => {
      tensors.set('bert.embeddings.LayerNorm.gamma', take(tensors, 'bert.embeddings.LayerNorm.weight'));
      tensors.set('bert.embeddings.LayerNorm.beta', take(tensors, 'bert.embeddings.LayerNorm.bias'));
    });
  });

  it('finds a tied table under its other name', async () => {
    await loadChanged((tensors) => tensors.set('cls.predictions.decoder.weight', take(tensors, TABLE)));
  });

  it('accepts equal copies of a tied table, and keeps one tensor', async () => {
    const tensors = await fixtureTensors();
    const table = take(tensors, TABLE);
    tensors.set(TABLE, table).set('cls.predictions.decoder.weight', table);
    await writeSafetensors(join(folder, WEIGHTS_FILE), tensors);
    const model = await loadPretrained(folder);
    expect(model.weights().map(([leaf]) => leaf.name)).not.toContain('cls.predictions.decoder.weight');
    model.dispose();
  });

  it('keeps an output matrix that differs from the table', async () => {
    const tensors = await fixtureTensors();
    tensors.set('cls.predictions.decoder.weight', {
      shape: [29, 12],
      values: new Float32Array(29 * 12).fill(0.5),
    });
    await writeSafetensors(join(folder, WEIGHTS_FILE), tensors);
    const model = await loadPretrained(folder);
    expect(model.weights().map(([leaf]) => leaf.name)).toContain('cls.predictions.decoder.weight');
    model.dispose();
  });

  it('refuses copies of a bias that differ', async () => {
    const change = loadChanged((tensors) =>
      tensors.set('cls.predictions.decoder.bias', { shape: [29], values: new Float32Array(29) }),
    );
    await expect(change).rejects.toThrow(/should be one tensor, but their numbers differ$/);
  });

  it('loads a bare model out of one with heads, and draws a new head when asked', async () => {
    const bare = await loadPretrained(FIXTURE, { architecture: BertModel });
    const classifier = { architecture: BertForSequenceClassification };
    await expect(loadPretrained(FIXTURE, classifier)).rejects.toThrow(
      /missing tensors: classifier\.weight, classifier\.bias$/,
    );
    const model = await loadPretrained(FIXTURE, { ...classifier, initialiseMissing: createRng(1) });
    const weight = model.weights().find(([leaf]) => leaf.name === 'classifier.weight');
    expect(weight?.[1].shape).toEqual([2, 12]);
    bare.dispose();
    model.dispose();
  });
});

describe('shards', () => {
  async function writeShards(index: unknown): Promise<void> {
    const tensors = [...(await fixtureTensors())];
    await writeSafetensors(join(folder, 'a.safetensors'), new Map(tensors.slice(0, 20)));
    await writeSafetensors(join(folder, 'b.safetensors'), new Map(tensors.slice(20)));
    const weight_map = Object.fromEntries(
      tensors.map(([name], i) => [name, i < 20 ? 'a.safetensors' : 'b.safetensors']),
    );
    await writeFile(join(folder, INDEX_FILE), JSON.stringify(index ?? { metadata: {}, weight_map }));
  }

  it('load as one file does', async () => {
    await writeShards(undefined);
    const [whole, parts] = [await loadPretrained(FIXTURE), await loadPretrained(folder)];
    const [expected, got] = [await namedValues(whole.weights()), await namedValues(parts.weights())];
    expect(got).toEqual(expected);
    whole.dispose();
    parts.dispose();
  });

  it.each([
    [
      { weight_map: { x: '../../etc/passwd' } },
      /"x" is said to be in "\.\.\/\.\.\/etc\/passwd", not a file name/,
    ],
    [{ weight_map: { x: '..' } }, /not a file name/],
    [{ weight_map: { x: 'a.safetensors' } }, /a\.safetensors: lacks "x", promised by/],
    [{ weight_map: { x: 'c.safetensors' } }, /c\.safetensors: cannot be read/],
    [{ weight_map: [] }, /weight_map: /],
    [{}, /weight_map: expected the file of every tensor/],
  ])('with an index like %j are refused', async (index, message) => {
    await writeShards(index);
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it('that are not there at all: the folder is named', async () => {
    await expect(openCheckpoint(folder)).rejects.toThrow(
      `${folder}: neither model.safetensors nor model.safetensors.index.json is there`,
    );
  });
});

interface Fused {
  first: { weight: tf.Tensor };
  second: { weight: tf.Tensor };
}

describe('a fused, transposed tensor', () => {
  const part = (index: number) =>
    linearWeights('c', 2, 3, { bias: false, transposed: true, part: { index, of: 2 } });
  const weights: ModelWeights<Fused> = { map: { first: part(0), second: part(1) } };
  // The file has [in, out]: three rows, the first part's two columns and then the second's.
  const values = new Float32Array([0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);

  it('is taken apart on loading and joined again on saving', async () => {
    const path = join(folder, WEIGHTS_FILE);
    await writeSafetensors(path, new Map([['c.weight', { shape: [3, 4], values }]]));
    const params = await loadParameters(weights, await openCheckpoint(folder));
    expect(await params.first.weight.array()).toEqual([
      [0, 10, 20],
      [1, 11, 21],
    ]);
    expect(await params.second.weight.array()).toEqual([
      [2, 12, 22],
      [3, 13, 23],
    ]);
    const named = await namedValues(pairsOf(weights.map, params));
    expect(named.get('c.weight')).toEqual({ shape: [3, 4], values });
    tf.dispose([params.first.weight, params.second.weight]);
  });
});

describe('first values', () => {
  const weights: ModelWeights<{ table: tf.Tensor; other: tf.Tensor }> = {
    map: {
      table: tableWeights('table', 70, 50, { std: 0.3, paddingId: 4 }),
      other: tableWeights('other', 70, 50, { std: 0.3 }),
    },
  };

  it('have the spread that is asked for, and depend on the seed and the name', async () => {
    const [one, same, another] = [1, 1, 2].map((seed) => initParameters(weights, createRng(seed)));
    if (!one || !same || !another) throw new Error('unreachable');
    const values = Float32Array.from(await one.other.data());
    const spread = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    expect(spread).toBeCloseTo(0.3, 1);
    expect(Float32Array.from(await same.other.data())).toEqual(values);
    expect(Float32Array.from(await another.other.data())).not.toEqual(values);
    expect(Float32Array.from(await one.table.data())).not.toEqual(values);
    const table = await one.table.data();
    expect([...table.slice(200, 250)].every((v) => v === 0)).toBe(true);
    for (const { table: t, other } of [one, same, another]) tf.dispose([t, other]);
  });
});
