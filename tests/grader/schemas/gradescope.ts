/**
 * Gradescope's results.json, strictly: the fields of “Output format”, “Controlling test case visibility”, “Test case status” and “Output
 * string formatting” in https://gradescope-autograders.readthedocs.io/en/latest/specs/, and no others.
 */
import { z } from 'zod';

const visibility = z.enum(['hidden', 'after_due_date', 'after_published', 'visible']);
const format = z.enum(['text', 'html', 'simple_format', 'md', 'ansi']);
const extra = z.record(z.string(), z.unknown());

const test = z.strictObject({
  score: z.number().optional(),
  max_score: z.number().optional(),
  status: z.enum(['passed', 'failed']).optional(),
  name: z.string().optional(),
  name_format: format.optional(),
  /** A string: “1.1”. */
  number: z.string().optional(),
  output: z.string().optional(),
  output_format: format.optional(),
  tags: z.array(z.string()).optional(),
  visibility: visibility.optional(),
  extra_data: extra.optional(),
});

export const gradescopeResultsSchema = z
  .strictObject({
    score: z.number().optional(),
    /** Seconds. */
    execution_time: z.number().nonnegative().optional(),
    output: z.string().optional(),
    output_format: format.optional(),
    test_output_format: format.optional(),
    test_name_format: format.optional(),
    visibility: visibility.optional(),
    stdout_visibility: visibility.optional(),
    extra_data: extra.optional(),
    tests: z.array(test).optional(),
    leaderboard: z
      .array(
        z.strictObject({
          name: z.string(),
          value: z.union([z.number(), z.string()]),
          order: z.enum(['asc', 'desc']).optional(),
        }),
      )
      .optional(),
  })
  .refine(
    ({ score, tests }) => score !== undefined || (tests !== undefined && tests.length > 0),
    'a score is required at the top or on the tests, and there are neither',
  )
  .refine(
    ({ score, tests = [] }) => score !== undefined || tests.some((one) => one.score !== undefined),
    'no test carries a score, and there is none at the top',
  );
