/**
 * Two learners of a real JupyterHub with the shipped configuration, each in a browser, and an instructor who sees both. They come
 * from a simulated learning platform. Instead of containers the hub starts processes of one user here, so what keeps files
 * apart below HTTP is not tested.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { ensureOwner } from '../../src/workshop/server/accounts.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { loadCatalogue } from '../../src/workshop/server/course-catalogue.ts';
import { openStore } from '../../src/workshop/store/open.ts';
import { SimulatedPlatform } from '../workshop/lti-platform.ts';
import { type Hub, startHub } from './hub.ts';
import { hubEnvironment } from './hub-environment.ts';
import { kernelIsReady, openBrowser } from './lab.ts';

const MINUTE = 60_000;
const CHAPTER = '00-start-here';
const EXERCISE = 'start/standardize';
/** Forgets that each column has its own mean: a mistake with a name. */
const WRONG = `function standardize(x: tf.Tensor2D): tf.Tensor {
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x));
    return tf.div(centred, tf.sqrt(tf.mean(tf.square(centred))));
  });
}`;

let missing: string | undefined;
let browser: Browser;
let hub: Hub;
let platform: SimulatedPlatform;
/** The instructor's page of the room. */
let room: Page;
const closers: (() => Promise<unknown>)[] = [];
const pages = new Map<string, Page>();

beforeAll(async () => {
  const environment = await hubEnvironment();
  if ('missing' in environment) {
    missing = environment.missing;
    return;
  }
  const store = await openStore();
  closers.push(() => store.close());
  const { owner } = await ensureOwner(store);
  const { app, workshop } = await createApp({
    store,
    catalogue: await loadCatalogue(),
    address: 'http://shown',
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => app.close());
  browser = await openBrowser();
  closers.push(() => browser.close());
  room = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
  room.setDefaultTimeout(2 * MINUTE);
  await room.goto(`${address}/login#key=${workshop.logins.give(owner)}`);
  await room.getByRole('textbox', { name: 'A new room' }).fill('Monday');
  await room.getByRole('button', { name: 'Open a room' }).click();
  const code = (await room.locator('.room-tools wa-button').innerText()).replace('Code', '').trim();
  platform = await SimulatedPlatform.start(async () => ({ keys: [] }));
  closers.push(() => platform.stop());
  const { issuer, clientId, authUrl, jwksUrl } = platform.registration;
  hub = await startHub(environment, {
    LLM_LAB_ROOM: `${address}/join#${code}`,
    LLM_LAB_HUB_LOGIN: 'lti',
    LLM_LAB_HUB_LTI_ISSUER: issuer,
    LLM_LAB_HUB_LTI_CLIENT: clientId,
    LLM_LAB_HUB_LTI_AUTHORIZE: authUrl,
    LLM_LAB_HUB_LTI_KEYS: jwksUrl,
    LLM_LAB_HUB_LTI_NAME: 'given_name',
  });
  closers.push(() => hub.stop());
}, 10 * MINUTE);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, MINUTE);

/** The link in the course that leads a learner to the hub. */
function linkOf(name: string): string {
  platform.people.set(name, { given_name: name, email: `${name}@example.org`, sub: name });
  const { issuer, clientId } = platform.registration;
  const query = { iss: issuer, login_hint: name, client_id: clientId, target_link_uri: `${hub.url}/hub/` };
  return `${hub.url}/hub/lti13/oauth_login?${new URLSearchParams({ ...query, lti_message_hint: 'link-1' })}`;
}

/** Comes from the platform, waits for the server, and for the kernel of the notebook that it opens with. */
async function comeIn(name: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 4_000 } });
  const page = await context.newPage();
  page.setDefaultTimeout(2 * MINUTE);
  await page.goto(linkOf(name));
  await page.waitForURL(`${hub.url}/user/${name}/lab/**`);
  await kernelIsReady(page);
  return page;
}

const cellOf = (page: Page, id: string) =>
  page.locator('.jp-Notebook .jp-Cell').nth(released().findIndex((cell) => cell.id === id));

const released = (): readonly { readonly id: string }[] =>
  JSON.parse(readFileSync(join(ROOT, `notebooks/${CHAPTER}.ipynb`), 'utf8')).cells;

/** Runs a cell to its end; @returns what it shows. */
async function runCell(page: Page, id: string): Promise<string> {
  const cell = cellOf(page, id);
  await cell.locator('.cm-content').click();
  await page.keyboard.press('Control+Enter');
  await expect
    .poll(() => cell.locator('.jp-InputPrompt').innerText(), { timeout: MINUTE })
    .toMatch(/\[\d+\]/);
  return (await cell.locator('.jp-OutputArea-output').allInnerTexts()).join('\n');
}

