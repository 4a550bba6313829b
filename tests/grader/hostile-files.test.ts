import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradeAll } from '../../grader/batch.ts';
import type { ExerciseReport, SubmissionReport } from '../../grader/grade.ts';
import { writeZip } from '../../grader/zip.ts';
import { type NotebookCell, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { COURSE, tinyNotebook } from './notebooks.ts';
import { reportFaults } from './schemas/faults.ts';

/** Full marks of bert/embeddings and bert/pooler. */
const [EMBEDDINGS, POOLER] = [2, 1];
const WRONG = 'const bertPooler = (params, hidden) => tf.zeros([hidden.shape[0], hidden.shape[2]]);';

const folder = mkdtempSync(path.join(tmpdir(), 'lab-hostile-files-'));
const source = path.join(folder, 'in');
let reports: ReadonlyMap<string, SubmissionReport>;

const isAnswer = ({ metadata: { lab } }: NotebookCell, exercise = ''): boolean =>
  typeof lab === 'object' && lab !== null && 'kind' in lab && lab.kind === 'answer' && 'exercise' in lab
    ? String(lab.exercise).includes(exercise)
    : false;

async function changed(
  variant: 'solved' | 'released',
  change: (cells: NotebookCell[]) => readonly unknown[],
  answers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const notebook = await tinyNotebook(variant, answers);
  return JSON.stringify({ ...notebook, cells: change(notebook.cells) });
}

/** A code cell that is nobody's answer. */
const cell = (text: string): NotebookCell => ({
  cell_type: 'code',
  id: `added-${Math.abs(text.length)}`,
  metadata: {},
  source: [text],
  outputs: [],
  execution_count: null,
});

/** The files that are handed in, by name. */
async function handedIn(): Promise<Record<string, string | Uint8Array>> {
  const perfect = serializeNotebook(await tinyNotebook('solved'));
  const wrong = { 'bert/pooler': WRONG };
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    'aaa-honest.ipynb': perfect,
    'zzz-honest.ipynb': perfect,
    'locked-edited.ipynb': await changed('solved', (cells) =>
      cells.map((one) =>
        isAnswer(one) ? one : { ...one, source: ['globalThis.linear = () => { throw new Error("mine"); };'] },
      ),
    ),
    'checks-patched.ipynb': await changed(
      'solved',
      (cells) => [
        cell('globalThis.check = async () => ({ passed: true }); process.exit = () => {};'),
        ...cells,
        cell('await check("bert/pooler", bertPooler); // 100 of 100 points'),
      ],
      wrong,
    ),
    'tests-deleted.ipynb': await changed('solved', (cells) => cells.filter((one) => isAnswer(one))),
    'answer-deleted.ipynb': await changed('solved', (cells) =>
      cells.filter((one) => !isAnswer(one, 'pooler')),
    ),
    'doubled.ipynb': await changed('solved', (cells) =>
      cells.flatMap((one) => (isAnswer(one, 'pooler') ? Array(500).fill(one) : [one])),
    ),
    'doubled-wrong-first.ipynb': await changed('solved', (cells) =>
      cells.flatMap((one) => (isAnswer(one, 'pooler') ? [{ ...one, source: [WRONG] }, one] : [one])),
    ),
    'reordered.ipynb': await changed('solved', (cells) => cells.toReversed()),
    'retyped.ipynb': await changed('solved', (cells) =>
      cells.map((one) => (isAnswer(one) ? { ...one, cell_type: 'raw' } : { ...one, cell_type: 'heading' })),
    ),
    'swapped-labels.ipynb': await changed('solved', (cells) => {
      const [a, b] = cells.filter((one) => isAnswer(one));
      if (a === undefined || b === undefined) throw new Error('the tiny chapter has two answers');
      return [
        { ...a, metadata: b.metadata },
        { ...b, metadata: a.metadata },
      ];
    }),
    'million-cells.ipynb': `{"nbformat":4,"metadata":{},"cells":[${'{},'.repeat(999_999)}{}]}`,
    'deep-metadata.ipynb': perfect.replace(
      '\n "metadata": {',
      `\n "metadata": {"x": ${'['.repeat(50_000)}${']'.repeat(50_000)}, "__proto__": {"lab": {"chapter": "x"}}, "$ref": "#", "self": {"$ref": "#/self"},`,
    ),
    'spaces.ipynb': await changed('solved', (cells) => cells, {
      'bert/pooler': `${WRONG}//${' '.repeat(200_000)}x`,
    }),
    'endless-spaces.ipynb': await changed('solved', (cells) => cells, {
      'bert/pooler': `${' '.repeat(8_000_000)}x`,
    }),
    'bomb.zip': writeZip([{ name: 'bomb.ipynb', bytes: new Uint8Array(400 * 1024 * 1024) }]),
    'nested.zip': writeZip([
      { name: 'inner.zip', bytes: writeZip([{ name: 'x.ipynb', bytes: bytes(perfect) }]) },
    ]),
    'climber.zip': writeZip([{ name: '../aaa-honest.ipynb', bytes: bytes(perfect) }]),
    'zipped.zip': writeZip([{ name: 'my/work.ipynb', bytes: bytes(perfect) }]),
    '=cmd|calc!A1.ipynb': perfect,
    '<img src=x onerror=alert(1)>.ipynb': perfect,
    'new\nline.ipynb': perfect,
    'user\u202egpj.ipynb': perfect,
  };
}

