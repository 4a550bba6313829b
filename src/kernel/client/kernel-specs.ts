import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';
import { KERNEL_NAME } from '../info.ts';
import { kernelSpec } from '../install.ts';

const specSchema = z.looseObject({
  argv: z.array(z.string()).min(1),
  display_name: z.string().default(''),
  language: z.string().default(''),
  interrupt_mode: z.enum(['signal', 'message']).default('signal'),
  env: z.record(z.string(), z.string()).default({}),
});

/** How to start a kernel: the content of a `kernel.json`, and the folder it is in. */
export type KernelSpec = z.infer<typeof specSchema> & { name: string; folder?: string };

/** The folders in which Jupyter looks for kernels, this package's virtual environment first. */
function kernelFolders(): string[] {
  const prefixes = [
    join(import.meta.dirname, '..', '..', '..', '.venv'),
    ...[process.env.VIRTUAL_ENV, process.env.CONDA_PREFIX].filter((one) => one !== undefined),
  ];
  const data = [
    ...(process.env.JUPYTER_PATH?.split(delimiter) ?? []),
    ...(process.env.JUPYTER_DATA_DIR ? [process.env.JUPYTER_DATA_DIR] : []),
    join(homedir(), '.local', 'share', 'jupyter'),
    join(homedir(), 'Library', 'Jupyter'),
    ...(process.env.APPDATA ? [join(process.env.APPDATA, 'jupyter')] : []),
    ...prefixes.map((prefix) => join(prefix, 'share', 'jupyter')),
    '/usr/local/share/jupyter',
    '/usr/share/jupyter',
  ];
  return data.map((folder) => join(folder, 'kernels'));
}

/**
 * Finds a kernel by name. This package's own needs no installation.
 *
 * @throws {InputError} if there is no kernel of that name, or its kernel.json is none
 */
export function findKernel(name: string): KernelSpec {
  if (name === KERNEL_NAME) return { ...specSchema.parse(kernelSpec()), name };
  const known = new Set([KERNEL_NAME]);
  for (const parent of kernelFolders()) {
    for (const one of namesIn(parent)) {
      known.add(one);
      if (one.toLowerCase() === name.toLowerCase()) return readSpec(join(parent, one), name);
    }
  }
  throw new InputError(`no kernel is called ${name}; there is ${[...known].sort().join(', ')}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readSpec(folder: string, name: string): KernelSpec {
  const file = join(folder, 'kernel.json');
  try {
    const spec = specSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { ...spec, argv: withOwnPython(spec.argv, folder), name, folder };
  } catch (error) {
    throw new InputError(`${file} is not a kernel specification: ${messageOf(error).replaceAll('\n', ' ')}`);
  }
}

/**
 * Python's own kernel is installed as `python -m …`: Jupyter puts the Python there that it runs on itself. Here it is
 * the one of the prefix that the kernel is installed in, if that has one.
 */
function withOwnPython(argv: readonly string[], folder: string): string[] {
  const [command = '', ...rest] = argv;
  if (!/^python[\d.]*$/.test(command)) return [...argv];
  const prefix = join(folder, '..', '..', '..', '..');
  const found = [
    join(prefix, 'bin', 'python3'),
    join(prefix, 'python.exe'),
    join(prefix, 'Scripts', 'python.exe'),
  ].find((path) => existsSync(path));
  return [found ?? command, ...rest];
}
