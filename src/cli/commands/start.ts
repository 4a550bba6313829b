/** `lab start`: sets up what is missing and opens the course. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../errors.ts';
import { KERNEL_NAME } from '../../kernel/info.ts';
import { installKernel } from '../../kernel/install.ts';
import { makeSnapshot } from '../../kernel/snapshot/index.ts';
import { ensureJupyter } from '../jupyter/environment.ts';
import { FIRST_NOTEBOOK, ROOT, VENV } from '../jupyter/paths.ts';
import { type Server, startServer } from '../jupyter/server.ts';
import { onStopSignal, STOP_CODES, type StopSignal } from '../jupyter/signals.ts';

/** What opens an address in the person's browser. */
const OPENERS = new Map<NodeJS.Platform, string>([
  ['darwin', 'open'],
  ['win32', 'explorer'],
]);

interface StartOptions {
  readonly port?: number;
  readonly open?: boolean;
}

export function startCommand(): Command {
  return new Command('start')
    .summary('set up everything and open the course in JupyterLab')
    .description(
      'Installs JupyterLab and the TypeScript kernel into .venv (once), starts JupyterLab for this machine only ' +
        'and prints the address to open. Ctrl-C ends it with all its kernels.',
    )
    .argument('[notebook]', 'the notebook to open', FIRST_NOTEBOOK)
    .option('--port <number>', 'port to listen on (default: 8888, or any free one)', portNumber)
    .option('--open', 'also open the address in the browser')
    .addHelpText('after', '\nExample: npm start\n         npx lab start notebooks/03-bert.ipynb --open')
    .action(start);
}

async function start(notebook: string, { port, open }: StartOptions): Promise<void> {
  const page = pageOf(notebook);
  const stopping = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const release = onStopSignal((signal) => {
    stoppedBy = signal;
    stopping.abort();
  });
  try {
    await ensureJupyter(stopping.signal);
    // At every start: the kernel's description holds absolute paths, and clones move.
    installKernel({ prefix: VENV });
    void makeSnapshot(); // while JupyterLab starts: the first kernel is ready sooner
    console.error('Starting JupyterLab ...');
    const server = await startServer({ page, port, kernel: KERNEL_NAME, signal: stopping.signal });
    announce(server, open ?? false);
    await offerNative();
    await Promise.race([server.ended, aborted(stopping.signal)]);
    if (stoppedBy) console.error('\nStopping JupyterLab and its kernels ...');
    else console.error(`JupyterLab has ended; its messages are in ${relative(ROOT, server.log)}.`);
    await server.stop();
    // Ctrl-C is how this command is meant to end; a shut-down from JupyterLab's menu too.
    process.exitCode = stoppedBy ? 0 : await server.ended;
  } catch (error) {
    if (!stoppedBy) throw error;
    console.error('\nlab: interrupted; the next start goes on from here.');
    process.exitCode = STOP_CODES[stoppedBy];
  } finally {
    release();
  }
}

/** The path that JupyterLab knows the notebook by. */
function pageOf(notebook: string): string {
  const path = [resolve(notebook), resolve(ROOT, notebook)].find((candidate) => existsSync(candidate));
  if (path === undefined) throw new InputError(`${notebook}: there is no such notebook`);
  const page = relative(ROOT, path);
  if (page.startsWith('..') || isAbsolute(page)) {
    throw new InputError(
      `${notebook} lies outside ${ROOT}, which is all that JupyterLab shows; copy it to notebooks/`,
    );
  }
  return page;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('Ports are 1 to 65535.');
  return port;
}

function announce({ url }: Server, open: boolean): void {
  console.log(`\nThe lab is open at\n\n    ${url}\n\nCtrl-C ends it. Your changes are saved in notebooks/.`);
  if (!open) return;
  const opener = OPENERS.get(process.platform) ?? 'xdg-open';
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => console.error('lab: no browser could be opened from here; copy the address into one.'))
    .unref();
}

/** Training is several times faster on TensorFlow's own library. It is offered, never installed unasked. */
async function offerNative(): Promise<void> {
  const { nativeAddon } = await import('../../backends/native/index.ts');
  if (nativeAddon('tensorflow') ?? nativeAddon('cuda')) return;
  console.log('To train faster, once and only if you like: npx lab backend install tensorflow');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
