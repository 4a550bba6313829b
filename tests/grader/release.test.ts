import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { allExercises } from '../../grader/discover.ts';
import { gradescopeZip, nbgraderChecksum, withNbgrader } from '../../grader/release.ts';
import { gradescopeResults } from '../../grader/report/tables.ts';
import { readZip } from '../../grader/zip.ts';
import { NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';

describe('notebooks for nbgrader', () => {
  // Computed by nbgrader 0.9.5: nbgrader.utils.compute_checksum on code cells with this metadata.
  it.each([
    [
      "check('a/b', f);\n",
      { grade: true, solution: false, locked: true, grade_id: 't1', points: 2 },
      'a70676498f72662d1c38e9d395519f4e',
    ],
    [
      'x ü',
      { grade: false, solution: true, locked: false, grade_id: 's1' },
      'd60b78d1e40a0908fbde26b0dcb4debc',
    ],
    [
      'y',
      { grade: false, solution: false, locked: true, grade_id: 'r1' },
      '42c56cb085c45246568eba09547f60e3',
    ],
    [
      'z',
      { grade: true, solution: true, locked: false, grade_id: 'm1', points: 0.5 },
      'c13fda1336afdaeafbdc116d6ddb1b19',
    ],
  ])('carry the checksum that nbgrader computes: %j', (source, cell, checksum) => {
    expect(nbgraderChecksum(source, 'code', cell)).toBe(checksum);
  });

  it('mark answers as solutions and the check of each as a test worth its points', async () => {
    const exercises = new Map((await allExercises()).map((exercise) => [exercise.id, exercise]));
    const master = await loadMaster(path.join(NOTEBOOKS_FOLDER, 'source', '03-bert.ts'));
    const { cells } = withNbgrader(notebookOf(master), exercises);
    const answers = cells.filter((cell) => JSON.stringify(cell.metadata.lab)?.includes('"answer"'));
    expect(answers.length).toBeGreaterThanOrEqual(10);
    for (const { metadata } of answers)
      expect(metadata.nbgrader).toMatchObject({
        schema_version: 3,
        solution: true,
        grade: false,
        locked: false,
      });
    const graded = cells.filter(({ metadata }) => JSON.stringify(metadata.nbgrader).includes('"grade":true'));
    expect(graded).toHaveLength(answers.length);
  });
});

describe('the autograder for Gradescope', () => {
  it('is a zip with setup.sh and run_autograder at its top and everything they run', async () => {
    const names = (await readZip(await gradescopeZip('03-bert'))).map(({ name }) => name);
    for (const name of [
      'setup.sh',
      'run_autograder',
      'package-lock.json',
      'src/cli/bootstrap.mjs',
      'grader/batch.ts',
      'notebooks/source/03-bert.ts',
    ]) {
      expect(names).toContain(name);
    }
    expect(names.some((name) => name.includes('node_modules') || name.startsWith('tests/'))).toBe(false);
  });

  it('reports every exercise as a test with its points, and no mark where the machine broke', () => {
    const exercise = {
      id: 'a/b',
      title: 'A',
      points: 2,
      score: 0,
      verdict: 'error',
      seed: 's',
      checks: [],
      hiddenRemaining: 0,
      problem: 'broken',
    } as const;
    const report = {
      learner: 'x',
      file: 'x',
      chapter: 'c',
      seed: 's',
      verdict: 'error',
      score: null,
      points: 2,
      notices: [],
      exercises: [exercise],
    } as const;
    const results = gradescopeResults([report]);
    expect(results).toMatchObject({
      tests: [{ name: 'A (a/b)', max_score: 2 }],
      stdout_visibility: 'hidden',
    });
    expect(JSON.stringify(results)).not.toContain('"status"');
  });
});
