/**
 * Public data sets, fetched from the hub once and then found in the cache. Where that cannot be, the bundled set of the
 * same kind takes their place and one sentence says so, so that a notebook runs anywhere.
 *
 * Each is pinned to a commit, and the hub's checksum of each file at that commit is verified. `docs/datasets.md` lists
 * their files, sizes and licences; none of them is part of this repository.
 */

import * as z from 'zod';
import type { HubOptions } from '../checkpoints/hub-connection.ts';
import { downloadDatasetFile } from '../checkpoints/hub-dataset.ts';
import { InputError } from '../errors.ts';
import { loadReviews, loadStories } from './bundled.ts';
import { readParquet } from './parquet.ts';
import type { Review, Split } from './records.ts';

export interface PublicDataOptions extends Omit<HubOptions, 'revision'> {
  /** At most so many documents or reviews to learn from, and at most a tenth of that to test on. All unless given. */
  limit?: number | undefined;
  /** Whether a bundled set may take the place of one that cannot be had; true unless given. */
  fallback?: boolean | undefined;
  /** Who is told that it did; `console.log` unless given. */
  say?: ((sentence: string) => void) | undefined;
}

export interface TinyStoriesOptions extends PublicDataOptions {
  /**
   * Learn from the first of the four training files (249 MB, 529,930 stories) and test on the validation file. Otherwise
   * only the validation file is fetched (10 MB, 21,990 stories), and its last tenth is the test part.
   */
  large?: boolean | undefined;
}

/** A public data set, and where it came from this time. */
export interface PublicSplit<T> extends Split<T> {
  source: 'hub' | 'bundled';
}

interface Source {
  /** What people call it. */
  name: string;
  id: string;
  revision: string;
  files: Record<string, { path: string; maxBytes: number }>;
}

const MEGABYTE = 1e6;

const TINY_STORIES = {
  name: 'TinyStories',
  id: 'roneneldan/TinyStories',
  revision: 'f54c09fd23315a6f9c86f9dc80f725de7d8f9c64',
  files: {
    large: { path: 'data/train-00000-of-00004-2d5a1467fff1081b.parquet', maxBytes: 300 * MEGABYTE },
    small: { path: 'data/validation-00000-of-00001-869c898b519ad725.parquet', maxBytes: 20 * MEGABYTE },
  },
} as const satisfies Source;

const WIKI_TEXT_2 = {
  name: 'WikiText-2',
  id: 'Salesforce/wikitext',
  revision: 'b08601e04326c79dfdd32d625aee71d232d685c3',
  files: {
    train: { path: 'wikitext-2-raw-v1/train-00000-of-00001.parquet', maxBytes: 20 * MEGABYTE },
    test: { path: 'wikitext-2-raw-v1/test-00000-of-00001.parquet', maxBytes: 5 * MEGABYTE },
  },
} as const satisfies Source;

const SST_2 = {
  name: 'SST-2',
  id: 'stanfordnlp/sst2',
  revision: '8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb',
  files: {
    train: { path: 'data/train-00000-of-00001.parquet', maxBytes: 10 * MEGABYTE },
    // The labels of the set's own test file are not public (all are −1), so tests are made on its validation file.
    test: { path: 'data/validation-00000-of-00001.parquet', maxBytes: 5 * MEGABYTE },
  },
} as const satisfies Source;

/**
 * TinyStories: short stories in simple English, written by GPT-3.5 and GPT-4 (Eldan and Li, 2023). Documents, each a list
 * of sentences in order, as `loadStories` gives them, which is what takes its place.
 */
export function loadTinyStories(options: TinyStoriesOptions = {}): Promise<PublicSplit<string[]>> {
  const { files } = TINY_STORIES;
  const read = async (path: string, limit?: number): Promise<string[][]> => {
    const rows = await readParquet(path, z.object({ text: z.string() }), { columns: ['text'], limit });
    return rows.map(({ text }) => sentencesOf(text)).filter((sentences) => sentences.length > 0);
  };
  return withFallback(TINY_STORIES.name, 'stories', options, storiesInParts, async () => {
    const small = await fetchFile(TINY_STORIES, files.small, options);
    if (options.large !== true) return inParts(await read(small));
    const train = await read(await fetchFile(TINY_STORIES, files.large, options), options.limit);
    return { train, test: await read(small) };
  });
}

