import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DISPLAY_NAME, KERNEL_NAME } from './info.ts';
import { PROCESS_ENV } from './process-env.ts';

/** Where to install: under a prefix (a virtual environment), for the user, or straight into a folder. */
export interface InstallOptions {
  /** a prefix such as a virtual environment: PREFIX/share/jupyter/kernels/llm-lab */
  prefix?: string;
  /** the folder itself that holds `kernels/llm-lab` */
  dir?: string;
  /** the Node that runs the kernel; default: the one that runs this */
  node?: string;
}

/** Jupyter's data folder of the user. */
function userDataFolder(): string {
  const fromEnvironment = process.env.JUPYTER_DATA_DIR;
  if (fromEnvironment) return fromEnvironment;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32') return join(process.env.APPDATA ?? homedir(), 'jupyter');
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'jupyter');
}

/** The kernelspec: absolute paths, so that it works whatever the environment of the front end is. */
export function kernelSpec(node = process.execPath): Record<string, unknown> {
  return {
    argv: [
      node,
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=1', // it only passes messages on
      join(import.meta.dirname, 'supervisor', 'main.ts'),
      '{connection_file}',
    ],
    env: PROCESS_ENV,
    display_name: DISPLAY_NAME,
    language: 'typescript',
    interrupt_mode: 'message',
    metadata: { debugger: false },
    kernel_protocol_version: '5.4',
  };
}

/** Installs the kernelspec, for the user unless a place is given; returns the folder it is in. */
export function installKernel(options: InstallOptions = {}): string {
  const data =
    options.dir !== undefined
      ? resolve(options.dir)
      : options.prefix !== undefined
        ? join(resolve(options.prefix), 'share', 'jupyter')
        : userDataFolder();
  const folder = join(data, 'kernels', KERNEL_NAME);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify(kernelSpec(options.node), null, 2)}\n`);
  return folder;
}