/** The learner's whole way: the first cell, an answer, its check, and the notebook handed in. */
async function work(name: string, answer: string): Promise<string> {
  const page = await comeIn(name);
  pages.set(name, page);
  await runCell(page, 'import-as-tf-from-tensorflow-tfjs-core');
  await cellOf(page, 'answer-start-standardize').locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(answer);
  await runCell(page, 'answer-start-standardize');
  const verdict = await runCell(page, 'await-check-start-standardize-standardiz');
  await page.keyboard.press('Control+s');
  await page.getByRole('menuitem', { name: 'File', exact: true }).click();
  await page.locator('.lm-Menu-itemLabel').filter({ hasText: /^New$/ }).hover();
  await page
    .locator('.lm-Menu-itemLabel')
    .filter({ hasText: /^Terminal$/ })
    .click();
  await page.locator('.jp-Terminal .xterm-helper-textarea').focus();
  await page.keyboard.type(`lab hand-in notebooks/${CHAPTER}.ipynb`);
  await page.keyboard.press('Enter');
  return verdict;
}

/** A test that needs the hub, with time for a busy machine. */
function onHub(name: string, action: () => Promise<void>): void {
  test(name, { timeout: 6 * MINUTE }, async (context) => {
    if (missing !== undefined) context.skip(missing);
    try {
      await action();
    } catch (error) {
      console.error(hub.log().split('\n').slice(-40).join('\n'));
      throw error;
    }
  });
}

describe('a hub', () => {
  onHub('lets nobody in whom the platform did not send', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${hub.url}/user/ada/lab`);
    expect(new URL(page.url()).pathname).toBe('/hub/login');
    expect(await page.locator('input[type=password]').count()).toBe(0);
    // A token of the platform for somebody, but for no login that this browser began.
    const id_token = await platform.idToken({ nonce: 'none', given_name: 'ada' });
    const forged = { form: { id_token, state: 'none' }, maxRedirects: 0 };
    const reply = await page.request.post(`${hub.url}/hub/lti13/oauth_callback`, forged);
    expect(reply.status()).toBe(400);
    expect((await page.request.get(`${hub.url}/hub/home`, { maxRedirects: 0 })).status()).toBe(302);
    await page.context().close();
  });

  onHub('gives two learners the course, in which they run, check and hand in', async () => {
    const master = await loadMaster(join(ROOT, `notebooks/source/${CHAPTER}.ts`));
    const solved = notebookOf(master, { variant: 'solved' }).cells;
    const answer = solved.find(({ id }) => id === 'answer-start-standardize')?.source.join('') ?? '';
    const [right, wrong] = await Promise.all([work('ada', answer), work('bob', WRONG)]);
    expect(right).toContain('✓');
    expect(right).toContain(`Told to the room 'Monday' as ada: ${EXERCISE}, passed`);
    expect(wrong).toContain('What went wrong');
    expect(wrong).toContain(`Told to the room 'Monday' as bob: ${EXERCISE}, not passed`);
  });

  onHub('shows both to the instructor, who did nothing to bring them in', async () => {
    await room.getByRole('button', { name: /^ada, .*: passed/ }).waitFor();
    await room.getByRole('button', { name: /^bob, .*not passed, 1 try/ }).waitFor();
    await room.getByRole('tab', { name: 'Handed in' }).click();
    await room.getByRole('cell', { name: 'ada' }).waitFor();
    await room.getByRole('cell', { name: 'bob' }).waitFor();
    await room.getByRole('tab', { name: 'Live' }).click();
  });

  onHub("opens nobody else's server or files to a learner", async () => {
    for (const [name, other] of [
      ['ada', 'bob'],
      ['bob', 'ada'],
    ] as const) {
      const page = pages.get(name);
      if (page === undefined) throw new Error(`${name} did not come in`);
      const status = async (path: string): Promise<number> =>
        (await page.request.get(hub.url + path)).status();
      const notebook = `notebooks/${CHAPTER}.ipynb`;
      // What is asked for is there, for the one whose it is.
      expect(await status(`/user/${name}/api/contents/${notebook}`)).toBe(200);
      expect(await status(`/user/${name}/files/${notebook}`)).toBe(200);
      for (const path of [
        'lab',
        `files/${notebook}`,
        `api/contents/${notebook}`,
        'api/kernels',
        'api/terminals',
      ])
        expect.soft(await status(`/user/${other}/${path}`), path).toBe(403);
      for (const path of [`files/%2e%2e/${other}/${notebook}`, `api/contents/%2e%2e/${other}/${notebook}`])
        expect.soft(await status(`/user/${name}/${path}`), path).toBe(404);
      expect.soft(await status(`/hub/api/users/${other}`)).toBeGreaterThanOrEqual(403);
      expect.soft(await status('/hub/admin')).toBe(403);
    }
  });

  onHub('ends servers that nobody uses, and keeps what learners wrote', async () => {
    for (const page of pages.values()) await page.context().close();
    const stop = hub.cull(8);
    try {
      await expect
        .poll(async () => JSON.stringify(await hub.ask('/users')).includes('"/user/'), {
          timeout: 2 * MINUTE,
          interval: 1_000,
        })
        .toBe(false);
    } finally {
      await stop();
    }
    const page = await comeIn('bob');
    expect(await cellOf(page, 'answer-start-standardize').locator('.cm-content').innerText()).toContain(
      'centred',
    );
    // The same learner as before, not another of that name.
    expect(await room.locator('.grid tbody th').filter({ hasText: 'bob' }).count()).toBe(1);
  });
});