beforeAll(async () => {
  mkdirSync(source);
  for (const [name, contents] of Object.entries(await handedIn()))
    writeFileSync(path.join(source, name), contents);
  symlinkSync(path.join(source, 'aaa-honest.ipynb'), path.join(source, 'link.ipynb'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [path.join(source, 'pipe.ipynb')]);
  const graded = await gradeAll({
    source,
    out: path.join(folder, 'out'),
    masters: COURSE,
    jobs: 2,
    timeoutMs: 10_000,
    memoryMb: 1024,
    resume: false,
    format: 'gradescope',
    seed: 'files',
  });
  reports = new Map(graded.map((report) => [report.learner, report]));
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

describe('hostile files', () => {
  it('do not stop the batch: everyone has a report, honest learners full marks', () => {
    expect(reports.size).toBe(readdirSync(source).length);
    for (const learner of ['aaa-honest', 'zzz-honest', 'zipped'])
      expect(report(learner)).toMatchObject({ verdict: 'pass', score: EMBEDDINGS + POOLER });
  });

  it.each(['locked-edited', 'tests-deleted', 'doubled', 'reordered', 'retyped'])(
    '%s: the answers alone are graded, with the chapter’s own cells around them',
    (learner) => expect(report(learner)).toMatchObject({ verdict: 'pass', score: EMBEDDINGS + POOLER }),
  );

  it('say what was odd', () => {
    expect(report('doubled').notices.join()).toContain('500 cells carry this answer’s label');
    expect(report('retyped').notices.join()).toContain('was a raw cell');
    expect(report('answer-deleted').notices.join()).toContain('bert/pooler: the answer cell is missing');
  });

  it.each([
    ['checks-patched', 'bert/pooler', 0],
    ['answer-deleted', 'bert/pooler', 0],
    ['doubled-wrong-first', 'bert/pooler', 0],
    ['swapped-labels', 'bert/embeddings', 0],
    ['swapped-labels', 'bert/pooler', 0],
    ['spaces', 'bert/pooler', 0],
    ['endless-spaces', 'bert/pooler', 0],
  ])('%s: %s earns %d', (learner, id, score) =>
    expect(exercise(learner, id)).toMatchObject({ verdict: 'fail', score }),
  );

  it.each([
    ['million-cells', /1000000 cells/],
    ['bomb', /larger than 32 MiB|holds no notebook/],
    ['nested', /holds no notebook/],
    ['climber', /leads out of it/],
    ['link', /is a link/],
    ['pipe', /no regular file|cannot be opened/],
  ])('%s is refused in a sentence', (learner, why) => {
    expect(report(learner)).toMatchObject({ verdict: 'fail', score: 0 });
    expect(report(learner).notices.join()).toMatch(why);
  });

  it('reads no chapter out of a prototype, and no reference that leads to itself', () => {
    expect(report('deep-metadata')).toMatchObject({ chapter: '90-tiny', verdict: 'pass' });
  });

  it('with nasty names are graded all the same, into valid reports inside of the folder', async () => {
    for (const learner of ['=cmd|calc!A1', '<img src=x onerror=alert(1)>', 'new\nline', 'user\u202egpj'])
      expect(report(learner).verdict).toBe('pass');
    expect(await reportFaults(path.join(folder, 'out'))).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['in', 'out']);
    expect(readFileSync(path.join(folder, 'out', 'index.html'), 'utf8')).not.toMatch(/<img|\u202e/);
  });
});
