import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { downloadDatasetFile } from '../../src/checkpoints/hub-dataset.ts';
import {
  loadReviews,
  loadSst2,
  loadStories,
  loadTinyStories,
  loadWikiText2,
  readParquet,
} from '../../src/datasets/index.ts';
import { type LocalHub, startHub } from '../checkpoints/hub-server.ts';

/** The commits that the loaders are pinned to, and the files they ask for. */
const TINY = { id: 'roneneldan/TinyStories', commit: 'f54c09fd23315a6f9c86f9dc80f725de7d8f9c64' };
const WIKI = { id: 'Salesforce/wikitext', commit: 'b08601e04326c79dfdd32d625aee71d232d685c3' };
const SST2 = { id: 'stanfordnlp/sst2', commit: '8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb' };
const STORIES = 'data/validation-00000-of-00001-869c898b519ad725.parquet';
const [TRAIN, VALIDATION] = ['data/train-00000-of-00001.parquet', 'data/validation-00000-of-00001.parquet'];

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);
const quiet = { report: () => undefined, end: () => undefined };
let cacheDir: string;
let hub: LocalHub | undefined;
let said: string[];
const say = (sentence: string): void => {
  said.push(sentence);
};

beforeEach(async () => {
  said = [];
  cacheDir = await mkdtemp(join(tmpdir(), 'data-'));
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  await rm(cacheDir, { recursive: true });
});

/** A hub with one data set, made of fixtures. */
async function hubWith(set: typeof TINY, files: Readonly<Record<string, string>>): Promise<LocalHub> {
  const bytes = new Map<string, Uint8Array>();
  for (const [path, name] of Object.entries(files)) bytes.set(path, await readFile(fixture(name)));
  hub = await startHub(set.id, bytes, { type: 'dataset', commit: set.commit });
  return hub;
}
const sst2Hub = (): Promise<LocalHub> =>
  hubWith(SST2, { [TRAIN]: 'sst2.parquet', [VALIDATION]: 'sst2.parquet' });
const optionsFor = ({ url }: { url: string }) => ({ hubUrl: url, cacheDir, progress: quiet, say });

describe('public data sets', () => {
  it('TinyStories: documents of sentences, the last tenth for the test', async () => {
    const split = await loadTinyStories(
      optionsFor(await hubWith(TINY, { [STORIES]: 'tinystories.parquet' })),
    );
    expect([split.source, split.train.length, split.test.length]).toEqual(['hub', 18, 2]);
    expect(split.train[3]).toEqual([
      'Once there was a cat number 3.',
      'It said: "Hello!"',
      'Then it ran home.',
      'The end.',
    ]);
    expect(split.test[1]?.[0]).toBe('Once there was a cat number 19.');
    expect(said).toEqual([]);
  });

  it('TinyStories, large: learns from the first training file and tests on the validation file', async () => {
    const files = { 'data/train-00000-of-00004-2d5a1467fff1081b.parquet': 'tinystories.parquet' };
    const local = await hubWith(TINY, { ...files, [STORIES]: 'tinystories.parquet' });
    const split = await loadTinyStories({ ...optionsFor(local), large: true, limit: 12 });
    expect([split.source, split.train.length, split.test.length]).toEqual(['hub', 12, 2]);
  });

  it('WikiText-2: articles with their paragraphs, headings left out', async () => {
    const split = await loadWikiText2(
      optionsFor(
        await hubWith(WIKI, {
          'wikitext-2-raw-v1/train-00000-of-00001.parquet': 'wikitext.parquet',
          'wikitext-2-raw-v1/test-00000-of-00001.parquet': 'wikitext.parquet',
        }),
      ),
    );
    expect(split.source).toBe('hub');
    expect(split.train).toEqual([
      ['The first one', 'Some words of it .', 'More words , with an equation x = 3 .', 'Below the heading .'],
      ['Second', 'Its only paragraph .'],
    ]);
    expect(split.test).toEqual(split.train);
  });

  it('SST-2: reviews with labels as numbers, the validation file for the test', async () => {
    const split = await loadSst2({ ...optionsFor(await sst2Hub()), limit: 20 });
    expect([split.source, split.train.length, split.test.length]).toEqual(['hub', 20, 2]);
    expect(split.train.slice(0, 2)).toEqual([
      { text: 'a fine film', label: 1 },
      { text: 'dull , and long', label: 0 },
    ]);
  });

  it('are asked for once: then the cache has them, without a connection and when told to stay offline', async () => {
    const local = await sst2Hub();
    const first = await loadSst2(optionsFor(local));
    const asked = local.requests.length;
    expect(asked).toBeGreaterThan(0);
    expect(await loadSst2(optionsFor(local))).toEqual(first);
    expect(local.requests).toHaveLength(asked);
    expect(await loadSst2({ ...optionsFor(local), offline: true })).toEqual(first);
    await local.close();
    hub = undefined;
    expect(await loadSst2(optionsFor(local))).toEqual(first);
    expect(said).toEqual([]);
  });

  it('are asked for at the pinned commit only', async () => {
    const local = await sst2Hub();
    await loadSst2(optionsFor(local));
    for (const request of local.requests) expect(request).toContain(SST2.commit);
  });
});

