/** `lab run` with a kernel that is not ours: ipykernel, as Jupyter installs it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readNotebook } from '../../src/kernel/client/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'lab-python-kernel-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The prefix of a Python that has ipykernel and its kernel specification; undefined if there is none. */
function prefixWithKernel(): string | undefined {
  for (const python of [join(ROOT, '.venv', 'bin', 'python'), 'python3']) {
    const asked = spawnSync(python, ['-c', 'import ipykernel, sys; print(sys.prefix)'], { encoding: 'utf8' });
    const prefix = asked.stdout?.trim();
    if (asked.status === 0 && existsSync(join(prefix, 'share', 'jupyter', 'kernels', 'python3')))
      return prefix;
  }
  return undefined;
}

const prefix = prefixWithKernel();

function run(cells: string[], ...options: string[]) {
  const path = join(folder, 'notebook.ipynb');
  const code = cells.map((source) => ({
    cell_type: 'code',
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' };
  writeFileSync(
    path,
    JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: { kernelspec }, cells: code }),
  );
  const main = join(ROOT, 'src', 'cli', 'main.ts');
  const result = spawnSync(process.execPath, [main, 'run', path, '--inplace', ...options], {
    encoding: 'utf8',
    env: { ...process.env, JUPYTER_PATH: join(prefix ?? '', 'share', 'jupyter') },
  });
  return { result, path, outputs: readNotebook(path).cells.map(({ outputs }) => outputs) };
}

function withPython(name: string, action: () => void): void {
  test(name, { timeout: 200_000 }, (context) => {
    if (prefix === undefined) {
      const reason = 'no Python here has ipykernel (npm start installs it in .venv)';
      console.log(`skipped: ${reason}`);
      context.skip(reason);
      return;
    }
    action();
  });
}

withPython('a Python notebook runs in the Python of its own kernel, and its saved outputs are valid', () => {
  const { result, path, outputs } = run([
    'import sys; print(sys.prefix); print("err", file=sys.stderr)',
    'from IPython.display import display, HTML; handle = display(HTML("<b>1</b>"), display_id="x"); 6 * 7',
    'from IPython.display import update_display; update_display(HTML("<b>2</b>"), display_id="x")',
  ]);
  expect(result.stdout).toMatch(/3 of 3 cells in .*: ok/);
  expect(result.status).toBe(0);
  expect(outputs[0]).toEqual(
    expect.arrayContaining([
      { output_type: 'stream', name: 'stdout', text: `${prefix}\n` },
      { output_type: 'stream', name: 'stderr', text: 'err\n' },
    ]),
  );
  expect(outputs[1]).toMatchObject([
    { output_type: 'display_data', data: { 'text/html': '<b>2</b>' } },
    { output_type: 'execute_result', execution_count: 2, data: { 'text/plain': '42' } },
  ]);
  expect(outputs[2]).toEqual([]);
  const script = 'import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))';
  const python = join(prefix ?? '', 'bin', 'python3');
  const checked = spawnSync(python, ['-c', script, path], { encoding: 'utf8' });
  expect(checked.status === 0 || /No module named 'nbformat'/.test(checked.stderr)).toBe(true);
});

withPython(
  'a Python cell that fails, and one that takes too long, are told as those of our own kernel',
  () => {
    const failed = run(['1 / 0', '2']);
    expect(failed.result.status).toBe(1);
    expect(failed.result.stdout).toMatch(/ZeroDivisionError[\s\S]*1 of 2 cells/);
    expect(failed.outputs[0]).toMatchObject([{ output_type: 'error', ename: 'ZeroDivisionError' }]);
    const endless = run(['while True: pass'], '--timeout', '2', '--json');
    expect(endless.result.status).toBe(1);
    expect(JSON.parse(endless.result.stdout)).toMatchObject([{ failures: [{ number: 1, kind: 'timeout' }] }]);
  },
);
