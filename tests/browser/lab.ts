/** The lab as a learner sees it: `lab start` and JupyterLab in a headless Chromium. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { hasJupyter } from '../../src/cli/jupyter/environment.ts';
import { ROOT } from '../../src/cli/jupyter/paths.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Without a display or a GPU, as root in a container, and without calls to anybody. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why there is no browser here, or undefined. */
export function browserObstacle(): string | undefined {
  return existsSync(CHROMIUM) ? undefined : `${CHROMIUM} is not installed (Debian: apt install chromium)`;
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Why these tests cannot run here, or undefined. */
export function obstacle(): string | undefined {
  const missing = browserObstacle();
  if (missing !== undefined) return missing;
  if (!hasJupyter()) return 'JupyterLab is not installed in .venv (npm start does it)';
  return undefined;
}

export interface Lab {
  readonly page: Page;
  /** Addresses outside this machine that the page asked for: there should be none. */
  readonly foreignRequests: readonly string[];
  /** Ends the browser and the lab; resolves to the exit code of `lab start`. */
  close(): Promise<number | null>;
}

/** The file of the notebook that `openLab` opens under a name. */
export function notebookFile(name: string): string {
  return join(ROOT, 'out', `browser-${process.pid}`, `${name}.ipynb`);
}

/**
 * Starts the lab on a copy of a notebook, so that nobody's own changes are touched, and opens it.
 *
 * @param notebook its JSON text
 * @param height of the window in pixels; JupyterLab draws only the cells that are in view
 */
export async function openLab(name: string, notebook: string, height: number): Promise<Lab> {
  const file = notebookFile(name);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, notebook);
  const start = spawn(process.execPath, ['src/cli/bootstrap.mjs', 'start', relative(ROOT, file)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => start.once('exit', done));
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    start.kill('SIGINT');
    const code = await ended;
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  try {
    const url = await address(start);
    browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height } });
    // A machine with other work to do takes its time.
    page.setDefaultTimeout(150_000);
    const foreignRequests: string[] = [];
    page.on('request', (request) => {
      if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin) {
        foreignRequests.push(request.url());
      }
    });
    // A workspace of its own: JupyterLab would open the tabs that a learner left open, and keep ours for them.
    await page.goto(`${url.replace('/lab/tree/', '/lab/workspaces/test/tree/')}&reset`);
    await kernelIsReady(page);
    return { page, foreignRequests, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for what the status bar, at the foot, says of the kernel. Commands that come earlier open a dialog. */
export async function kernelIsReady(page: Page): Promise<void> {
  try {
    await page.getByText(/TypeScript.*\| Idle/).waitFor({ timeout: 120_000 });
  } catch (error) {
    const status = await page.locator('#jp-bottom-panel').allInnerTexts();
    throw new Error(`the kernel did not become idle; the status bar says: ${status.join(' ')}`, {
      cause: error,
    });
  }
}

function address(start: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    start.once('exit', (code) =>
      failed(new Error(`lab start ended with ${code} before it printed an address`)),
    );
    if (start.stdout === null) return failed(new Error('lab start has no output to read'));
    createInterface({ input: start.stdout }).on('line', (line) => {
      const url = /http:\S+/.exec(line)?.[0];
      if (url) found(url);
    });
  });
}

/** Chooses Run → Run All Cells and waits until every code cell has its number. */
export async function runAll(page: Page, cells: number, timeout: number): Promise<void> {
  const prompts = (pattern: RegExp) =>
    page.locator('.jp-CodeCell .jp-InputPrompt').filter({ hasText: pattern });
  // JupyterLab drops a command that comes before the notebook has settled, so ask until it begins.
  for (let asked = 0; asked < 10 && (await prompts(/[*\d]/).count()) === 0; asked++) {
    await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
    await sleep(2_000);
  }
  for (const deadline = Date.now() + timeout; Date.now() < deadline; await sleep(500)) {
    if ((await prompts(/\d/).count()) >= cells) return;
  }
  throw new Error(`the notebook did not run to its end within ${timeout / 1000} s`);
}
