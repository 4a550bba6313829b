import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allExercises } from '../../grader/discover.ts';
import type { ExerciseReport, SubmissionReport } from '../../grader/grade.ts';
import type { CheckReport, Status } from '../../grader/judgement.ts';
import { withNbgrader } from '../../grader/release.ts';
import { fileNameOf } from '../../grader/report/names.ts';
import { gradescopeResults, junitXml } from '../../grader/report/tables.ts';
import { writeLearner, writeSummary } from '../../grader/report/write.ts';
import { confinementWarning } from '../../grader/sandbox/confine.ts';
import { summarise } from '../../grader/submission-report.ts';
import { loadMasters } from '../../src/notebook/course.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';
import { parseCsv } from './schemas/csv.ts';
import { junitFaults, reportFaults } from './schemas/faults.ts';
import { gradescopeResultsSchema } from './schemas/gradescope.ts';
import { notebookSchema } from './schemas/nbformat.ts';
import { nbgraderFaults } from './schemas/nbgrader.ts';

/** Text that breaks formats: markup, separators, formulas, control characters, half a character, other directions. */
const NASTY = [
  'Ada Lovelace',
  '<script>alert(1)</script>',
  '</title><img src=x onerror=alert(1)>',
  ']]></testsuite>&amp;&#0;',
  '=HYPERLINK("http://evil","x")',
  '+1',
  '-1',
  '@SUM(1)',
  '\t=1',
  '＝1',
  'a,b;c\td"e"\'f',
  'line\r\nbreak\nand\u2028more',
  '\u0000\u0007\u001b[31mred\u009b',
  'half \ud800 a character',
  'user\u202e\u2066gnp.exe',
  'محمد 李 🧪',
  '__proto__',
  'constructor',
  '../../etc/passwd',
];

const STATUSES: readonly Status[] = ['passed', 'wrong', 'threw', 'timeout', 'died', 'skipped'];

function check(status: Status, text: string): CheckReport {
  const base = { name: `case ${text}`, kind: 'case', visibility: 'public', weight: 1, status } as const;
  if (status === 'passed') return base;
  return {
    ...base,
    message: `message ${text}`,
    findings: [text],
    ...(status === 'wrong'
      ? {
          details: {
            inputs: [text],
            expected: text,
            got: text,
            first: text,
            worst: text,
            tolerance: 'exact',
            picture: { path: text, shape: [2, 3], rows: ['012', '345'], cropped: false },
          },
          mistake: { id: 'known', diagnosis: text },
        }
      : {}),
  };
}

/** A report on a learner with a nasty name, in which everything that can happen has happened. */
function nastyReport(text: string, broken: boolean): SubmissionReport {
  const base = { title: text, points: 3, score: 0, seed: 'seed-1', hiddenRemaining: 1 } as const;
  const exercises: ExerciseReport[] = [
    { ...base, id: 'a/right', score: 3, verdict: 'pass', checks: [check('passed', text)] },
    {
      ...base,
      id: 'a/wrong',
      score: 0.5,
      verdict: 'fail',
      checks: STATUSES.map((status) => check(status, `${text} ${status}`)),
      mistake: { id: 'known', diagnosis: text },
    },
    { ...base, id: 'a/empty', verdict: 'fail', checks: [], problem: text },
    ...(broken ? [{ ...base, id: 'a/broken', verdict: 'error' as const, checks: [], problem: text }] : []),
  ];
  return summarise(
    { learner: text, file: `${text}.ipynb`, chapter: '90-tiny', seed: 'seed-1', notices: [text, 'second'] },
    exercises,
  );
}

