import { beforeAll, describe, expect, it } from 'vitest';
import { startJudgeBackend } from '../../grader/backend.ts';
import { allExercises } from '../../grader/discover.ts';
import { faults } from '../../grader/proof.ts';
import { startBackend } from '../../src/backends/index.ts';

/** LLM_LAB_PROOF_SEEDS=20 for the long proof; LLM_LAB_BACKEND=tensorflow, say, for another backend. */
const seeds = Number(process.env.LLM_LAB_PROOF_SEEDS ?? 1);
/** `cpu` judges in `lab grade`; `wasm` is what notebooks run on. */
const backends = process.env.LLM_LAB_BACKEND === undefined ? ['cpu', 'wasm'] : [process.env.LLM_LAB_BACKEND];
const exercises = await allExercises();

describe.each(backends)('every exercise judges rightly on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'cpu') await startJudgeBackend();
    else await startBackend(backend);
  });

  it.each(exercises.map((exercise) => [exercise.id, exercise] as const))(
    '%s: the reference and its variants pass, the stub fails, each mutant is named by its own diagnosis',
    async (_, exercise) => {
      const found: string[] = [];
      // Another seed on every backend, so that a short run sees more.
      for (let seed = 0; seed < seeds; seed++) found.push(...(await faults(exercise, `${backend}-${seed}`)));
      expect(found).toEqual([]);
    },
  );
});

describe('the exercises', () => {
  it('have ids that no two share and at least three mutants each', () => {
    expect(new Set(exercises.map(({ id }) => id)).size).toBe(exercises.length);
    for (const { mutants } of exercises) expect(mutants.length).toBeGreaterThanOrEqual(3);
  });
});
