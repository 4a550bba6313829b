import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeBackends } from '../../src/backends/index.ts';
import { BINARY, COMPILER, compileKernels, hasCompiler } from '../../src/backends/wasm/build.ts';
import { broadcastAxes } from '../../src/backends/wasm/elementwise.ts';
import { withSharedMemory } from '../../src/backends/wasm/shared-binary.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Runs a program that starts the backend, in a process of its own. */
function start(
  program: string,
  env: Record<string, string>,
): { stdout: string; stderr: string; status: number | null } {
  const script = `import { startBackend } from './src/backends/index.ts';\n${program}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, LLM_LAB_BACKENDS: join(ROOT, 'tests/backends/none'), LLM_LAB_BACKEND: '', ...env },
  });
}

describe('the choice of a backend', () => {
  it('is wasm where nothing else is installed; it is printed once, and the program ends by itself', () => {
    const program = 'await startBackend(); console.log((await startBackend()).name);';
    const { stdout, stderr, status } = start(program, {});
    expect(stdout).toBe('wasm\n');
    expect(stderr).toMatch(/^backend: wasm on \d+ CPU threads? \(the default\)\n$/);
    expect(status).toBe(0);
  });

  it('follows LLM_LAB_BACKEND, without the advertisement of TensorFlow.js', () => {
    const program = `
      import * as tf from '@tensorflow/tfjs-core';
      const { name, reason } = await startBackend();
      console.log(name, reason, (await tf.add(1, 2).data())[0]);`;
    const { stdout, stderr } = start(program, { LLM_LAB_BACKEND: 'cpu' });
    expect(stdout).toBe('cpu LLM_LAB_BACKEND 3\n');
    expect(stderr).toBe('backend: cpu on JavaScript (LLM_LAB_BACKEND)\n');
  });

  const message = 'try { await startBackend(); } catch (error) { console.log(error.name, error.message); }';

  it('refuses a name that is no backend, and says which there are', () => {
    expect(start(message, { LLM_LAB_BACKEND: 'gpu' }).stdout).toBe(
      'InputError LLM_LAB_BACKEND: unknown backend "gpu", expected one of wasm, tensorflow, cuda, webgpu, cpu\n',
    );
  });

  it('refuses a backend that is not installed, and says how to install it', () => {
    const { stdout } = start(message, { LLM_LAB_BACKEND: 'cuda' });
    expect(stdout).toMatch(/^InputError .*cuda cannot be used here.*npx lab backend install cuda\n$/);
  });

  describe('with an installation that is broken', () => {
    const folder = mkdtempSync(join(tmpdir(), 'llm-lab-broken-'));
    mkdirSync(join(folder, 'tensorflow'));
    writeFileSync(join(folder, 'tensorflow', 'tfjs_binding.node'), 'half an addon');
    afterAll(() => rmSync(folder, { recursive: true }));

    it('says so when it is asked for, and what else is possible', () => {
      const { stdout } = start(message, { LLM_LAB_BACKENDS: folder, LLM_LAB_BACKEND: 'tensorflow' });
      expect(stdout).toMatch(/^InputError .*tensorflow does not start: .*possible here: wasm/s);
    });

    it('goes on with wasm when nobody chose, and says why', () => {
      const program = 'console.log((await startBackend()).name);';
      const { stdout, stderr } = start(program, { LLM_LAB_BACKENDS: folder });
      expect(stdout).toBe('wasm\n');
      expect(stderr).toMatch(/^backend: wasm .*tensorflow is installed but does not start/);
    });
  });

  it('refuses a number of threads that is none', () => {
    const { stdout } = start(message, { LLM_LAB_BACKEND: 'wasm', LLM_LAB_THREADS: 'all' });
    expect(stdout).toMatch(/^InputError .*expected a number of threads from 1 to 64, got all/);
  });

  it('computes the same on one thread and on several', () => {
    const program = `
      import * as tf from '@tensorflow/tfjs-core';
      await startBackend('wasm');
      const a = tf.reshape(tf.range(0, 60000), [200, 300]);
      console.log((await tf.sum(tf.matMul(tf.sin(a), a, false, true)).data())[0]);`;
    const one = start(program, { LLM_LAB_THREADS: '1' });
    const four = start(program, { LLM_LAB_THREADS: '4' });
    expect(one.stderr).toContain('1 CPU thread ');
    expect(four.stderr).toContain('4 CPU threads');
    expect(Number(four.stdout) / Number(one.stdout)).toBeCloseTo(1, 5);
  });
});

describe('probes', () => {
  it('tell of every backend whether it is available, and how to get it if not', async () => {
    const probes = await probeBackends();
    expect(probes.map(({ name }) => name)).toEqual(['wasm', 'tensorflow', 'cuda', 'webgpu', 'cpu']);
    for (const { available, detail, mend } of probes) {
      expect(detail).not.toBe('');
      if (!available) expect(mend).toBeTruthy();
    }
  });
});

describe('kernels.wasm', () => {
  it('is what the compiler makes of its source', (context) => {
    if (!hasCompiler()) context.skip(`${COMPILER} is not installed: sudo apt install clang-19 lld-19`);
    expect(Buffer.compare(compileKernels(), readFileSync(BINARY))).toBe(0);
  });

  it('imports nothing but the memory', () => {
    const script = `
      const module = await WebAssembly.compile(require('node:fs').readFileSync(${JSON.stringify(BINARY)}));
      console.log(WebAssembly.Module.imports(module).map(({ module, name, kind }) => [module, name, kind].join(' ')));`;
    const printed = execFileSync(
      process.execPath,
      ['--input-type=commonjs', '-e', `(async () => {${script}})()`],
      {
        encoding: 'utf8',
      },
    );
    expect(printed).toBe("[ 'env memory memory' ]\n");
  });
});

describe('sharing the memory of a WebAssembly binary', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

  it('sets the flag of the memory section, wherever it stands', () => {
    const custom = [0, 3, 1, 0x78, 0];
    const binary = Uint8Array.from([...header, ...custom, 5, 4, 1, 1, 1, 2]);
    expect([...(withSharedMemory(binary) ?? [])]).toEqual([...header, ...custom, 5, 4, 1, 3, 1, 2]);
  });

  it('leaves a memory without a maximum alone: it cannot be shared', () => {
    expect(withSharedMemory(Uint8Array.from([...header, 5, 3, 1, 0, 1]))).toBeUndefined();
  });
});

describe('the axes of a broadcast', () => {
  it('are one for equal shapes', () => {
    expect(broadcastAxes([2, 3, 5], [2, 3, 5], [2, 3, 5])).toEqual([{ size: 30, stepA: 1, stepB: 1 }]);
  });

  it('are two for a bias added to rows', () => {
    expect(broadcastAxes([2, 3, 5], [2, 3, 5], [5])).toEqual([
      { size: 5, stepA: 1, stepB: 1 },
      { size: 6, stepA: 5, stepB: 0 },
    ]);
  });

  it('are three for a mask of keys', () => {
    expect(broadcastAxes([2, 3, 5, 7], [2, 3, 5, 7], [2, 1, 1, 7])).toEqual([
      { size: 7, stepA: 1, stepB: 1 },
      { size: 15, stepA: 7, stepB: 0 },
      { size: 2, stepA: 105, stepB: 7 },
    ]);
  });
});
