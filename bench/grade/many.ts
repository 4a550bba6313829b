/** `npm run bench:many`: grades 1,000 small submissions, or as many as are asked for, and prints how the grader's memory went. */
import { availableParallelism } from 'node:os';
import { measureGrowth } from './growth.ts';

const count = Number(process.argv[2] ?? 1000);
const { bytesPerSubmission, passed, seconds } = await measureGrowth(
  count,
  Math.max(1, Math.floor(count / 50)),
  Math.min(2, availableParallelism()),
  ({ submissions, bytes, tensors }) =>
    console.log(`${submissions} submissions: ${(bytes / 2 ** 20).toFixed(1)} MiB, ${tensors} tensors`),
);
console.log(
  JSON.stringify({
    submissions: count,
    passed,
    seconds: Math.round(seconds),
    bytesPerSubmission: Math.round(bytesPerSubmission),
  }),
);
