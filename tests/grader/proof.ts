/** The proof of all exercises on one backend, for the test files that are named after it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { allExercises } from '../../grader/discover.ts';
import { faults } from '../../grader/proof.ts';

/** LLM_LAB_PROOF_SEEDS=1 for a quick look. */
const SEEDS = Number(process.env.LLM_LAB_PROOF_SEEDS ?? 20);
const exercises = await allExercises();

/** Declares the tests. `start` makes the backend the current one. */
export function proveEverything(backend: string, start: () => Promise<unknown>): void {
  describe(`every exercise judges rightly on ${backend}, on ${SEEDS} seeds`, () => {
    beforeAll(async () => {
      await start();
    });

    it.each(exercises.map((exercise) => [exercise.id, exercise] as const))(
      '%s: the reference and its variants pass, the stub fails, each mutant is named by its own diagnosis',
      { timeout: 300_000 },
      async (_, exercise) => {
        const found: string[] = [];
        // Other seeds on every backend, so that all together see more.
        for (let seed = 0; seed < SEEDS; seed++)
          found.push(...(await faults(exercise, `${backend}-${seed}`)));
        expect(found).toEqual([]);
      },
    );
  });
}