describe('reports on learners with nasty names, errors and answers', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'lab-reports-'));
  const reports = NASTY.flatMap((text, i) => [nastyReport(text, i % 3 === 0)]);
  const nothing = summarise({ learner: 'nothing', file: 'x.txt', chapter: null, seed: 's', notices: [] }, []);
  const all = [...reports, nothing];

  beforeAll(() => {
    for (const report of all) writeLearner(out, report, new Map(), 'gradescope');
    writeSummary(out, all, 'gradescope');
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('are valid: JUnit, Gradescope, and a table that says the same as the JSON', async () => {
    expect(await reportFaults(out)).toEqual([]);
  });

  it('keep every name in the table, behind an apostrophe where it would be a formula', () => {
    const rows = parseCsv(readFileSync(path.join(out, 'grades.csv'), 'utf8'));
    const names = rows.slice(1).map(([learner]) => learner);
    for (const text of NASTY.map((name) => name.toWellFormed()))
      expect(names).toContain(/^[=+\-@\t＝]/.test(text) ? `'${text}` : text);
  });

  it('run no script and turn no text around', () => {
    for (const { learner } of all) {
      const page = readFileSync(path.join(out, 'learners', `${fileNameOf(learner)}.html`), 'utf8');
      for (const html of [page, readFileSync(path.join(out, 'index.html'), 'utf8')]) {
        expect(html).not.toMatch(/<script|<img|onerror=(?!alert)/);
        expect(html.match(/<\/title>/g)).toHaveLength(1);
        const unseen = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;
        expect([...html].filter((c) => unseen.test(c) && !'\t\n\r'.includes(c))).toEqual([]);
      }
    }
  });

  it('give no mark, not even a zero, where the machine failed', () => {
    const broken = reports[0];
    if (broken === undefined) throw new Error('no report');
    const rows = parseCsv(readFileSync(path.join(out, 'grades.csv'), 'utf8'));
    const header = rows[0] ?? [];
    expect(rows[1]?.[header.indexOf('score')]).toBe('');
    expect(rows[1]?.[header.indexOf('a/broken')]).toBe('error');
    expect(junitXml([broken])).toMatch(/<error message="Ada Lovelace" type="error"\/>/);
    expect(() => readFileSync(path.join(out, 'results.json'))).toThrow();
    const results = path.join(out, 'learners', `${fileNameOf(broken.learner)}.results.json`);
    expect(() => readFileSync(results)).toThrow();
    const test = gradescopeResults([broken]);
    expect(JSON.stringify(test)).toContain(
      '"name":"Ada Lovelace (a/broken)","number":"4","max_score":3,"output"',
    );
  });
});

describe('Gradescope’s results', () => {
  it('tell learners what was found in their notebook, not how the sandbox is closed', () => {
    const warning = confinementWarning('permissions');
    const notices = ['a/one: the answer cell is missing.', ...(warning === undefined ? [] : [warning])];
    const report = summarise({ learner: 'ada', file: 'x.ipynb', chapter: null, seed: 's', notices }, []);
    expect(warning).toMatch(/^bubblewrap does not work here/);
    expect(gradescopeResults([report])).toMatchObject({ output: 'a/one: the answer cell is missing.' });
  });
});

