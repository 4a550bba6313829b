/** Reports that say whose they are, for tests of the queue. */
import { createHash } from 'node:crypto';
import { type SubmissionReport, seedOf } from '../../grader/grade.ts';
import type { Task } from '../../src/workshop/queue/runs.ts';

/** The score is drawn from the bytes: a report on anything else would have another. */
export const scoreOf = (notebook: Uint8Array): number =>
  createHash('sha256').update(notebook).digest().readUInt16BE();

export function reportOn({ learner, file, notebook }: Task, seed: string): SubmissionReport {
  const score = scoreOf(notebook ?? new Uint8Array());
  const common = { learner, file, chapter: '03-bert', seed: seedOf(seed, learner), verdict: 'fail' as const };
  return { ...common, score, points: 65_535, notices: [], exercises: [] };
}
