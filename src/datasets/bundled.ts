/** The data sets that come with the repository, made by `datasets/generators`. Their cards lie beside them. */

import { fileURLToPath } from 'node:url';
import { readDocuments, readRecords } from './files.ts';
import { type LabelledPair, type Review, reviewSchema, type Split, sentencePairSchema } from './records.ts';

/** The folder of the bundled data sets. */
export const DATASETS_FOLDER = fileURLToPath(new URL('../../datasets/', import.meta.url));

/** The stories: documents, each a list of sentences in order. */
export function loadStories(): Promise<string[][]> {
  return readDocuments(`${DATASETS_FOLDER}stories/stories.txt`);
}

/** The reviews with their sentiment. No text of the test part is in the training part. */
export function loadReviews(): Promise<Split<Review>> {
  return loadSplit('reviews', (path) => readRecords(path, reviewSchema));
}

/** Pairs of sentences that say the same, or nearly. */
export function loadSentencePairs(): Promise<Split<LabelledPair>> {
  return loadSplit('pairs', (path) => readRecords(path, sentencePairSchema));
}

async function loadSplit<T>(name: string, read: (path: string) => Promise<T[]>): Promise<Split<T>> {
  const [train, test] = await Promise.all([
    read(`${DATASETS_FOLDER}${name}/train.jsonl`),
    read(`${DATASETS_FOLDER}${name}/test.jsonl`),
  ]);
  return { train, test };
}
