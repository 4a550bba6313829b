import { describe, expect, it } from 'vitest';
import { allExercises } from '../../grader/discover.ts';

const exercises = await allExercises();

describe('the exercises', () => {
  it('have ids that no two share and at least three mutants each', () => {
    expect(new Set(exercises.map(({ id }) => id)).size).toBe(exercises.length);
    for (const { mutants } of exercises) expect(mutants.length).toBeGreaterThanOrEqual(3);
  });
});
