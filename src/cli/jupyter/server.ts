/** JupyterLab as a child process: started, waited for until it answers, and ended with all its kernels. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JUPYTER_STATE, ROOT, VENV_PYTHON } from './paths.ts';
import { killTree, processTree } from './process-tree.ts';
import { SetupError } from './setup-error.ts';

const HOST = '127.0.0.1';
const USUAL_PORT = 8888;
const START_LIMIT = 120_000;
const STOP_LIMIT = 5_000;

export interface ServerOptions {
  /** Page to open, a path from the root of the repository. */
  readonly page: string;
  /** The port to use; without it the usual one, or any free one if that is taken. */
  readonly port?: number | undefined;
  /** The one kernel that is offered. */
  readonly kernel: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Server {
  /** The address of the page, with the token that opens it. */
  readonly url: string;
  /** The file with JupyterLab's own messages. */
  readonly log: string;
  /** Settles when the server has ended by itself (File → Shut Down) or was stopped, with its exit code. */
  readonly ended: Promise<number>;
  /** Ends the server and all kernels; kills what has not ended after some seconds. */
  stop(): Promise<void>;
}

/**
 * Starts JupyterLab on 127.0.0.1 and resolves when it really answers for the page.
 *
 * @throws SetupError if it ends or stays silent, with the last lines of its log.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const token = randomBytes(24).toString('hex');
  mkdirSync(JUPYTER_STATE, { recursive: true });
  // Two labs may run at once, but not on one port.
  const log = join(JUPYTER_STATE, `server-${port}.log`);
  const output = openSync(log, 'w');
  // A process group of its own: Ctrl-C must reach us only, as JupyterLab would ask "are you sure?" and go on.
  const child = spawn(VENV_PYTHON, serverArguments(port, options), {
    cwd: ROOT,
    env: serverEnvironment(token),
    stdio: ['ignore', output, output],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? 1));
    child.on('error', () => resolve(127));
  });
  const server: Server = {
    url: pageUrl(port, token, options.page),
    log,
    ended,
    stop: () => stop(child, ended),
  };
  try {
    await answers(port, token, options, server);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function serverArguments(port: number, { kernel }: ServerOptions): string[] {
  const settings = {
    'ServerApp.ip': HOST,
    'ServerApp.port': String(port),
    'ServerApp.port_retries': '0',
    'ServerApp.root_dir': ROOT,
    'ServerApp.open_browser': 'False',
    // Containers and workshop machines often have nobody but root.
    'ServerApp.allow_root': 'True',
    ...courseSettings(kernel),
  };
  return ['-m', 'jupyterlab', ...settingArguments(settings)];
}

/** What makes a Jupyter server that of the course, wherever it runs: names of settings and their values. */
export function courseSettings(kernel: string): Readonly<Record<string, string>> {
  return {
    // Jupyter drops output that comes faster than its limits; a learner would see half a log.
    'ZMQChannelsWebsocketConnection.limit_rate': 'False',
    // JupyterLab brings a Python kernel; offering it would be a trap.
    'MultiKernelManager.default_kernel_name': kernel,
    'KernelSpecManager.allowed_kernelspecs': kernel,
    'KernelSpecManager.ensure_native_kernel': 'False',
    'LabApp.check_for_updates_class': 'jupyterlab.NeverCheckForUpdate',
    'LabApp.news_url': 'None',
    'LabApp.extension_manager': 'readonly',
  };
}

/** Settings as a Jupyter server takes them on its command line. */
export function settingArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}

/** A person's own Jupyter keeps its settings, and they do not change what the course looks like. */
function serverEnvironment(token: string): NodeJS.ProcessEnv {
  const { PYTHONPATH: _path, PYTHONHOME: _home, ...inherited } = process.env;
  return {
    ...inherited,
    // Not on the command line, where everybody on the machine could read it.
    JUPYTER_TOKEN: token,
    JUPYTER_PREFER_ENV_PATH: '1',
    JUPYTER_CONFIG_DIR: join(JUPYTER_STATE, 'config'),
    JUPYTER_DATA_DIR: join(JUPYTER_STATE, 'data'),
    JUPYTER_RUNTIME_DIR: join(JUPYTER_STATE, 'runtime'),
    JUPYTERLAB_SETTINGS_DIR: join(JUPYTER_STATE, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(JUPYTER_STATE, 'workspaces'),
  };
}

function pageUrl(port: number, token: string, page: string): string {
  const path = page.split(/[\\/]/).map(encodeURIComponent).join('/');
  return `http://${HOST}:${port}/lab/tree/${path}?token=${token}`;
}

async function freePort(): Promise<number> {
  return (await tryPort(USUAL_PORT)) ?? (await tryPort(0)) ?? 0;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

async function answers(
  port: number,
  token: string,
  { page, signal }: ServerOptions,
  { ended, log }: Server,
): Promise<void> {
  const headers = { Authorization: `token ${token}` };
  const path = page.split(/[\\/]/).map(encodeURIComponent).join('/');
  const addresses = [`/api/contents/${path}?content=0`, `/lab/tree/${path}`];
  let over: number | undefined;
  ended.then((code) => {
    over = code;
  });
  for (const deadline = Date.now() + START_LIMIT; Date.now() < deadline; await sleep(100)) {
    signal?.throwIfAborted();
    if (over !== undefined)
      throw new SetupError(`JupyterLab ended at its start (exit code ${over}): ${logTail(log)}`);
    const replies = await Promise.all(
      addresses.map((address) => isOk(`http://${HOST}:${port}${address}`, headers)),
    );
    if (replies.every(Boolean)) return;
  }
  throw new SetupError(`JupyterLab did not answer within ${START_LIMIT / 1000} s: ${logTail(log)}`);
}

async function isOk(url: string, headers: Record<string, string>): Promise<boolean> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function logTail(log: string): string {
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  const advice = `All of it is in ${log}. If its packages are damaged: delete .venv and run npm start.`;
  return `\n  ${lines.slice(-8).join('\n  ')}\n${advice}`;
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  if (child.pid === undefined) return;
  // Whoever loses its parent on the way is found no more from there: remember the whole family first.
  const family = child.exitCode === null ? processTree(child.pid) : [];
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(STOP_LIMIT, undefined, { ref: false })]);
  killTree(child.pid, family);
  await ended;
}
