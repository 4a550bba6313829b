import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { downloadModel } from '../../src/checkpoints/hub.ts';
import { InputError } from '../../src/errors.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';
import { COMMIT, type LocalHub, startHub } from './hub-server.ts';

const FIXTURE = join(import.meta.dirname, '../parity/fixtures/bert-masked-lm');
const ID = 'tiny/bert';
const quiet = { report: () => undefined, end: () => undefined };

let files: Map<string, Uint8Array>;
let hub: LocalHub;
let cacheDir: string;

beforeAll(() => startBackend());

beforeEach(async () => {
  files = new Map<string, Uint8Array>([
    ['config.json', await readFile(join(FIXTURE, 'config.json'))],
    ['model.safetensors', await readFile(join(FIXTURE, 'model.safetensors'))],
    ['README.md', Buffer.from('not needed')],
    ['pytorch_model.bin', Buffer.from('not needed either')],
  ]);
  hub = await startHub(ID, files);
  cacheDir = await mkdtemp(join(tmpdir(), 'hub-'));
});

afterEach(async () => {
  await hub.close();
  await rm(cacheDir, { recursive: true });
});

const fetchModel = (id = ID): Promise<string> =>
  downloadModel(id, { hubUrl: hub.url, cacheDir, progress: quiet });

describe('a model from a hub', () => {
  it('is loaded by its id, with only the files that are needed', async () => {
    const model = await loadPretrained(ID, { hubUrl: hub.url, cacheDir, progress: quiet });
    expect(model.className).toBe('BertForMaskedLM');
    model.dispose();
    const names = await readdir(join(cacheDir, 'tiny--bert', COMMIT));
    expect(names.sort()).toEqual(['.complete', 'config.json', 'model.safetensors']);
  });

  it('is not fetched again', async () => {
    const folder = await fetchModel();
    hub.requests.length = 0;
    expect(await fetchModel()).toBe(folder);
    expect(hub.requests.filter((request) => request.includes('/resolve/'))).toEqual([]);
  });

  it('is found in the cache without a connection', async () => {
    const folder = await fetchModel();
    await hub.close();
    expect(await fetchModel()).toBe(folder);
  });

  it('is looked for in the cache alone when one wants to stay offline', async () => {
    const offline = { hubUrl: hub.url, cacheDir, progress: quiet, offline: true };
    await expect(downloadModel(ID, offline)).rejects.toThrow(/cannot be reached \(offline by choice\)/);
    const folder = await fetchModel();
    hub.requests.length = 0;
    expect(await downloadModel(ID, offline)).toBe(folder);
    expect(hub.requests).toEqual([]);
  });

  it('is given up when the hub stops sending, and goes on later', async () => {
    hub.stalled.add('model.safetensors');
    const options = { hubUrl: hub.url, cacheDir, progress: quiet, patience: 0.2 };
    await expect(downloadModel(ID, options)).rejects.toThrow(/nothing came for 0.2 seconds/);
    hub.stalled.clear();
    await fetchModel();
  });

  it('goes on where an interrupted download stopped', async () => {
    hub.cut.set('model.safetensors', 5000);
    await expect(fetchModel()).rejects.toThrow(/a download goes on where it stopped/);
    hub.requests.length = 0;
    const folder = await fetchModel();
    expect(hub.requests).toContain(
      `GET /${ID}/resolve/${COMMIT}/model.safetensors bytes=5000-${(files.get('model.safetensors')?.length ?? 0) - 1}`,
    );
    expect(await readFile(join(folder, 'model.safetensors'))).toEqual(files.get('model.safetensors'));
  });

  it('is refused when a checksum is wrong, and nothing of it stays', async () => {
    hub.corrupt.add('model.safetensors');
    await expect(fetchModel()).rejects.toThrow(
      'model.safetensors: the checksum of the download is wrong, try again',
    );
    expect(await readdir(join(cacheDir, 'tiny--bert', COMMIT))).toEqual(['config.json']);
    hub.corrupt.clear();
    await fetchModel();
  });

  it('starts anew when the piece that is here was wrong', async () => {
    hub.corrupt.add('model.safetensors');
    hub.cut.set('model.safetensors', 5000);
    await expect(fetchModel()).rejects.toThrow(InputError);
    hub.corrupt.clear();
    const folder = await fetchModel();
    expect(await readFile(join(folder, 'model.safetensors'))).toEqual(files.get('model.safetensors'));
  });

  it('that does not exist, offline, without weights or with no id: one sentence each', async () => {
    await expect(fetchModel('tiny/other')).rejects.toThrow(
      /^tiny\/other: .* has no such model, .*status 404/,
    );
    await expect(fetchModel('../escape')).rejects.toThrow('not a hub id');
    files.delete('model.safetensors');
    await expect(fetchModel()).rejects.toThrow('tiny/bert: has no model.safetensors');
    await hub.close();
    await expect(fetchModel()).rejects.toThrow(
      /^tiny\/bert: http:\/\/127.* cannot be reached \(.+\) and the model is not in/,
    );
  });

  it('leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    (await loadPretrained(ID, { hubUrl: hub.url, cacheDir, progress: quiet })).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
