/** What `lab doctor` looks at. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { probeBackends, startBackend } from '../../backends/index.ts';
import { messageOf } from '../../errors.ts';
import { KERNEL_NAME } from '../../kernel/info.ts';
import { hasJupyter } from '../jupyter/environment.ts';
import { ROOT, VENV, VENV_PYTHON } from '../jupyter/paths.ts';
import { findPython } from '../jupyter/python.ts';
import { run } from '../jupyter/run.ts';
import { missingPackages, SYSTEM_PACKAGES } from '../testing/system-packages.ts';

export interface Finding {
  readonly name: string;
  /** `absent`: not there and not needed. `wrong`: needed, and missing or broken. */
  readonly state: 'ok' | 'absent' | 'wrong';
  readonly detail: string;
  /** What to do about it. */
  readonly mend?: string;
}

/** All findings in the order to read them, one after the other, as some take a second. */
export async function* findings(): AsyncGenerator<Finding> {
  yield lab();
  yield node();
  yield* backends();
  yield await computing();
  yield await gpu();
  yield await python();
  yield await jupyter();
  yield kernel();
  yield* systemPackages();
}

function lab(): Finding {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const machine = `${process.platform}-${process.arch}, ${cpus().length} cores, ${memory} memory`;
  return { name: 'LLM Lab', state: 'ok', detail: `${version} in ${ROOT} (${machine})` };
}

/** The packages need no line of their own: the bootstrap has just compared them with the lock file. */
function node(): Finding {
  const pinned = process.execPath.startsWith(join(ROOT, 'node_modules'));
  const origin = pinned ? 'the one that the lab pins' : `your own, ${process.execPath}`;
  return { name: 'Node', state: 'ok', detail: `${process.version}, ${origin}` };
}

async function* backends(): AsyncGenerator<Finding> {
  for (const { name, available, detail, mend } of await probeBackends()) {
    const state = available ? 'ok' : name === 'wasm' ? 'wrong' : 'absent';
    yield { name: `backend ${name}`, state, detail, ...(mend !== undefined && !available ? { mend } : {}) };
  }
}

/** Starts the backend that a notebook would get, and lets it multiply and differentiate. */
async function computing(): Promise<Finding> {
  const name = 'computing';
  try {
    const info = await startBackend();
    const gradient = tf.tidy(() =>
      tf.grad((x) => tf.matMul(x, x).sum())(
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
      ),
    );
    // d(sum(x x)) / dx_ij = (row sum of x)_j + (column sum of x)_i
    const values = Array.from(await gradient.data());
    gradient.dispose();
    if (values.join() !== '7,11,9,13') throw new Error(`a gradient came out as ${values.join(', ')}`);
    return { name, state: 'ok', detail: `${info.name} on ${info.device} (${info.reason})` };
  } catch (error) {
    const mend = process.env.LLM_LAB_BACKEND
      ? 'unset LLM_LAB_BACKEND'
      : 'delete node_modules and run npx lab doctor again';
    return { name, state: 'wrong', detail: messageOf(error), mend };
  }
}

async function gpu(): Promise<Finding> {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const { code, output } = await run(['nvidia-smi', ...query]);
  if (code === 0 && output.length > 0) return { name: 'GPU', state: 'ok', detail: output.join('; ') };
  if (process.platform === 'darwin')
    return { name: 'GPU', state: 'ok', detail: 'this Mac has one; the webgpu backend uses it' };
  return {
    name: 'GPU',
    state: 'absent',
    detail: 'no NVIDIA GPU with its driver was found; the course works without',
  };
}

async function python(): Promise<Finding> {
  const search = await findPython();
  if ('python' in search) {
    const { version, command } = search.python;
    return { name: 'Python', state: 'ok', detail: `${version} (${command.join(' ')})` };
  }
  const mend =
    'install Python 3.10 or newer with its venv module (Debian, Ubuntu: sudo apt install python3-venv)';
  return { name: 'Python', state: 'wrong', detail: search.problem, mend };
}

async function jupyter(): Promise<Finding> {
  const name = 'JupyterLab';
  if (!hasJupyter())
    return {
      name,
      state: 'wrong',
      detail: 'not installed, or not as this version wants it',
      mend: 'npm start',
    };
  const { code, output } = await run([VENV_PYTHON, '-m', 'jupyterlab', '--version']);
  if (code === 0) return { name, state: 'ok', detail: `${output.at(-1)} in .venv` };
  return {
    name,
    state: 'wrong',
    detail: `does not start: ${output.at(-1)}`,
    mend: 'delete .venv and run npm start',
  };
}

const specSchema = z.object({ argv: z.array(z.string()).min(1), display_name: z.string() });

function kernel(): Finding {
  const name = 'kernel';
  const file = join(VENV, 'share', 'jupyter', 'kernels', KERNEL_NAME, 'kernel.json');
  if (!existsSync(file))
    return { name, state: 'wrong', detail: `not registered in .venv`, mend: 'npm start' };
  try {
    const spec = specSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const gone = spec.argv.find((argument) => /[\\/]/.test(argument) && !existsSync(argument));
    if (gone === undefined)
      return { name, state: 'ok', detail: `${spec.display_name} (${KERNEL_NAME}) in .venv` };
    return {
      name,
      state: 'wrong',
      detail: `its file ${gone} is gone (was the folder moved?)`,
      mend: 'npm start',
    };
  } catch (error) {
    return { name, state: 'wrong', detail: `${file} is damaged: ${messageOf(error)}`, mend: 'npm start' };
  }
}

function* systemPackages(): Generator<Finding> {
  const missing = missingPackages();
  for (const entry of SYSTEM_PACKAGES) {
    const { name, program, purpose } = entry;
    if (!missing.includes(entry)) yield { name, state: 'ok', detail: program };
    else
      yield {
        name,
        state: 'absent',
        detail: `not installed; it is for ${purpose}`,
        mend: `sudo apt install ${name}`,
      };
  }
}
