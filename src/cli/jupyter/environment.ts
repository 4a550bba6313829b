/** The Python environment of the lab: `.venv` with JupyterLab, every package at a pinned version. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { consoleProgress, type Progress } from '../../training/progress.ts';
import { withLock } from './lock.ts';
import { ROOT, VENV, VENV_PYTHON } from './paths.ts';
import { findPython, type Python } from './python.ts';
import { run } from './run.ts';
import { SetupError } from './setup-error.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Written when an installation is complete, with what was installed. */
const STAMP = join(VENV, 'llm-lab-installed');

/** What a person's own pip and Python settings could do to an environment that must be the same for everybody. */
const NEUTRAL = {
  PIP_USER: '0',
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PYTHONPATH: undefined,
  PYTHONHOME: undefined,
};

/**
 * What differs from JupyterLab's own settings, as files below `.venv`: no news, no questions at the first start,
 * nothing asked of a server elsewhere, no look for extensions that could be compiled.
 */
const SETTINGS = {
  'share/jupyter/lab/settings/overrides.json': {
    '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false },
    // JupyterLab gives up after a second; the first completion of a notebook reads Node's declarations.
    '@jupyterlab/completer-extension:manager': { providerTimeout: 20_000 },
  },
  // JupyterLab runs scripts of its own with Node, which would take them for modules like ours.
  'package.json': { type: 'commonjs' },
  'etc/jupyter/labconfig/page_config.json': { buildAvailable: false, buildCheck: false },
};

/** How to learn without JupyterLab, for those who have no Python. */
const WITHOUT_PYTHON =
  'or go on without it: `npx lab kernel install` makes the kernel known to VS Code with its Jupyter extension, ' +
  'and `npx lab run notebooks/00-start-here.ipynb` runs a notebook in the terminal';

/** True when `.venv` holds exactly what this version of the lab asks for. */
export function hasJupyter(): boolean {
  try {
    return existsSync(VENV_PYTHON) && readFileSync(STAMP, 'utf8') === wantedStamp();
  } catch {
    return false;
  }
}

/**
 * Makes or updates `.venv`; nothing is done when it is as wanted. Ended early (by `signal`, or killed), it leaves
 * something that the next call completes.
 *
 * @throws SetupError without a usable Python, or when pip fails (with what pip said).
 */
export async function ensureJupyter(signal?: AbortSignal): Promise<void> {
  if (hasJupyter()) return;
  const onWait = () => console.error('lab: another command is installing JupyterLab here; waiting for it.');
  await withLock(join(ROOT, '.cache', 'venv.lock'), onWait, async () => {
    if (hasJupyter()) return;
    rmSync(STAMP, { force: true });
    // An environment whose Python was removed or updated away does not start any more.
    const alive =
      existsSync(VENV_PYTHON) && (await run([VENV_PYTHON, '-m', 'pip', '--version'], { signal })).code === 0;
    if (!alive) await makeEnvironment(await usablePython(), signal);
    await installRequirements(signal);
    writeSettings();
    writeFileSync(STAMP, wantedStamp());
  });
}

function wantedStamp(): string {
  return createHash('sha256')
    .update(readFileSync(REQUIREMENTS))
    .update(JSON.stringify(SETTINGS))
    .digest('hex');
}

async function usablePython(): Promise<Python> {
  const search = await findPython();
  if ('python' in search) return search.python;
  throw new SetupError(
    `JupyterLab needs Python 3.10 or newer with its venv module, but ${search.problem}; ` +
      `install it (https://www.python.org/downloads) and run npm start again, ${WITHOUT_PYTHON}.`,
  );
}

async function makeEnvironment({ command, version }: Python, signal?: AbortSignal): Promise<void> {
  console.error(`Making a Python ${version} environment in .venv ...`);
  const { code, output } = await run([...command, '-m', 'venv', '--clear', VENV], { signal, env: NEUTRAL });
  if (code !== 0) throw new SetupError(`${command.join(' ')} could not make ${VENV}: ${reason(output)}`);
}

async function installRequirements(signal?: AbortSignal): Promise<void> {
  const pip = new PipProgress(
    readFileSync(REQUIREMENTS, 'utf8')
      .split('\n')
      .filter((line) => line.includes('==')).length,
  );
  // --retries 0: pip would stall for minutes at an index that cannot be reached, also where a local one has all.
  const options = ['--retries', '0', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
  const command = [VENV_PYTHON, '-m', 'pip', 'install', ...options, '-r', REQUIREMENTS];
  try {
    const { code, output } = await run(command, { signal, env: NEUTRAL, onLine: (line) => pip.read(line) });
    if (code !== 0) {
      throw new SetupError(
        `pip could not install JupyterLab: ${reason(output)}; once mended, run npm start again, ${WITHOUT_PYTHON}.`,
      );
    }
  } finally {
    pip.end();
  }
}

/** The last lines that say what went wrong: pip says a lot after it. */
function reason(output: readonly string[]): string {
  const errors = output.filter((line) => /error/i.test(line));
  return (errors.length > 0 ? errors : output).slice(-2).join(' ').trim();
}

/** pip names each package as it comes to it: from an index, a folder of files, or found to be there. */
const PACKAGE_LINE = /^\s*(?:Collecting |Requirement already satisfied: |Processing (?:.*[\\/])?)([\w.]+)/;

/** Two bars out of what pip prints: one for fetching, one for installing, about which pip is silent. */
class PipProgress {
  #total: number;
  #fetched = 0;
  #bar: Progress = consoleProgress('Fetching JupyterLab:');
  #ticker: NodeJS.Timeout | undefined;

  constructor(requirements: number) {
    this.#total = requirements;
  }

  read(line: string): void {
    const name = PACKAGE_LINE.exec(line)?.[1];
    if (line.startsWith('Ignoring ')) this.#total--;
    else if (name) this.#bar.report(Math.min(++this.#fetched, this.#total), this.#total, name);
    else if (line.startsWith('Installing collected packages')) this.#watch(line.split(',').length);
  }

  end(): void {
    clearInterval(this.#ticker);
    this.#bar.end();
  }

  #watch(packages: number): void {
    this.end();
    const before = installedPackages();
    this.#bar = consoleProgress('Installing JupyterLab:');
    this.#ticker = setInterval(() => {
      this.#bar.report(Math.min(installedPackages() - before, packages), packages, 'packages');
    }, 300);
  }
}

function installedPackages(): number {
  const library = process.platform === 'win32' ? join(VENV, 'Lib') : join(VENV, 'lib');
  const folders =
    process.platform === 'win32' ? [library] : readdirSync(library).map((name) => join(library, name));
  return folders
    .map((folder) => join(folder, 'site-packages'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.endsWith('.dist-info')).length;
}

function writeSettings(): void {
  for (const [path, settings] of Object.entries(SETTINGS)) {
    const file = join(VENV, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(settings, null, 2)}\n`);
  }
}
