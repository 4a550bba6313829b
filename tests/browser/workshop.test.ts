/** An instructor in a browser and two learners, one in a notebook and one at a terminal, in one room. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { parseNotebook, runNotebook } from '../../src/kernel/client/index.ts';
import { ensureOwner } from '../../src/workshop/server/accounts.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { loadCatalogue } from '../../src/workshop/server/course-catalogue.ts';
import { openStore } from '../../src/workshop/store/open.ts';
import { browserObstacle, openBrowser } from './lab.ts';

const MINUTE = 60_000;
const missing = browserObstacle();
const folder = mkdtempSync(join(tmpdir(), 'lab-workshop-'));
/** Written once the hint is on its way: the notebook waits for it. */
const HINTED = join(folder, 'hinted');

function cell(id: string, source: string) {
  return { cell_type: 'code', id, metadata: {}, source, outputs: [], execution_count: null };
}

/** Joins, fails a check, and stays open until the hint has come. */
function notebookOf(address: string, code: string) {
  return parseNotebook(
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {},
      cells: [
        cell(
          'start',
          "import * as lab from 'llm-lab';\nimport { existsSync } from 'node:fs';\nawait lab.startBackend('wasm');",
        ),
        cell('join', `await lab.joinRoom('${address}', '${code}', { name: 'Ada' });`),
        cell('check', "await lab.check('start/standardize', (x: unknown) => x);"),
        cell(
          'wait',
          `while (!existsSync(${JSON.stringify(HINTED)})) await new Promise((done) => setTimeout(done, 100));
await new Promise((done) => setTimeout(done, 2000));`,
        ),
      ],
    }),
    'room.ipynb',
  );
}

/** A learner at a terminal, with a folder of their own. */
async function lab(...args: string[]): Promise<string> {
  const env = { ...process.env, LLM_LAB_STATE: join(folder, 'bob') };
  const command = ['src/cli/main.ts', ...args];
  return (await promisify(execFile)(process.execPath, command, { cwd: ROOT, env })).stdout;
}

describe.skipIf(missing !== undefined)('a room', () => {
  let browser: Browser;
  let page: Page;
  let address: string;
  let code: string;
  let close: () => Promise<void>;
  const complaints: string[] = [];

  function watch(one: Page): void {
    one.setDefaultTimeout(2 * MINUTE);
    one.on('pageerror', (error) => complaints.push(error.message));
    one.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    one.on('request', (request) => {
      if (/^https?:/.test(request.url()) && !request.url().startsWith(address))
        complaints.push(request.url());
    });
  }

  beforeAll(async () => {
    const store = await openStore();
    const { owner } = await ensureOwner(store);
    const { app, workshop } = await createApp({
      store,
      catalogue: await loadCatalogue(),
      address: 'http://shown',
    });
    address = await app.listen({ host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
    close = async () => {
      await browser.close();
      await app.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    };
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    watch(page);
    await page.goto(`${address}/login#key=${workshop.logins.give(owner)}`);
    await page.getByRole('textbox', { name: 'A new room' }).fill('Monday');
    await page.getByRole('button', { name: 'Open a room' }).click();
    code = (await page.locator('.room-tools wa-button').innerText()).replace('Code', '').trim();
  }, 10 * MINUTE);
  afterAll(() => close?.());

  it('shows a check as it is made, and brings a hint into the notebook', {
    timeout: 10 * MINUTE,
  }, async () => {
    process.env.LLM_LAB_STATE = join(folder, 'ada');
    const run = runNotebook(notebookOf(address, code), { cwd: ROOT, timeout: 5 * MINUTE });
    try {
      const failed = page.getByRole('button', { name: /^Ada, .*not passed, 1 try/ });
      await failed.waitFor();
      expect(await page.locator('.dot.online').count()).toBe(1);
      await failed.click();
      await page
        .getByRole('textbox', { name: 'A hint for Ada' })
        .fill('Look at the axis <b>of the mean</b>.');
      await page.getByRole('button', { name: 'Send the hint' }).click();
      await page.getByText('Ada sees it in their notebook.').waitFor();
    } finally {
      writeFileSync(HINTED, '');
      delete process.env.LLM_LAB_STATE;
    }
    const { notebook, failures } = await run;
    expect(failures).toEqual([]);
    const outputs = (id: string) => JSON.stringify(notebook.cells.find((one) => one.id === id)?.outputs);
    expect(outputs('join')).toContain('Look at the axis');
    expect(outputs('join')).toContain('Look at the axis &#60;b&#62;of the mean');
    expect(outputs('check')).toContain("Told to the room 'Monday' as Ada");
    // The kernel has ended: Ada is there no more.
    await expect.poll(() => page.locator('.dot.online').count(), { timeout: MINUTE }).toBe(0);
  });

  it('takes a learner at a terminal, what they hand in, and shows them their own page', {
    timeout: 10 * MINUTE,
  }, async () => {
    expect(await lab('join', address, code, '--name', 'Bob')).toContain(
      "You are in the room 'Monday' as Bob.",
    );
    await page.getByRole('button', { name: 'connected Bob' }).waitFor();
    const path = join(folder, '00-start-here.ipynb');
    writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] }));
    expect(await lab('hand-in', path)).toMatch(/00-start-here is handed in to 'Monday', attempt 1/);
    await page.getByRole('tab', { name: 'Handed in' }).click();
    await page.getByRole('cell', { name: 'Bob' }).waitFor();
    const own = await (await browser.newContext()).newPage();
    watch(own);
    await own.goto((await lab('progress')).trim());
    await own.getByRole('heading', { name: /^Bob/ }).waitFor();
    await own.getByText('attempt 1').waitFor();
    expect(await own.content()).not.toContain('Ada');
    await own.context().close();
    await page.getByRole('tab', { name: 'Live' }).click();
  });

  it('is worked with the keyboard', { timeout: 5 * MINUTE }, async () => {
    const focused = page.locator(':focus');
    const label = async () =>
      (await focused.getAttribute('aria-label')) ?? (await focused.innerText()).trim();
    await page.locator('.grid tbody th button').first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await label()).toMatch(/^Ada, /);
    await page.keyboard.press('ArrowDown');
    expect(await label()).toMatch(/^Bob, .*not tried/);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'A hint for Bob' }).waitFor();
    await page.keyboard.press('Home');
    expect(await label()).toBe('Bob');
  });

  it('shows its code for the wall, with the line that learners run', { timeout: 5 * MINUTE }, async () => {
    await page.locator('.room-tools wa-button').click();
    await page.locator('wa-qr-code').waitFor();
    expect(await page.locator('wa-dialog pre').first().innerText()).toBe(
      `await lab.joinRoom('http://shown', '${code}', { name: 'your name' });`,
    );
    await page.keyboard.press('Escape');
  });

  it('asks no other server for anything, and runs without a complaint of the browser', () => {
    expect(complaints).toEqual([]);
  });
});

if (missing !== undefined) it('a room in a browser', ({ skip }) => skip(missing));