describe('the bundled set takes the place of one that cannot be had, and one sentence says why', () => {
  const expectReviews = async (options: Parameters<typeof loadSst2>[0], why: RegExp): Promise<void> => {
    const split = await loadSst2(options);
    expect(split).toEqual({ source: 'bundled', ...(await loadReviews()) });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^SST-2 is not at hand, and the bundled reviews are used in its place: /);
    expect(said[0]).toMatch(why);
    expect(said[0]).not.toContain('\n');
    said = [];
  };

  it('not there (404)', async () => {
    const local = await hubWith(SST2, { [TRAIN]: 'sst2.parquet' });
    await expectReviews(optionsFor(local), /has no file data\/validation/);
    await local.close();
    hub = await startHub('other/set', new Map(), { type: 'dataset', commit: SST2.commit });
    await rm(cacheDir, { recursive: true });
    await expectReviews(optionsFor(hub), /has no such data set, .*\(status 404\)/);
    cacheDir = await mkdtemp(join(tmpdir(), 'data-'));
  });

  it('a hub that answers and then says nothing more', async () => {
    const local = await sst2Hub();
    local.stalled.add(TRAIN);
    await expectReviews(
      { ...optionsFor(local), patience: 0.2 },
      /cannot be reached \(.*nothing came for 0.2 s/,
    );
  });

  it('a connection that breaks; the next attempt goes on from there', async () => {
    const local = await sst2Hub();
    local.cut.set(TRAIN, 1000);
    await expectReviews(optionsFor(local), /cannot be reached/);
    local.requests.length = 0;
    expect((await loadSst2(optionsFor(local))).source).toBe('hub');
    expect(local.requests.join('\n')).toMatch(/train-00000-of-00001.parquet bytes=1000-/);
  });

  it('a wrong checksum, of which nothing stays', async () => {
    const local = await sst2Hub();
    local.corrupt.add(TRAIN);
    await expectReviews(optionsFor(local), /the checksum of the download is wrong/);
    const folder = join(cacheDir, 'datasets', 'stanfordnlp--sst2', SST2.commit, 'data');
    expect(await readdir(folder)).toEqual([]);
  });

  it('no connection at all, and offline by choice', async () => {
    const local = await sst2Hub();
    await local.close();
    hub = undefined;
    await expectReviews(optionsFor(local), /http:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED/);
    await expectReviews({ ...optionsFor(local), offline: true }, /offline/);
  });

  it('a file that is not what it is said to be', async () => {
    await expectReviews(
      optionsFor(await hubWith(SST2, { [TRAIN]: '../datasets.test.ts', [VALIDATION]: 'sst2.parquet' })),
      /cannot be read as Parquet/,
    );
    await hub?.close();
    await rm(cacheDir, { recursive: true });
    const unlabelled = { [TRAIN]: 'sst2-unlabelled.parquet', [VALIDATION]: 'sst2.parquet' };
    await expectReviews(optionsFor(await hubWith(SST2, unlabelled)), /row 0: label/);
  });

  it('stories, nine tenths to learn from, in the place of TinyStories and of WikiText-2', async () => {
    const stories = await loadStories();
    for (const load of [loadTinyStories, loadWikiText2]) {
      const split = await load({ cacheDir, offline: true, say });
      expect(split).toEqual({ source: 'bundled', train: stories.slice(0, 2160), test: stories.slice(2160) });
    }
    expect(said[1]).toMatch(/^WikiText-2 is not at hand, and the bundled stories are used/);
  });

  it('but not where that is not wanted, nor for a wrong option', async () => {
    await expect(loadSst2({ cacheDir, offline: true, fallback: false })).rejects.toThrow(
      /^stanfordnlp\/sst2: .* cannot be reached \(offline by choice\)$/,
    );
    await expect(loadSst2({ cacheDir, offline: true, limit: 0 })).rejects.toThrow(
      'SST-2: limit must be a whole number of at least 1, got 0',
    );
  });
});

describe('a file of a data set', () => {
  const revision = SST2.commit;
  it('larger than allowed is refused before any of it is fetched', async () => {
    const local = await sst2Hub();
    const options = { hubUrl: local.url, cacheDir, progress: quiet, revision };
    await expect(downloadDatasetFile(SST2.id, TRAIN, { ...options, maxBytes: 100 })).rejects.toThrow(
      /train-00000-of-00001.parquet has 3661 bytes, more than the 100 allowed/,
    );
    expect(local.requests.filter((request) => request.includes('/resolve/'))).toEqual([]);
  });

  it('is asked for by a commit, an id and a path', async () => {
    const options = { cacheDir, offline: true, maxBytes: 1 };
    await expect(downloadDatasetFile(SST2.id, TRAIN, { ...options, revision: 'main' })).rejects.toThrow(
      'the revision must be a commit of 40 hexadecimal digits, got main',
    );
    await expect(downloadDatasetFile('../x', TRAIN, { ...options, revision })).rejects.toThrow(
      'not a hub id',
    );
    await expect(downloadDatasetFile(SST2.id, 'data/../../x', { ...options, revision })).rejects.toThrow(
      'is not a path in a repository',
    );
  });

  it('in Parquet is read row by row through a schema', async () => {
    const schema = z.object({ idx: z.number() });
    const rows = await readParquet(fixture('sst2.parquet'), schema, { columns: ['idx'], limit: 9 });
    expect(rows.map(({ idx }) => idx)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await expect(readParquet(fixture('sst2.parquet'), schema, { columns: ['other'] })).rejects.toThrow(
      /cannot be read as Parquet \(.*other/,
    );
    await expect(readParquet(fixture('none.parquet'), schema, { columns: [] })).rejects.toThrow('ENOENT');
  });
});
