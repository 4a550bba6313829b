/**
 * Compiles native/*.c to kernels.wasm with clang and wasm-ld (Debian: `apt install clang-19 lld-19`). The result is
 * committed, so that nobody needs a compiler to use the lab.
 *
 * Run it with `npm run build:wasm`.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('./native/', import.meta.url));

export const BINARY = fileURLToPath(new URL('./kernels.wasm', import.meta.url));

/** The compiler whose output is committed. Another version gives other bytes that compute the same. */
export const COMPILER = 'clang-19';

const FLAGS = [
  '--target=wasm32',
  '-std=c17',
  '-O3',
  '-ffp-contract=off',
  '-msimd128',
  '-mrelaxed-simd',
  '-matomics',
  '-mbulk-memory',
  '-ffreestanding',
  '-nostdlib',
  '-Wall',
  '-Wextra',
  '-Werror',
  // The memory is TensorFlow.js' own: imported, shared, and nothing of ours at a fixed address in it.
  '-Wl,--no-entry,--import-memory,--shared-memory,--strip-all,--export=__stack_pointer',
  '-Wl,--initial-memory=131072,--max-memory=4294967296',
];

/** Whether the compiler is on this machine. */
export function hasCompiler(): boolean {
  return spawnSync(COMPILER, ['--version']).status === 0;
}

/** The bytes of kernels.wasm, compiled now. */
export function compileKernels(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'llm-lab-wasm-'));
  try {
    const output = join(folder, 'kernels.wasm');
    const sources = readdirSync(SOURCES)
      .filter((file) => file.endsWith('.c'))
      .sort();
    const { status, stderr } = spawnSync(COMPILER, [...FLAGS, ...sources, '-o', output], {
      cwd: SOURCES,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${COMPILER} failed:\n${stderr}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) writeFileSync(BINARY, compileKernels());
