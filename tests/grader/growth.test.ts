import { expect, it } from 'vitest';
import { measureGrowth } from '../../bench/grade/growth.ts';

it('the grader’s own memory does not grow with the number of submissions', async () => {
  const { samples, bytesPerSubmission, passed } = await measureGrowth(36, 2, 2);
  expect(passed).toBe(6);
  // A report and its recorded answers take some 100 KiB: kept, they would show twice over.
  expect(bytesPerSubmission).toBeLessThan(50 * 1024);
  expect(new Set(samples.map(({ tensors }) => tensors)).size).toBeLessThanOrEqual(2);
}, 900_000);
