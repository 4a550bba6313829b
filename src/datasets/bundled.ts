/** The data sets that come with the repository, made by `datasets/generators`. Their cards lie beside them. */

import { fileURLToPath } from 'node:url';
import type { TextToTextTask } from '../objectives/text-to-text.ts';
import { readDocuments, readRecords } from './files.ts';
import {
  type ArithmeticProblem,
  arithmeticSchema,
  type LabelledPair,
  type Review,
  reviewSchema,
  type Split,
  sentencePairSchema,
  type TextToTextRecord,
  textToTextSchema,
} from './records.ts';

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

/** Sums, differences and products. What the test part asks can be learned from no training text by heart. */
export function loadArithmetic(): Promise<Split<ArithmeticProblem>> {
  return loadSplit('arithmetic', (path) => readRecords(path, arithmeticSchema));
}

/** Six tasks as text in, text out. `tasksOf` makes of either part what `mixTasks` takes. */
export function loadTextToText(): Promise<Split<TextToTextRecord>> {
  return loadSplit('text-to-text', (path) => readRecords(path, textToTextSchema));
}

/** The tasks among the records, in the order of the alphabet, each with its name and a colon as the prefix. */
export function tasksOf(records: readonly TextToTextRecord[]): TextToTextTask[] {
  const names = [...new Set(records.map(({ task }) => task))].toSorted();
  return names.map((name) => ({
    name,
    prefix: `${name}: `,
    examples: records.flatMap(({ task, input, target }) => (task === name ? [{ input, target }] : [])),
  }));
}

async function loadSplit<T>(name: string, read: (path: string) => Promise<T[]>): Promise<Split<T>> {
  const [train, test] = await Promise.all([
    read(`${DATASETS_FOLDER}${name}/train.jsonl`),
    read(`${DATASETS_FOLDER}${name}/test.jsonl`),
  ]);
  return { train, test };
}
