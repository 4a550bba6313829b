import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { findKernel, parseNotebook, readNotebook, runNotebook } from '../../src/kernel/client/index.ts';
import { OutputCollector } from '../../src/kernel/client/outputs.ts';
import { installKernel } from '../../src/kernel/index.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'lab-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function notebookText(cells: string[], metadata: Record<string, unknown> = {}): string {
  const code = cells.map((source) => ({
    cell_type: 'code',
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  const markdown = { cell_type: 'markdown', metadata: {}, source: ['# title\n', 'text'] };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells: [markdown, ...code] });
}

function lab(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, 'run', ...args], { encoding: 'utf8', cwd: folder });
}

test('outputs are those a front end would save', async () => {
  const cells = [
    'console.log(1); console.log(2); console.error("e"); 42',
    'import { newDisplay } from "tslab"; const bar = newDisplay(); bar.text("0 %"); bar.text("100 %")',
    'bar.text("updated from later")',
  ];
  const { notebook, failures, executed } = await runNotebook(parseNotebook(notebookText(cells), 'x'), {
    cwd: folder,
  });
  expect(failures).toEqual([]);
  expect(executed).toBe(3);
  expect(notebook.nbformat_minor).toBe(5);
  expect(new Set(notebook.cells.map(({ id }) => id)).size).toBe(4);
  const [, first, second, third] = notebook.cells;
  expect(first?.outputs).toEqual([
    { output_type: 'stream', name: 'stdout', text: '1\n2\n' },
    { output_type: 'stream', name: 'stderr', text: 'e\n' },
    { output_type: 'execute_result', execution_count: 1, data: { 'text/plain': '42' }, metadata: {} },
  ]);
  // a progress bar leaves one output, in its last state, wherever it was updated from
  expect(second?.outputs).toEqual([
    { output_type: 'display_data', data: { 'text/plain': 'updated from later' }, metadata: {} },
  ]);
  expect(third?.outputs).toEqual([]);
});

test('clear_output clears, at once or with the next output', () => {
  const collector = new OutputCollector();
  const outputs = collector.begin();
  const header = (msg_type: string) => ({
    msg_id: '',
    msg_type,
    session: '',
    username: '',
    date: '',
    version: '',
  });
  const stream = (text: string) =>
    collector.add({ header: header('stream'), content: { name: 'stdout', text }, metadata: {} });
  const clear = (wait: boolean) =>
    collector.add({ header: header('clear_output'), content: { wait }, metadata: {} });
  stream('a');
  clear(false);
  expect(outputs).toEqual([]);
  stream('b');
  clear(true);
  expect(outputs).toHaveLength(1);
  stream('c');
  expect(outputs).toEqual([{ output_type: 'stream', name: 'stdout', text: 'c' }]);
});

describe('lab run', () => {
  test('saves a failing notebook up to its error, exits with 1 and stops there', () => {
    const path = join(folder, 'fails.ipynb');
    writeFileSync(path, notebookText(['1', 'throw new Error("here")', '3']));
    const run = lab(path, '--inplace');
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/Error: here[\s\S]*In\[2\]:1:7[\s\S]*2 of 3 cells/);
    const [, first, second, third] = readNotebook(path).cells;
    expect(first?.outputs).toHaveLength(1);
    expect(second?.outputs?.[0]).toMatchObject({ output_type: 'error', ename: 'Error', evalue: 'here' });
    expect(third?.outputs).toEqual([]);
  });

  test('interrupts a cell at its time limit and reports it as JSON', () => {
    const path = join(folder, 'endless.ipynb');
    const text = notebookText(['for (;;) {}']);
    writeFileSync(path, text);
    const run = lab(path, '--timeout', '0.5', '--json');
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject([
      { notebook: 'endless.ipynb', failures: [{ number: 1, kind: 'timeout' }] },
    ]);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test.each([
    ['not JSON', 'hello', /is not JSON/],
    ['an older format', '{"nbformat": 3, "worksheets": []}', /format 3; expected format 4/],
    ['no cells', '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', /cells/],
    ['a cell of an unknown kind', notebookText([]).replace('markdown', 'poem'), /cell_type/],
  ])('refuses what is no notebook: %s', (name, text, reason) => {
    const path = join(folder, `${name}.ipynb`);
    writeFileSync(path, text);
    const run = lab(path, '--inplace');
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/^lab: [^\n]*\n$/);
    expect(run.stderr).toMatch(reason);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('refuses options that contradict each other, and paths that are not there', () => {
    expect(lab(join(folder, 'nowhere.ipynb'))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/nowhere/),
    });
    expect(lab(folder, '--inplace', '--output', 'x').status).toBe(2);
    expect(lab(join(folder, 'fails.ipynb'), '--kernel', 'klingon')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no kernel is called klingon; there is .*llm-lab/),
    });
  });
});

test('the kernel is installed with absolute paths, where asked', () => {
  const prefix = join(folder, 'venv');
  expect(installKernel({ prefix })).toBe(join(prefix, 'share', 'jupyter', 'kernels', 'llm-lab'));
  expect(installKernel({ dir: folder })).toBe(join(folder, 'kernels', 'llm-lab'));
  const spec = JSON.parse(readFileSync(join(folder, 'kernels', 'llm-lab', 'kernel.json'), 'utf8'));
  expect(spec).toMatchObject({
    display_name: 'TypeScript (LLM Lab)',
    language: 'typescript',
    interrupt_mode: 'message',
  });
  expect(spec.argv[0]).toBe(process.execPath);
  expect(spec.argv.at(-1)).toBe('{connection_file}');
});

test('a kernel.json that is none is an input error', () => {
  const kernels = join(folder, 'jupyter', 'kernels', 'broken');
  mkdirSync(kernels, { recursive: true });
  writeFileSync(join(kernels, 'kernel.json'), '{"argv": []}');
  process.env.JUPYTER_PATH = join(folder, 'jupyter');
  expect(() => findKernel('broken')).toThrow(InputError);
  delete process.env.JUPYTER_PATH;
  expect(readdirSync(kernels)).toEqual(['kernel.json']);
});