/**
 * WikiText-2, the raw version: good articles of the English Wikipedia (Merity et al., 2017). Documents, each a list of
 * paragraphs in order, the title first. The bundled stories take its place.
 */
export function loadWikiText2(options: PublicDataOptions = {}): Promise<PublicSplit<string[]>> {
  const read = async (path: string): Promise<string[][]> => {
    const rows = await readParquet(path, z.object({ text: z.string() }), { columns: ['text'] });
    return articlesOf(rows.map(({ text }) => text));
  };
  return withFallback(WIKI_TEXT_2.name, 'stories', options, storiesInParts, async () => {
    const { train, test } = WIKI_TEXT_2.files;
    return {
      train: await read(await fetchFile(WIKI_TEXT_2, train, options)),
      test: await read(await fetchFile(WIKI_TEXT_2, test, options)),
    };
  });
}

/** Labels are stored with 64 bits, which JavaScript reads as bigint. */
const sst2Schema = z
  .object({ sentence: z.string().min(1), label: z.union([z.literal(0n), z.literal(1n)]) })
  .transform(({ sentence, label }): Review => ({ text: sentence.trim(), label: label === 1n ? 1 : 0 }));

/**
 * SST-2: sentences and phrases of film reviews with their sentiment, 1 positive and 0 negative (Socher et al., 2013). The
 * test part is the set's validation file. The bundled reviews take its place.
 */
export function loadSst2(options: PublicDataOptions = {}): Promise<PublicSplit<Review>> {
  const columns = ['sentence', 'label'];
  const read = async (file: Source['files'][string], limit?: number): Promise<Review[]> =>
    readParquet(await fetchFile(SST_2, file, options), sst2Schema, { columns, limit });
  return withFallback(SST_2.name, 'reviews', options, loadReviews, async () => ({
    train: await read(SST_2.files.train, options.limit),
    test: await read(SST_2.files.test),
  }));
}

function fetchFile(
  { id, revision }: Source,
  { path, maxBytes }: Source['files'][string],
  options: PublicDataOptions,
): Promise<string> {
  return downloadDatasetFile(id, path, { ...options, revision, maxBytes });
}

async function withFallback<T>(
  name: string,
  bundled: string,
  { limit, fallback = true, say = (sentence) => console.log(sentence) }: PublicDataOptions,
  loadBundled: () => Promise<Split<T>>,
  load: () => Promise<Split<T>>,
): Promise<PublicSplit<T>> {
  const shortened = ({ train, test }: Split<T>): Split<T> => ({
    train: train.slice(0, limit),
    test: test.slice(0, limit === undefined ? undefined : Math.ceil(limit / 10)),
  });
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new InputError(`${name}: limit must be a whole number of at least 1, got ${limit}`);
  try {
    return { source: 'hub', ...shortened(await load()) };
  } catch (error) {
    if (!(error instanceof InputError) || !fallback) throw error;
    say(`${name} is not at hand, and the bundled ${bundled} are used in its place: ${error.message}.`);
    return { source: 'bundled', ...shortened(await loadBundled()) };
  }
}

async function storiesInParts(): Promise<Split<string[]>> {
  return inParts(await loadStories());
}

/** The last tenth to test on. */
function inParts<T>(documents: T[]): Split<T> {
  const held = Math.ceil(documents.length / 10);
  return { train: documents.slice(0, -held), test: documents.slice(-held) };
}

const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });

function sentencesOf(text: string): string[] {
  return [...SENTENCES.segment(text)]
    .map(({ segment }) => segment.replace(/\s+/g, ' ').trim())
    .filter((sentence) => sentence !== '');
}

/** The lines of WikiText as articles. A title stands between single equals signs, a heading between two or more. */
function articlesOf(lines: readonly string[]): string[][] {
  const articles: string[][] = [];
  for (const line of lines.map((one) => one.trim())) {
    const title = /^= ([^=].*[^=]|[^=]) =$/.exec(line)?.[1];
    if (title !== undefined) articles.push([title]);
    else if (line !== '' && !/^= .* =$/.test(line)) articles.at(-1)?.push(line);
  }
  return articles;
}
