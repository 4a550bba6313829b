/** The records of the bundled data sets, and how a line of a file becomes one. */

import * as z from 'zod';

const label = z.union([z.literal(0), z.literal(1)]);

export const reviewSchema = z.strictObject({ text: z.string().min(1), label });
export const sentencePairSchema = z.strictObject({
  first: z.string().min(1),
  second: z.string().min(1),
  label,
});

/** A short opinion. Label 1 is positive, 0 negative. */
export type Review = z.infer<typeof reviewSchema>;

/** Two sentences. Label 1: they say the same; 0: one fact differs. */
export type LabelledPair = z.infer<typeof sentencePairSchema>;

/** The part of the data a model learns from, and the part it is judged on. */
export interface Split<T> {
  train: T[];
  test: T[];
}
