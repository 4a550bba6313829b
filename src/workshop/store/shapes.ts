/** Shapes of what statements written as text give back. */
import { z } from 'zod';

/** An instant: these statements give them as text. */
export const instantShape = z
  .union([z.date(), z.string()])
  .transform((value) => (value instanceof Date ? value : new Date(value)))
  .refine((value) => !Number.isNaN(value.getTime()), 'not an instant');

export const verdictShape = z.enum(['pass', 'fail', 'error']);
export type Verdict = z.infer<typeof verdictShape>;
