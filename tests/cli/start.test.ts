/** `lab start` with the JupyterLab in `.venv`, from its first line to its last process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { hasJupyter } from '../../src/cli/jupyter/environment.ts';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { killTree, processTree } from '../../src/cli/jupyter/process-tree.ts';
import { KERNEL_NAME } from '../../src/kernel/info.ts';

interface Started {
  readonly process: ChildProcess;
  readonly url: URL;
  readonly ended: Promise<number | null>;
}

async function start(): Promise<Started> {
  const child = spawn(process.execPath, ['src/cli/bootstrap.mjs', 'start'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.pid !== undefined) killTree(child.pid);
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /http:\S+/.exec(line)?.[0];
    if (address) return { process: child, url: new URL(address), ended };
  }
  throw new Error(`lab start ended with ${await ended} and printed no address`);
}

async function startKernel({ url }: Started): Promise<void> {
  const headers = { Authorization: `token ${url.searchParams.get('token')}` };
  const body = JSON.stringify({ name: KERNEL_NAME });
  const response = await fetch(new URL('/api/kernels', url), { method: 'POST', headers, body });
  expect(response.status).toBe(201);
}

/** True for a process that still does something: one that ended but was not yet collected does not. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

describe('lab start', () => {
  beforeEach((context) => {
    if (!hasJupyter()) context.skip('JupyterLab is not installed in .venv (npm start does it)');
    if (process.platform !== 'linux') context.skip('what runs is read from /proc, which only Linux has');
  });

  test('prints an address that answers with the first notebook, and refuses others without its token', async () => {
    const lab = await start();
    expect(lab.url.hostname).toBe('127.0.0.1');
    expect(lab.url.pathname).toBe('/lab/tree/notebooks/00-start-here.ipynb');
    expect((await fetch(lab.url)).status).toBe(200);
    const contents = new URL('/api/contents/notebooks/00-start-here.ipynb', lab.url);
    expect((await fetch(contents)).status).toBe(403);
    lab.process.kill('SIGTERM');
    expect(await lab.ended).toBe(0);
  }, 120_000);

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s leaves no server and no kernel',
    async (signal) => {
      const lab = await start();
      await startKernel(lab);
      await sleep(1_000); // Until the kernel has started its worker.
      const family = processTree(lab.process.pid ?? 0);
      // The lab, JupyterLab, the kernel's supervisor and its worker.
      expect(family.length).toBeGreaterThanOrEqual(4);
      lab.process.kill(signal);
      expect(await lab.ended).toBe(0);
      expect(family.filter(runs)).toEqual([]);
    },
    120_000,
  );
});
