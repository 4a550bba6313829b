import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findKernel, type KernelSpec } from '../../src/kernel/client/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A kernel to measure, and how its language says what is measured. */
export interface Contender {
  spec: KernelSpec;
  define: (i: number) => string;
  importLibrary?: string;
}

const spec = (name: string, argv: string[]): KernelSpec => ({
  name,
  argv,
  display_name: name,
  language: name,
  interrupt_mode: 'signal',
  env: {},
});

const typescript = (i: number) =>
  `const value${i} = ${i}; function double${i}(x: number) { return 2 * x + value${i}; }`;

/** The kernels that are here, and why others are not. */
export function contenders(): { found: Contender[]; missing: string[] } {
  const found: Contender[] = [];
  const missing: string[] = [];
  found.push({
    spec: findKernel('llm-lab'),
    define: typescript,
    importLibrary: 'import * as lab from "llm-lab";',
  });
  const tslab = join(ROOT, 'node_modules', 'tslab', 'bin', 'tslab');
  if (existsSync(tslab)) {
    const argv = [process.execPath, tslab, 'kernel', '--config-path', '{connection_file}'];
    found.push({ spec: spec('tslab', argv), define: typescript });
  } else missing.push('tslab: not in node_modules');
  const python = [process.env.LAB_BENCH_PYTHON, join(ROOT, '.venv', 'bin', 'python'), 'python3'].find(
    (one) => one !== undefined && spawnSync(one, ['-c', 'import ipykernel']).status === 0,
  );
  if (python) {
    const argv = [python, '-Xfrozen_modules=off', '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
    found.push({
      spec: spec('ipykernel', argv),
      define: (i) => `value${i} = ${i}\ndef double${i}(x): return 2 * x + value${i}`,
    });
  } else missing.push('ipykernel: no Python here has it (LAB_BENCH_PYTHON names one)');
  const deno = [process.env.LAB_BENCH_DENO, 'deno'].find(
    (one) => one !== undefined && spawnSync(one, ['--version']).status === 0,
  );
  if (deno) {
    found.push({
      spec: spec('deno', [deno, 'jupyter', '--kernel', '--conn', '{connection_file}']),
      define: typescript,
    });
  } else missing.push('deno: not installed (LAB_BENCH_DENO names one)');
  return { found, missing };
}
