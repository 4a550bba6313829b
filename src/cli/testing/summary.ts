/** What a run of the tests came to: passed from the reporter, inside Vitest, to `lab test`. */
import { z } from 'zod';

export const summarySchema = z.object({
  passed: z.number(),
  failed: z.number(),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
});

export type Summary = z.infer<typeof summarySchema>;

/** Environment variable with the file that the reporter writes the summary to. */
export const SUMMARY_FILE = 'LLM_LAB_TEST_SUMMARY';

/** The last line of `npm test`: `12 passed, 0 failed`, and how many were skipped if any. */
export function closingLine({ passed, failed, skipped }: Summary): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped.length === 0 ? line : `${line}, ${skipped.length} skipped`;
}