describe('the schemas that reports are held against', () => {
  it('refuse what Gradescope would', () => {
    const valid = { tests: [{ name: 'x', number: '1', score: 1, max_score: 2, status: 'passed' }] };
    const accepts = (results: unknown): boolean => gradescopeResultsSchema.safeParse(results).success;
    expect(accepts(valid)).toBe(true);
    expect(accepts({ score: 0, output: 'no notebook' })).toBe(true);
    expect(accepts({})).toBe(false);
    expect(accepts({ tests: [] })).toBe(false);
    expect(accepts({ tests: [{ name: 'x' }] })).toBe(false);
    expect(accepts({ ...valid, verdict: 'pass' })).toBe(false);
    expect(accepts({ tests: [{ score: '1' }] })).toBe(false);
    expect(accepts({ tests: [{ score: 1, status: 'pass' }] })).toBe(false);
    expect(accepts({ tests: [{ score: 1, number: 1 }] })).toBe(false);
    expect(accepts({ ...valid, visibility: 'public' })).toBe(false);
  });

  it('refuse what Jenkins would', async () => {
    const suite = (attributes: string, inner: string): string =>
      `<testsuites><testsuite ${attributes}>${inner}</testsuite></testsuites>`;
    const counts = 'name="s" tests="1" failures="0" errors="0" skipped="0"';
    const passed = '<testcase name="a" classname="b"/>';
    expect(await junitFaults(suite(counts, passed))).toEqual([]);
    for (const wrong of [
      suite('name="s" tests="1" failures="0"', passed),
      suite(counts, '<testcase classname="b"/>'),
      suite(counts, '<testcase name="a" classname="b"><wrong/></testcase>'),
      suite(counts, `${passed}${passed}`),
      suite(counts, '<testcase name="a" classname="b"><failure message="m"/></testcase>'),
      suite(counts.replace('"1"', '"one"'), passed),
      '<testsuites><unclosed></testsuites>',
    ])
      expect(await junitFaults(wrong), wrong).not.toEqual([]);
  });

  it('read a table as RFC 4180 writes it, and refuse one that is broken', () => {
    expect(parseCsv('a,"b ""c""",\r\n"x\r\ny",,\r\n')).toEqual([
      ['a', 'b "c"', ''],
      ['x\r\ny', '', ''],
    ]);
    for (const broken of ['a,b', 'a\nb\r\n', 'a"b\r\n', '"a\r\n']) expect(() => parseCsv(broken)).toThrow();
  });
});

describe('released notebooks of every chapter', () => {
  it('are notebooks of format 4.5, with nbgrader’s metadata and without', async () => {
    const exercises = new Map((await allExercises()).map((exercise) => [exercise.id, exercise]));
    const masters = await loadMasters();
    expect(masters.length).toBeGreaterThanOrEqual(10);
    for (const master of masters) {
      for (const variant of ['released', 'solved'] as const) {
        const notebook = notebookOf(master, { variant });
        const nbgrader = withNbgrader(notebook, exercises);
        expect(notebookSchema.safeParse(notebook).error, master.name).toBeUndefined();
        expect(notebookSchema.safeParse(nbgrader).error, master.name).toBeUndefined();
        expect(nbgraderFaults(nbgrader.cells), master.name).toEqual([]);
        const graded = nbgrader.cells.flatMap(({ metadata: { nbgrader: own } }) =>
          typeof own === 'object' && own !== null && 'points' in own ? [Number(own.points)] : [],
        );
        const answers = notebook.cells.filter(({ metadata: { lab } }) =>
          JSON.stringify(lab)?.includes('"answer"'),
        );
        expect(graded, master.name).toHaveLength(answers.length);
      }
    }
  });

  it('are refused by the schemas when they are damaged', async () => {
    const [master] = await loadMasters(path.join(import.meta.dirname, 'course'));
    if (master === undefined) throw new Error('the tiny chapter is missing');
    const exercises = new Map((await allExercises()).map((exercise) => [exercise.id, exercise]));
    const whole = withNbgrader(notebookOf(master), exercises);
    const accepts = (notebook: unknown): boolean => notebookSchema.safeParse(notebook).success;
    const [first, ...rest] = whole.cells;
    if (first === undefined) throw new Error('the tiny chapter is empty');
    expect(accepts({ ...whole, nbformat_minor: 4 })).toBe(false);
    expect(accepts({ ...whole, extra: 1 })).toBe(false);
    expect(accepts({ ...whole, cells: [first, ...whole.cells] })).toBe(false);
    expect(accepts({ ...whole, cells: [{ ...first, id: 'not an id' }, ...rest] })).toBe(false);
    expect(accepts({ ...whole, cells: [{ ...first, execution_count: 1.5 }, ...rest] })).toBe(false);
    expect(nbgraderFaults([{ ...first, source: ['edited'] }])).toEqual(['cell 0: its checksum is wrong']);
    expect(nbgraderFaults([...whole.cells, first]).join()).toContain('is taken');
    const older = { ...first, metadata: { nbgrader: { schema_version: 2 } } };
    expect(nbgraderFaults([older]).join()).toContain('schema_version');
  });
});
