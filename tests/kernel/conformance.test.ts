/** Jupyter's own conformance suite, in a virtual environment of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installKernel } from '../../src/kernel/index.ts';

const SUITE = join(import.meta.dirname, 'conformance', 'test_llm_lab.py');
const folder = mkdtempSync(join(tmpdir(), 'lab-conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The environment's Python with jupyter_kernel_test in it, or why there is none. */
function environment(): { python: string } | { reason: string } {
  const venv = join(folder, 'venv');
  try {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'pipe', timeout: 200_000 });
  } catch {
    return { reason: 'no Python 3 with venv here' };
  }
  const python = join(venv, 'bin', 'python');
  try {
    const packages = ['jupyter_kernel_test==0.7.0', 'nbformat==5.10.4'];
    execFileSync(
      python,
      ['-m', 'pip', 'install', '--quiet', '--retries', '0', '--timeout', '15', ...packages],
      {
        stdio: 'pipe',
        timeout: 200_000,
      },
    );
  } catch {
    return { reason: 'pip cannot install jupyter_kernel_test here' };
  }
  return existsSync(python) ? { python } : { reason: 'the virtual environment has no Python' };
}

test('all tests of jupyter_kernel_test pass, none skipped', { timeout: 600_000 }, (ctx) => {
  const found = environment();
  if ('reason' in found) {
    console.log(`skipped: ${found.reason}`);
    ctx.skip(found.reason);
    return;
  }
  installKernel({ prefix: join(folder, 'venv') });
  const run = spawnSync(found.python, [SUITE], { encoding: 'utf8', timeout: 200_000 });
  expect(run.stderr).toMatch(/Ran 12 tests[\s\S]*\nOK\n$/);
});
