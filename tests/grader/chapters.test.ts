import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { gradeAll } from '../../grader/batch.ts';
import { loadMasters } from '../../src/notebook/course.ts';
import { notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lab-chapters-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the solutions of every chapter earn full marks in the sandbox', async () => {
  const source = path.join(folder, 'in');
  mkdirSync(source);
  for (const master of await loadMasters()) {
    writeFileSync(
      path.join(source, `${master.name}.ipynb`),
      serializeNotebook(notebookOf(master, { variant: 'solved' })),
    );
  }
  const reports = await gradeAll({
    source,
    out: path.join(folder, 'out'),
    jobs: 2,
    timeoutMs: 60_000,
    memoryMb: 1024,
    resume: false,
    format: 'all',
    seed: 'chapters',
  });
  const wrong = reports
    .filter(({ chapter }) => chapter !== null)
    .flatMap(({ exercises }) => exercises)
    .filter(({ verdict }) => verdict !== 'pass')
    .map(
      ({ id, problem, checks }) =>
        `${id}: ${problem ?? checks.find(({ status }) => status !== 'passed')?.message}`,
    );
  expect(wrong).toEqual([]);
  expect(reports.filter(({ verdict }) => verdict === 'pass').length).toBeGreaterThanOrEqual(5);
}, 280_000);
