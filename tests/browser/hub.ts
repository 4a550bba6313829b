/** A real JupyterHub with the shipped configuration, on this machine alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, VENV } from '../../src/cli/jupyter/paths.ts';
import { killTree, processTree } from '../../src/cli/jupyter/process-tree.ts';
import { run } from '../../src/cli/jupyter/run.ts';
import { freePort } from '../free-port.ts';
import type { HubEnvironment } from './hub-environment.ts';

export interface Hub {
  /** Without a slash at its end. */
  readonly url: string;
  /** Asks the hub's REST interface as the idle culler may. */
  ask(path: string): Promise<unknown>;
  /** Runs a second idle culler, with the rights of the configured one and this patience in seconds, until it is told to end. */
  cull(patience: number): () => Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

const START_LIMIT = 120_000;

/** @param settings of the shipped configuration, by the names of their variables */
export async function startHub(
  { python, path }: HubEnvironment,
  settings: Readonly<Record<string, string>>,
): Promise<Hub> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-hub-'));
  const [port, hubPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const token = randomBytes(24).toString('hex');
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, 'hub.log');
  const output = openSync(log, 'w');
  const hub = spawn(python, ['-m', 'jupyterhub', '--config', join(import.meta.dirname, 'hub_config.py')], {
    cwd: folder,
    env: {
      PATH: [dirname(process.execPath), ...path, process.env.PATH ?? ''].join(delimiter),
      ...settings,
      LLM_LAB_FOLDER: ROOT,
      HUB_TEST_CONFIG: join(ROOT, 'src/workshop/hub'),
      HUB_TEST_FOLDER: folder,
      HUB_TEST_JUPYTERLAB: VENV,
      HUB_TEST_PORT: String(port),
      HUB_TEST_HUB_PORT: String(hubPort),
      HUB_TEST_API_PORT: String(apiPort),
      HUB_TEST_CULLER_TOKEN: token,
    },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const api = `http://127.0.0.1:${hubPort}/hub/api`;
  const headers = { authorization: `token ${token}` };
  const stop = () => end(hub, folder);
  try {
    await answers(`${url}/hub/health`, hub, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    ask: async (at) => (await fetch(`${api}${at}`, { headers })).json(),
    cull: (patience) => {
      const culler = [python, '-m', 'jupyterhub_idle_culler', `--url=${api}`, `--timeout=${patience}`];
      const watching = new AbortController();
      const env = { JUPYTERHUB_API_TOKEN: token };
      const culling = run([...culler, '--cull-every=5'], { signal: watching.signal, env });
      const ended = culling.then(({ output }) => Promise.reject(new Error(output.join('\n'))));
      ended.catch(() => undefined);
      return async () => {
        watching.abort();
        await ended.catch((error: unknown) => {
          if (!watching.signal.aborted) throw error;
        });
      };
    },
    log: () => readFileSync(log, 'utf8'),
    stop,
  };
}

async function answers(address: string, hub: ChildProcess, log: string): Promise<void> {
  for (const deadline = Date.now() + START_LIMIT; Date.now() < deadline; await sleep(200)) {
    if (hub.exitCode !== null)
      throw new Error(`JupyterHub ended at its start:\n${readFileSync(log, 'utf8')}`);
    const response = await fetch(address, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (response?.ok) return;
  }
  throw new Error(`JupyterHub did not answer within ${START_LIMIT / 1000} s:\n${readFileSync(log, 'utf8')}`);
}

async function end(hub: ChildProcess, folder: string): Promise<void> {
  if (hub.pid !== undefined && hub.exitCode === null) {
    // Whoever loses its parent on the way is found no more from there.
    const family = processTree(hub.pid);
    const ended = new Promise((done) => hub.once('exit', done));
    hub.kill('SIGTERM');
    await Promise.race([ended, sleep(15_000, undefined, { ref: false })]);
    killTree(hub.pid, family);
    await ended;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}
