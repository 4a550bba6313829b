import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { allExercises } from '../../grader/discover.ts';
import { gradescopeZip, nbgraderChecksum, withNbgrader } from '../../grader/release.ts';
import { gradescopeResults } from '../../grader/report/tables.ts';
import { readZip } from '../../grader/zip.ts';
import { NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { gradescopeResultsSchema } from './schemas/gradescope.ts';

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
  const zip = gradescopeZip('03-bert');

  it('is a zip with setup.sh and run_autograder at its top and everything they run', async () => {
    const names = (await readZip(await zip)).map(({ name }) => name);
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

  it('has scripts that a shell can read, in the places Gradescope documents', async () => {
    const entries = await readZip(await zip);
    for (const name of ['setup.sh', 'run_autograder']) {
      const script = Buffer.from(
        (await entries.find((entry) => entry.name === name)?.read()) ?? [],
      ).toString();
      expect(script).toMatch(/^#!\/usr\/bin\/env bash\n/);
      if (process.platform !== 'win32') execFileSync('bash', ['-n'], { input: script });
    }
  });

  /** Runs run_autograder with its folders moved, and with a grader in place of ours that does what `grade` says. */
  async function runAutograder(grade: string): Promise<string | undefined> {
    const root = mkdtempSync(path.join(tmpdir(), 'lab-autograder-'));
    try {
      const entries = await readZip(await zip);
      const bytes = (await entries.find(({ name }) => name === 'run_autograder')?.read()) ?? [];
      const script = Buffer.from(bytes).toString().replaceAll('/autograder/', `${root}/`);
      mkdirSync(path.join(root, 'source', 'src', 'cli'), { recursive: true });
      // --out is the argument after the submission's folder.
      const grader = `const out = process.argv[process.argv.indexOf('--out') + 1]; const write = (text) => require('fs').writeFileSync(out + '/results.json', text); ${grade}`;
      writeFileSync(
        path.join(root, 'source', 'src', 'cli', 'bootstrap.mjs'),
        `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); ${grader}`,
      );
      execFileSync('bash', ['-c', script], { stdio: 'ignore' });
      const results = path.join(root, 'results', 'results.json');
      return existsSync(results) ? readFileSync(results, 'utf8') : undefined;
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  it.skipIf(process.platform === 'win32')(
    'hands Gradescope the results, a zero for no notebook, and nothing when the machine broke',
    async () => {
      expect(await runAutograder(`write('{"score": 7}'); process.exit(0)`)).toBe('{"score": 7}');
      const none = await runAutograder('process.exit(2)');
      expect(gradescopeResultsSchema.parse(JSON.parse(none ?? ''))).toMatchObject({ score: 0 });
      expect(await runAutograder('process.exit(1)')).toBeUndefined();
      expect(await runAutograder('process.kill(process.pid, "SIGKILL")')).toBeUndefined();
    },
  );

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
