import { beforeAll, describe, expect, it } from 'vitest';
import { startJudgeBackend } from '../../grader/backend.ts';
import { allExercises } from '../../grader/discover.ts';
import { faults } from '../../grader/proof.ts';

/** LLM_LAB_PROOF_SEEDS=20 for the long proof. */
const seeds = Number(process.env.LLM_LAB_PROOF_SEEDS ?? 2);
const exercises = await allExercises();

describe('every exercise judges rightly', () => {
  beforeAll(startJudgeBackend);

  it.each(exercises.map((exercise) => [exercise.id, exercise] as const))(
    '%s: the reference and its variants pass, the stub fails, each mutant is named by its own diagnosis',
    async (_, exercise) => {
      const found: string[] = [];
      for (let seed = 0; seed < seeds; seed++) found.push(...(await faults(exercise, `proof-${seed}`)));
      expect(found).toEqual([]);
    },
  );

  it('has ids that no two exercises share and at least three mutants each', () => {
    expect(new Set(exercises.map(({ id }) => id)).size).toBe(exercises.length);
    for (const { mutants } of exercises) expect(mutants.length).toBeGreaterThanOrEqual(3);
  });
});
