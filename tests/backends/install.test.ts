import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeBackends } from '../../src/backends/index.ts';
import { installNative, removeNative, TENSORFLOW_VERSION } from '../../src/backends/native/install.ts';
import { KERNELS_VERSION } from '../../src/backends/native/kernels/library.ts';
import { installedNative } from '../../src/backends/native/record.ts';
import { findPython } from '../../src/cli/jupyter/python.ts';

const CACHE = join(import.meta.dirname, '../../.cache/backends/wheels/tensorflow');
const linux = process.platform === 'linux';
const search = await findPython();
const python = 'python' in search ? search.python.command[0] : undefined;

function cachedWheel(): string | undefined {
  const wheel = existsSync(CACHE) ? readdirSync(CACHE).find((file) => file.endsWith('.whl')) : undefined;
  return wheel === undefined ? undefined : join(CACHE, wheel);
}

/**
 * A TensorFlow wheel: one that is on this machine or, in continuous integration, where 270 MB surprise nobody, one
 * that pip fetches. Else the reason why there is none.
 */
function findWheel(): { wheel: string } | { reason: string } {
  if (!linux || python === undefined) return { reason: 'needs Linux and Python' };
  if (spawnSync('g++', ['--version']).status !== 0) return { reason: 'needs g++' };
  const here = process.env.LLM_LAB_TENSORFLOW_WHEEL ?? cachedWheel();
  if (here !== undefined) return { wheel: here };
  if (!process.env.CI) return { reason: 'no TensorFlow wheel here: run lab backend install, or set CI=true' };
  const project = `${process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow'}==${TENSORFLOW_VERSION}`;
  const pip = ['-m', 'pip', 'download', '--retries', '0', '--no-deps', '--only-binary', ':all:'];
  const { status, stderr } = spawnSync(python, [...pip, '--dest', CACHE, project], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  const wheel = cachedWheel();
  if (status === 0 && wheel !== undefined) return { wheel };
  return { reason: `pip could not fetch TensorFlow: ${stderr.trim().split('\n').at(-1) ?? 'no answer'}` };
}

/** What `lab doctor` and `lab backend status` say of the backend. */
async function detailOfTensorflow(): Promise<string | undefined> {
  return (await probeBackends()).find(({ name }) => name === 'tensorflow')?.detail;
}

describe('lab backend install', () => {
  let root = '';
  const before = process.env.LLM_LAB_BACKENDS;
  const quiet = { report: (): void => {} };
  let found: ReturnType<typeof findWheel> = { reason: 'not looked for' };
  let wheel = '';

  beforeAll(() => {
    found = findWheel();
  }, 300_000);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'llm-lab-backends-'));
    process.env.LLM_LAB_BACKENDS = root;
  });

  afterEach(() => {
    if (before === undefined) delete process.env.LLM_LAB_BACKENDS;
    else process.env.LLM_LAB_BACKENDS = before;
    rmSync(root, { recursive: true });
  });

  /** An installation from before, which must survive what fails. */
  function oldInstallation(): void {
    mkdirSync(join(root, 'tensorflow'));
    const record = { tensorflow: '2.20.0', installed: '2026-01-01T00:00:00Z' };
    writeFileSync(join(root, 'tensorflow', 'installed.json'), JSON.stringify(record));
  }

  /** A zip file with one text in it, named as a wheel. */
  function wheelWith(entry: string): string {
    const file = join(root, 'tensorflow-0-py3-none-any.whl');
    const program = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr(sys.argv[2], "text")';
    execFileSync(python ?? 'python3', ['-c', program, file, entry]);
    return file;
  }

  it('refuses a wheel without the library, and leaves the old installation', async (context) => {
    if (!linux || python === undefined) context.skip('needs Linux and Python');
    oldInstallation();
    const attempt = installNative('tensorflow', { ...quiet, wheel: wheelWith('tensorflow/__init__.py') });
    await expect(attempt).rejects.toThrow('the wheel holds no tensorflow/include');
    expect(installedNative('tensorflow')).toMatchObject({ tensorflow: '2.20.0' });
    expect(readdirSync(root).filter((entry) => entry.endsWith('.part'))).toEqual([]);
  });

  it('refuses a file that is not a wheel', async (context) => {
    if (!linux || python === undefined) context.skip('needs Linux and Python');
    const file = join(root, 'broken.whl');
    writeFileSync(file, 'half a downl');
    const attempt = installNative('tensorflow', { ...quiet, wheel: file });
    await expect(attempt).rejects.toThrow(/the wheel could not be read: .*zip/);
  });

  it('leaves the old installation when it is stopped', async (context) => {
    if (!linux || python === undefined) context.skip('needs Linux and Python');
    oldInstallation();
    const attempt = installNative('tensorflow', {
      ...quiet,
      wheel: wheelWith('tensorflow/include/a.h'),
      signal: AbortSignal.abort(new Error('stopped')),
    });
    await expect(attempt).rejects.toThrow('stopped');
    expect(installedNative('tensorflow')).toMatchObject({ tensorflow: '2.20.0' });
  });

  it('clears away what a killed installation left', async (context) => {
    if (!linux || python === undefined) context.skip('needs Linux and Python');
    mkdirSync(join(root, 'tensorflow.1234.part'));
    const attempt = installNative('tensorflow', { ...quiet, wheel: wheelWith('nothing') });
    await expect(attempt).rejects.toThrow();
    expect(existsSync(join(root, 'tensorflow.1234.part'))).toBe(false);
  });

  it('removes what is installed, and says whether there was anything', async () => {
    oldInstallation();
    expect(await removeNative('tensorflow')).toBe(true);
    expect(await removeNative('tensorflow')).toBe(false);
    expect(existsSync(join(root, 'tensorflow'))).toBe(false);
  });

  it('builds, verifies and starts TensorFlow from a wheel', { timeout: 900_000 }, async (context) => {
    if ('reason' in found) context.skip(found.reason);
    else wheel = found.wheel;
    const device = await installNative('tensorflow', { ...quiet, wheel });
    expect(device).toMatch(/^CPU, TensorFlow 2\.[\d.]+, the lab’s kernels on \d+ threads?$/);
    expect(installedNative('tensorflow')).toMatchObject({ kernels: KERNELS_VERSION });
    expect(await detailOfTensorflow()).toBe('native library installed');
    const script = `
      import { startBackend } from './src/backends/index.ts';
      console.log(JSON.stringify(await startBackend()));`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '../..'),
      encoding: 'utf8',
      env: { ...process.env, LLM_LAB_BACKEND: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(JSON.parse(printed)).toMatchObject({ name: 'tensorflow', reason: 'the fastest installed' });
    // Values, gradients and generation of whole models, on the kernels that were compiled here.
    const models = ['gpt2-lm', 'llama-lm-llama3', 't5-model', 'bert-pre-training'];
    const folders = models.map((model) => `tests/parity/fixtures/${model}`);
    execFileSync(process.execPath, ['src/cli/main.ts', 'parity', ...folders], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, LLM_LAB_BACKEND: 'tensorflow' },
      stdio: 'ignore',
    });
    // The tests that are skipped where the backend is not installed.
    const vitest = 'node_modules/vitest/vitest.mjs';
    const files = ['native', 'kernels', 'fused', 'memory'].map((name) => `tests/backends/${name}.test.ts`);
    const { status, stdout } = spawnSync(
      process.execPath,
      [vitest, 'run', ...files, 'tests/grader/proof-tensorflow.test.ts'],
      {
        cwd: join(import.meta.dirname, '../..'),
        encoding: 'utf8',
        env: { ...process.env, LLM_LAB_PROOF_SEEDS: '2' },
      },
    );
    expect(status, stdout.slice(-4000)).toBe(0);
    expect(stdout).toContain('every exercise judges rightly on tensorflow');
  });

  it('installs TensorFlow without the lab’s kernels where these cannot be compiled, and says so', {
    timeout: 300_000,
  }, async (context) => {
    if ('reason' in found) context.skip(found.reason);
    else wheel = found.wheel;
    const compiler = join(root, 'old-compiler');
    writeFileSync(
      compiler,
      '#!/bin/sh\ncase "$*" in *march*) echo too old >&2; exit 1;; esac\nexec g++ "$@"\n',
    );
    chmodSync(compiler, 0o755);
    const lines: string[] = [];
    const report = (line: string): void => void lines.push(line);
    const device = await installNative('tensorflow', { report, wheel, compiler });
    expect(device).toMatch(/^CPU, TensorFlow 2\.[\d.]+$/);
    expect(lines.join('\n')).toMatch(/The lab’s own kernels cannot be used: .* too old/);
    expect(installedNative('tensorflow')?.kernels).toBeUndefined();
    expect(await detailOfTensorflow()).toMatch(/slower than it could be: .*too old; npx lab backend install/);
  });

  it('tells of an installation from before the kernels that another one is faster', async () => {
    oldInstallation();
    writeFileSync(join(root, 'tensorflow', 'tfjs_binding.node'), 'an addon');
    expect(await detailOfTensorflow()).toMatch(
      /slower than it could be: .*; npx lab backend install tensorflow/,
    );
  });
});
