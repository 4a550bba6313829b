import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchOptions, gradeAll } from '../../grader/batch.ts';
import { JOURNAL } from '../../grader/journal.ts';
import { regradeAll } from '../../grader/regrade.ts';
import { InputError } from '../../src/errors.ts';
import { serializeNotebook } from '../../src/notebook/ipynb.ts';
import { COURSE, tinyNotebook } from './notebooks.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lab-resume-'));
const source = path.join(folder, 'in');
const MAIN = path.join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

const options = (out: string, more: Partial<BatchOptions> = {}): BatchOptions => ({
  source,
  out: path.join(folder, out),
  masters: COURSE,
  jobs: 2,
  timeoutMs: 20_000,
  memoryMb: 1024,
  resume: false,
  format: 'all',
  seed: 'resume',
  ...more,
});

/** Every file below a folder but the journal, with its contents. */
function contents(out: string): Record<string, string> {
  const root = path.join(folder, out);
  return Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== JOURNAL && !entry.parentPath.endsWith('answers'))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [path.relative(root, file), readFileSync(file, 'utf8')]),
  );
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once('exit', () => resolve()));

describe('a run that is interrupted', () => {
  beforeAll(async () => {
    mkdirSync(source);
    const wrong = {
      'bert/pooler':
        'const bertPooler = (p, h) => tf.tidy(() => linear(p.dense, tf.squeeze(tf.slice(h, [0, 0, 0], [-1, 1, -1]), [1])));',
    };
    for (let i = 0; i < 6; i++) {
      const notebook = await tinyNotebook('solved', i % 2 === 0 ? {} : wrong);
      writeFileSync(path.join(source, `learner-${i}.ipynb`), serializeNotebook(notebook));
    }
    await gradeAll(options('serial', { jobs: 1 }));
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the same reports one at a time and several at a time', async () => {
    await gradeAll(options('parallel', { jobs: 3 }));
    expect(contents('parallel')).toEqual(contents('serial'));
  }, 120_000);

  it('judged again from the recorded answers gives the same verdicts, and runs no learner’s code', async () => {
    await regradeAll({
      source: path.join(folder, 'serial'),
      out: path.join(folder, 'regraded'),
      format: 'all',
    });
    expect(contents('regraded')).toEqual(contents('serial'));
  }, 60_000);

  it('killed in the middle goes on from the journal and ends with the same bytes', async () => {
    const out = path.join(folder, 'killed');
    const args = [
      MAIN,
      'grade',
      source,
      '--out',
      out,
      '--masters',
      COURSE,
      '--seed',
      'resume',
      '--jobs',
      '2',
      '--memory',
      '1024',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    // Killed without warning as soon as the second verdict is told.
    let told = '';
    child.stdout?.on('data', (chunk) => {
      told += String(chunk);
      if (told.includes('[2/')) child.kill('SIGKILL');
    });
    await exited(child);
    const journal = path.join(out, JOURNAL);
    expect(readFileSync(journal, 'utf8').split('\n').length).toBeLessThan(8);
    // And cut off while writing a line.
    writeFileSync(journal, `${readFileSync(journal, 'utf8')}{"digest":"half a li`);
    await gradeAll(options('killed', { resume: true }));
    expect(contents('killed')).toEqual(contents('serial'));
  }, 120_000);

  it('grades again only what was handed in anew', async () => {
    const lines = (): number =>
      readFileSync(path.join(folder, 'killed', JOURNAL), 'utf8')
        .trim()
        .split('\n').length;
    const before = lines();
    await gradeAll(options('killed', { resume: true }));
    expect(lines()).toBe(before);
    writeFileSync(path.join(source, 'learner-1.ipynb'), serializeNotebook(await tinyNotebook('solved')));
    const reports = await gradeAll(options('killed', { resume: true }));
    expect(lines()).toBe(before + 1);
    expect(reports.find(({ learner }) => learner === 'learner-1')?.verdict).toBe('pass');
  }, 120_000);

  it('overwrites nothing and resumes nothing that is not there', async () => {
    await expect(gradeAll(options('serial'))).rejects.toThrow(InputError);
    await expect(gradeAll(options('nowhere', { resume: true }))).rejects.toThrow('no journal');
    await expect(gradeAll(options('serial', { resume: true, seed: 'other' }))).rejects.toThrow(
      'not the seed',
    );
    await expect(gradeAll(options('new', { only: ['bert/none'] }))).rejects.toThrow('no exercise');
    await expect(gradeAll(options('new', { chapter: '99-none' }))).rejects.toThrow('no chapter');
    expect(readdirSync(folder)).not.toContain('new');
  });
});
