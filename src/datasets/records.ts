/** The records of the data sets, and how a line of a file becomes one. */

import * as z from 'zod';

const label = z.union([z.literal(0), z.literal(1)]);

export const reviewSchema = z.strictObject({ text: z.string().min(1), label });
export const sentencePairSchema = z.strictObject({
  first: z.string().min(1),
  second: z.string().min(1),
  label,
});

export const arithmeticSchema = z.strictObject({
  operation: z.enum(['add', 'subtract', 'multiply']),
  form: z.enum(['formula', 'story']),
  question: z.string().min(1),
  answer: z.string().regex(/^\d+$/),
});
export const textToTextSchema = z.strictObject({
  task: z.string().regex(/^[a-z]+$/),
  input: z.string().min(1),
  target: z.string().min(1),
});

/** A short opinion. Label 1 is positive, 0 negative. */
export type Review = z.infer<typeof reviewSchema>;

/** Two sentences. Label 1: they say the same; 0: one fact differs. */
export type LabelledPair = z.infer<typeof sentencePairSchema>;

/** A question whose answer is a whole number of at least 0, in digits: a formula such as "12 + 7", or a word problem. */
export type ArithmeticProblem = z.infer<typeof arithmeticSchema>;

/** An example of one of several tasks. The prefix that tells a model which is not in the input: see `tasksOf`. */
export type TextToTextRecord = z.infer<typeof textToTextSchema>;

/** The part of the data a model learns from, and the part it is judged on. */
export interface Split<T> {
  train: T[];
  test: T[];
}
