/** JupyterHub for the tests: beside the lab's own JupyterLab, in a folder that is kept for the next run. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../../src/cli/jupyter/lock.ts';
import { ROOT, VENV, VENV_PYTHON } from '../../src/cli/jupyter/paths.ts';
import { run } from '../../src/cli/jupyter/run.ts';
import { obstacle } from './lab.ts';

const PROXY = 'configurable-http-proxy@5.3.0';
/** At the versions of the hub's image, without its spawner and its other logins. */
const PACKAGES = ['jupyterhub', 'jupyterhub-idle-culler', 'jupyterhub-ltiauthenticator'];
const REQUIREMENTS = join(ROOT, 'src/workshop/hub/requirements.txt');
/** Milliseconds; it was seen to take 15 s. */
const LIMIT = 300_000;

export interface HubEnvironment {
  readonly python: string;
  /** Folders with jupyterhub and its proxy, to be put before PATH. */
  readonly path: readonly string[];
}

/** The environment, installed if it is missing, or why there is none. */
export async function hubEnvironment(): Promise<HubEnvironment | { readonly missing: string }> {
  const missing = process.platform === 'win32' ? 'JupyterHub does not run on Windows' : obstacle();
  if (missing !== undefined) return { missing };
  const stamp = createHash('sha256')
    .update(readFileSync(REQUIREMENTS))
    .update(JSON.stringify([PROXY, PACKAGES]))
    .update(VENV)
    .digest('hex');
  const folder = join(ROOT, '.cache', 'jupyterhub', stamp.slice(0, 16));
  const done = join(folder, 'installed');
  try {
    await withLock(
      `${dirname(folder)}.lock`,
      () => undefined,
      async () => {
        if (existsSync(done)) return;
        // What older versions of the lab left goes too.
        rmSync(dirname(folder), { recursive: true, force: true });
        await install(folder, AbortSignal.timeout(LIMIT));
        writeFileSync(done, '');
      },
    );
  } catch (error) {
    if (error instanceof Unreachable) return { missing: error.message };
    if (error instanceof Error && error.name === 'TimeoutError')
      return { missing: `JupyterHub was not installed within ${LIMIT / 1000} s` };
    throw error;
  }
  return {
    python: join(folder, 'venv', 'bin', 'python'),
    path: [join(folder, 'venv', 'bin'), join(folder, 'node_modules', '.bin')],
  };
}

/** A registry is not there. Everything else that goes wrong is a failure. */
class Unreachable extends Error {}
const UNREACHABLE =
  /connection|timed out|not resolve|No matching distribution|ENOTFOUND|ENOTCACHED|ECONN|EAI_AGAIN|ETIMEDOUT/i;

async function install(folder: string, signal: AbortSignal): Promise<void> {
  console.log('Installing JupyterHub for its test ...');
  const venv = join(folder, 'venv');
  mkdirSync(folder, { recursive: true });
  await must([VENV_PYTHON, '-m', 'venv', '--without-pip', venv], signal);
  // It sees the packages of .venv, pip among them, and adds what those lack.
  const at = await must(
    [VENV_PYTHON, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'],
    signal,
  );
  const library = (at.at(-1) ?? '').replace(VENV, venv);
  writeFileSync(join(library, 'jupyterlab.pth'), `${library.replace(venv, VENV)}\n`);
  const options = ['--retries', '0', '--no-input', '--disable-pip-version-check', '--quiet'];
  const pip = [
    join(venv, 'bin', 'python'),
    '-m',
    'pip',
    'install',
    ...options,
    '-c',
    REQUIREMENTS,
    ...PACKAGES,
  ];
  await must(pip, signal);
  const npm = [
    'npm',
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  // An empty manifest: npm would look for one above, and find the lab's.
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await must([...npm, PROXY], signal);
}

async function must(command: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const env = {
    PYTHONPATH: undefined,
    PYTHONHOME: undefined,
    PIP_USER: '0',
    npm_config_ignore_scripts: 'true',
  };
  const { code, output } = await run(command, { signal, env });
  if (code === 0) return output;
  const said = output.filter((line) => /err/i.test(line)).join(' ') || output.slice(-1).join(' ');
  const sentence = `JupyterHub could not be installed for its test: ${said}`;
  throw UNREACHABLE.test(said) ? new Unreachable(sentence) : new Error(sentence);
}
