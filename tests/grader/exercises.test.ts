import { beforeAll, describe, expect, it } from 'vitest';
import { startJudgeBackend } from '../../grader/backend.ts';
import { allExercises } from '../../grader/discover.ts';
import { localCandidate } from '../../grader/evaluate.ts';
import { judge } from '../../grader/judge.ts';

const exercises = await allExercises();

describe('the exercises', () => {
  beforeAll(startJudgeBackend);

  it('have ids that no two share and at least three mutants each', () => {
    expect(new Set(exercises.map(({ id }) => id)).size).toBe(exercises.length);
    for (const { mutants } of exercises) expect(mutants.length).toBeGreaterThanOrEqual(3);
  });

  it.each(exercises.map((exercise) => [exercise.id, exercise] as const))(
    '%s: on what `check` shows, no mistake is called by the name of another',
    { timeout: 120_000 },
    async (_, exercise) => {
      for (const mutant of exercise.mutants) {
        for (const seed of ['check', 'another', 'a third']) {
          const { verdict, mistake } = await judge(exercise, localCandidate(mutant), {
            seed,
            include: 'public',
          });
          // A mistake may show in hidden cases alone, or look like nothing known.
          if (verdict === 'fail' && mistake !== undefined) expect(mistake.id).toBe(mutant.id);
        }
      }
    },
  );
});
