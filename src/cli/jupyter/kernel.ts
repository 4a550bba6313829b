/** The course's kernel inside `.venv`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, VENV } from './paths.ts';

/** What notebooks call the kernel they want (`metadata.kernelspec.name`). */
export const KERNEL_NAME = 'llm-lab';

/** Where the description of the kernel lies in `.venv`. */
export const KERNEL_FOLDER = join(VENV, 'share', 'jupyter', 'kernels', KERNEL_NAME);

/** Writes the kernel's description into `.venv`. Done at every start: it holds absolute paths, and clones move. */
export async function registerKernel(): Promise<void> {
  mkdirSync(KERNEL_FOLDER, { recursive: true });
  const tslab = join(ROOT, 'node_modules', 'tslab', 'bin', 'tslab');
  const spec = {
    argv: [process.execPath, tslab, 'kernel', '--config-path={connection_file}'],
    display_name: 'LLM Lab (TypeScript)',
    language: 'typescript',
  };
  writeFileSync(join(KERNEL_FOLDER, 'kernel.json'), JSON.stringify(spec, null, 2));
}
