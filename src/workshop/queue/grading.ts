/** How a worker grades: as `lab grade` does, in sandboxes of this machine. */
import { startJudgeBackend } from '../../../grader/backend.ts';
import { loadCourse } from '../../../grader/batch.ts';
import { gradeSubmission, type SubmissionReport } from '../../../grader/grade.ts';
import type { GradeContext } from '../../../grader/grading.ts';
import { bestConfinement, cacheFor } from '../../../grader/sandbox/confine.ts';
import { SandboxPool } from '../../../grader/sandbox/pool.ts';
import { UnreadableSubmission } from '../../../grader/submission.ts';
import type { RunSettings, Task } from './runs.ts';

export interface Grader {
  readonly grade: (task: Task, settings: RunSettings, seed: string) => Promise<SubmissionReport>;
  /** Ends every sandbox. */
  close(): Promise<void>;
}

/** @param jobs how many submissions are graded at a time */
export async function openGrader(jobs: number): Promise<Grader> {
  const [chapters, exercises] = await loadCourse();
  await startJudgeBackend();
  const confinement = await bestConfinement();
  const cache = await cacheFor(confinement);
  // Runs may allow submissions different amounts of memory.
  const pools = new Map<number, SandboxPool>();
  const poolFor = (memoryMb: number): SandboxPool => {
    const found = pools.get(memoryMb);
    if (found !== undefined) return found;
    const pool = new SandboxPool({ confinement, memoryMb, ...(cache === undefined ? {} : { cache }) }, jobs);
    pools.set(memoryMb, pool);
    return pool;
  };
  return {
    grade: (task, settings, seed) => {
      const { notebook, unreadable } = task;
      const read = async (): Promise<Uint8Array> => {
        if (notebook === null) throw new UnreadableSubmission(unreadable ?? 'it was not kept');
        return notebook;
      };
      const chapter = settings.chapter === undefined ? undefined : chapters.get(settings.chapter);
      const fallback = settings.fallback === undefined ? undefined : chapters.get(settings.fallback);
      const context: GradeContext = {
        chapters,
        exercises,
        pool: poolFor(settings.memoryMb),
        timeoutMs: settings.timeoutMs,
        ...(settings.only === undefined ? {} : { only: new Set(settings.only) }),
        ...(chapter === undefined ? {} : { chapter }),
        ...(fallback === undefined ? {} : { fallback }),
      };
      return gradeSubmission({ learner: task.learner, file: task.file, read }, seed, context);
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
