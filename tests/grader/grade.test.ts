import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradeAll } from '../../grader/batch.ts';
import type { ExerciseReport, SubmissionReport } from '../../grader/grade.ts';
import { reportFaults } from './schemas/faults.ts';

const SUBMISSIONS = path.join(import.meta.dirname, 'submissions');

describe('grading the sample submissions of 03-bert', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'lab-grade-'));
  let reports: ReadonlyMap<string, SubmissionReport>;
  const finished: string[] = [];

  beforeAll(async () => {
    const graded = await gradeAll({
      source: SUBMISSIONS,
      out,
      jobs: 2,
      timeoutMs: 10_000,
      memoryMb: 1024,
      resume: false,
      format: 'gradescope',
      seed: 'samples',
      onReport: ({ learner }) => finished.push(learner),
    });
    reports = new Map(graded.map((report) => [report.learner, report]));
  }, 600_000);

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const report = (learner: string): SubmissionReport => {
    const found = reports.get(learner);
    if (found === undefined) throw new Error(`no report on ${learner}`);
    return found;
  };
  const exercise = (learner: string, id: string): ExerciseReport => {
    const found = report(learner).exercises.find((one) => one.id === id);
    if (found === undefined) throw new Error(`no ${id} in the report on ${learner}`);
    return found;
  };
  const mistakes = (learner: string): Record<string, string> =>
    Object.fromEntries(
      report(learner).exercises.flatMap(({ id, mistake }) => (mistake ? [[id, mistake.id]] : [])),
    );

  it('gives the perfect one full marks and the empty one none', () => {
    const { points } = report('perfect');
    expect(report('perfect')).toMatchObject({ verdict: 'pass', score: points });
    expect(report('empty')).toMatchObject({ verdict: 'fail', score: 0, points });
    expect(exercise('empty', 'bert/pooler').problem).toContain('Not attempted yet');
  });

  it('grades what is done of a half-done one', () => {
    const verdicts = report('half-done').exercises.map(({ verdict }) => verdict);
    expect(verdicts.slice(0, 5)).toEqual(Array(5).fill('pass'));
    expect(verdicts.slice(5).every((verdict) => verdict === 'fail')).toBe(true);
  });

  it('names classic mistakes', () => {
    expect(mistakes('classic-mistakes')).toMatchObject({
      'bert/embeddings': 'norm-before-sum',
      'bert/pooler': 'no-tanh',
    });
    expect(mistakes('more-mistakes')).toMatchObject({
      'bert/pooler': 'mean-pooling',
      'bert/mlm-head': 'bias-lost',
    });
  });

  it('judges an exercise with reference versions of the earlier ones', () => {
    // The encoder calls the layer, which is wrong in this notebook; the encoder itself is right.
    expect(exercise('classic-mistakes', 'bert/encoder-layer').verdict).toBe('fail');
    expect(exercise('classic-mistakes', 'bert/encoder').verdict).toBe('pass');
  });

  it('says what is wrong with a shape, a name and a cell that is no program', () => {
    expect(exercise('shape-and-errors', 'bert/pooler').checks[0]?.message).toMatch(
      /should have shape \[2, 6\] but has \[2, 1, 6\]/,
    );
    expect(exercise('shape-and-errors', 'bert/encoder').checks[0]?.message).toContain('y is not defined');
    expect(exercise('shape-and-errors', 'bert/mlm-loss').problem).toContain('does not run');
  });

  it('stops an endless loop and grades everything around it', () => {
    expect(exercise('endless-loop', 'bert/encoder').checks[0]).toMatchObject({ status: 'timeout' });
    const others = report('endless-loop').exercises.filter(({ id }) => id !== 'bert/encoder');
    expect(others.every(({ verdict }) => verdict === 'pass')).toBe(true);
    expect(finished).toHaveLength(reports.size);
  });

  it('survives moved, doubled and deleted cells and reports them', () => {
    const { notices, exercises } = report('cells-moved');
    expect(notices.join()).toMatch(/bert\/embeddings: 2 cells carry/);
    expect(notices.join()).toMatch(/bert\/pooler: the answer cell is missing/);
    expect(exercises.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).toEqual([
      'bert/pooler',
    ]);
  });

  it.each(['not-a-notebook', 'essay.txt', 'truncated'])(
    'says in a sentence why %s cannot be graded',
    (learner) => {
      expect(report(learner)).toMatchObject({ verdict: 'fail', score: 0, chapter: '03-bert' });
      expect(report(learner).notices).toEqual([
        expect.stringMatching(/could not be graded: it is not a notebook/),
      ]);
    },
  );

  it('writes a table, a page and data for every learner', () => {
    const csv = readFileSync(path.join(out, 'grades.csv'), 'utf8').trim().split('\r\n');
    expect(csv).toHaveLength(reports.size + 1);
    const files = readdirSync(path.join(out, 'learners'));
    for (const learner of reports.keys()) {
      for (const ending of ['json', 'html', 'results.json']) expect(files).toContain(`${learner}.${ending}`);
    }
    const page = readFileSync(path.join(out, 'learners', 'classic-mistakes.html'), 'utf8');
    expect(page).toContain('What now?');
    expect(page).toContain('The tanh is missing');
    expect(readFileSync(path.join(out, 'index.html'), 'utf8')).toContain('learners/perfect.html');
    expect(readFileSync(path.join(out, 'junit.xml'), 'utf8')).toMatch(/<error [^>]*type="timeout"/);
  });

  it('writes what the readers of its reports were promised', async () => {
    expect(await reportFaults(out)).toEqual([]);
  });

  it('does not tell a learner the numbers of a hidden case, nor the seed they are drawn from', () => {
    for (const { learner, exercises, seed } of reports.values()) {
      for (const check of exercises.flatMap(({ checks }) => checks)) {
        if (check.visibility === 'hidden') expect(check.details).toBeUndefined();
      }
      expect(readFileSync(path.join(out, 'learners', `${learner}.html`), 'utf8')).not.toContain(seed);
      expect(readFileSync(path.join(out, 'learners', `${learner}.results.json`), 'utf8')).not.toContain(seed);
    }
  });
});
