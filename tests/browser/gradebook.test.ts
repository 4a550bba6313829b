/** Marks, groups, staff and a learning platform in a browser. The platform is another site, and shows the tool in a frame. */
import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownKeySet } from '../../src/workshop/lti/keys.ts';
import { registerPlatform } from '../../src/workshop/lti/platforms.ts';
import { addInstructor, type Instructor } from '../../src/workshop/server/accounts.ts';
import { createApp, type Workshop } from '../../src/workshop/server/app.ts';
import { recordChecks } from '../../src/workshop/store/checks.ts';
import { addGrading } from '../../src/workshop/store/gradebook.ts';
import { joinRoom } from '../../src/workshop/store/learners.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import { createRoom, type Room, setAssignment } from '../../src/workshop/store/rooms.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { freePort } from '../free-port.ts';
import { INSTRUCTOR, SimulatedPlatform } from '../workshop/lti-platform.ts';
import { browserObstacle, openBrowser } from './lab.ts';

const MINUTE = 60_000;
const missing = browserObstacle();
const DUE = new Date('2026-02-01T12:00:00Z');
const ROLES = 'https://purl.imsglobal.org/spec/lti/claim/roles';
const CATALOGUE = [
  {
    chapter: '03-bert',
    title: 'BERT',
    exercises: [
      { id: 'bert/embeddings', title: 'Embeddings', minutes: 10 },
      { id: 'bert/pooler', title: 'Pooler', minutes: 5 },
    ],
  },
];

describe.skipIf(missing !== undefined)('the gradebook in a browser', () => {
  let browser: Browser;
  let page: Page;
  let store: Store;
  let workshop: Workshop;
  let platform: SimulatedPlatform;
  let owner: Instructor;
  let password: string;
  let room: Room;
  let tool: string;
  let ada: number;
  let close: () => Promise<void>;
  const complaints: string[] = [];

  function watch(one: Page): void {
    one.setDefaultTimeout(2 * MINUTE);
    one.on('pageerror', (error) => complaints.push(error.message));
    one.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    one.on('dialog', (dialog) => void dialog.accept());
  }

  beforeAll(async () => {
    store = await openStore();
    ({ instructor: owner, password } = await addInstructor(store, {
      name: 'Grace',
      role: 'owner',
      by: 'test',
    }));
    const port = await freePort();
    tool = `http://localhost:${port}`;
    const made = await createApp({ store, catalogue: CATALOGUE, address: tool });
    workshop = made.workshop;
    await made.app.listen({ host: 'localhost', port });
    platform = await SimulatedPlatform.start(() => ownKeySet(store));
    await registerPlatform(store, platform.registration, 'test');
    room = await createRoom(store, { title: 'Monday', by: 'test' });
    const given = { roomId: room.id, chapter: '03-bert', title: 'BERT', open: true, dueAt: DUE, by: 'test' };
    const { id: assignmentId } = await setAssignment(store, { ...given, policy: { penaltyPerDay: 0.5 } });
    ({ id: ada } = (await joinRoom(store, { room, displayName: 'Ada' })).learner);
    await joinRoom(store, { room, displayName: 'Bob' });
    await recordChecks(store, ada, [
      {
        clientId: randomUUID(),
        exercise: 'bert/pooler',
        verdict: 'pass',
        code: 'const pooled = tf.tanh(first);',
        checkedAt: new Date(),
      },
    ]);
    const late = new Date(DUE.getTime() + 3_600_000);
    const submission = { assignmentId, learnerId: ada, notebook: Buffer.from('{}'), at: late };
    const { id: submissionId } = await handIn(store, submission);
    const exercises = [
      { id: 'bert/embeddings', title: 'Embeddings', points: 6, score: 3, verdict: 'fail' as const },
      { id: 'bert/pooler', title: 'Pooler', points: 4, score: 1, verdict: 'fail' as const },
    ];
    const whole = { learner: 'Ada', file: 'x', chapter: '03-bert', seed: 's', verdict: 'fail' as const };
    const report = { ...whole, score: 4, points: 10, exercises };
    await addGrading(store, { submissionId, report, graderVersion: '1', by: 'test' });
    browser = await openBrowser();
    close = async () => {
      await browser.close();
      await made.app.close();
      await platform.stop();
      await store.close();
    };
    page = await browser.newPage({ viewport: { width: 1500, height: 1000 } });
    watch(page);
    await page.goto(`${tool}/login#key=${workshop.logins.give(owner)}&to=/rooms/${room.id}`);
    await page.getByRole('tab', { name: 'Gradebook' }).click();
  }, 10 * MINUTE);
  afterAll(() => close?.());

  it('is worked with the keyboard: a mark by hand takes its place beside the automatic one', {
    timeout: 5 * MINUTE,
  }, async () => {
    const focused = () => page.locator(':focus').getAttribute('aria-label');
    await page.locator('.grid.book tbody th button').first().focus();
    await page.keyboard.press('ArrowRight');
    // 4 of 10, an hour late: half of it.
    expect(await focused()).toBe('Ada, BERT: 2 of 10 points, 1 day late');
    await page.keyboard.press('Enter');
    const points = page.getByRole('spinbutton', { name: 'Pooler: points by hand' });
    await points.fill('3');
    await points.press('Enter');
    await page
      .getByRole('button', { name: 'Ada, BERT: 3 of 10 points, 1 day late, marked by hand' })
      .waitFor();
    await page.getByRole('textbox', { name: 'Comment' }).fill('Nearly <b>right</b>.');
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.locator('.comments').getByText('Nearly <b>right</b>.').waitFor();
    await page.getByText('What people decided (2)').click();
    await page.getByText('bert/pooler: 3 points').waitFor();
  });

  it('gives another date, and shows the marks to the learner once they are released', {
    timeout: 5 * MINUTE,
  }, async () => {
    await page.getByLabel('Due for Ada').fill('2026-02-03T12:00');
    await page.getByRole('button', { name: 'Give this date' }).click();
    await page.getByRole('button', { name: 'Ada, BERT: 6 of 10 points, marked by hand' }).waitFor();

    const own = await (await browser.newContext()).newPage();
    watch(own);
    await own.goto(`${tool}/me#key=${workshop.pages.give({ learner: ada, launched: false })}`);
    await own.getByText('attempt 1').waitFor();
    expect(await own.getByText('Mark:').count()).toBe(0);
    await page.getByRole('button', { name: 'BERT: what can be done with the chapter' }).click();
    await page.getByRole('switch', { name: 'Learners see their marks' }).press('Space');
    await page.getByText('Learners see their marks on their own pages.').waitFor();
    // The page of the learner asks again by itself.
    await own.getByText('6 of 10 points').waitFor();
    await own.getByText('Nearly <b>right</b>.').waitFor();
    await own.context().close();
  });

  it('puts learners into groups, by which both tables are filtered', { timeout: 5 * MINUTE }, async () => {
    await page.getByRole('button', { name: /^Ada, BERT/ }).click();
    await page.getByLabel('Group of Ada').fill('Window');
    await page
      .locator('form')
      .filter({ hasText: 'Group of Ada' })
      .getByRole('button', { name: 'Save' })
      .click();
    await page.getByText('Ada is in Window.').waitFor();
    await page.getByRole('tab', { name: 'Live' }).click();
    const names = page.locator('.grid:not(.book) tbody th');
    await expect.poll(() => names.count()).toBe(2);
    await page.getByLabel('Group').selectOption('Window');
    await expect.poll(() => names.allInnerTexts()).toEqual(['Ada']);
    await page.getByLabel('Group').selectOption('');
  });

  it('shows a solution to the room without a name', { timeout: 5 * MINUTE }, async () => {
    await page.getByRole('button', { name: 'Ada, Pooler: passed, 1 try' }).click();
    await page.locator('.panel summary').click();
    await page.getByRole('button', { name: 'Show to the room' }).click();
    await page.getByText('Shown to the room.').waitFor();
    const said = page.locator('.said li').first();
    await said.getByText('const pooled = tf.tanh(first);').waitFor();
    expect(await said.innerText()).not.toContain('Ada');
  });

  it('lets assistants in, who see no marks, and lets them go', { timeout: 5 * MINUTE }, async () => {
    await page.getByRole('link', { name: 'Staff' }).click();
    await page.getByRole('textbox', { name: /Let somebody in/ }).fill('Tom');
    await page.getByLabel('Role').selectOption('assistant');
    await page.getByRole('button', { name: 'Let them in' }).click();
    const given = await page.locator('.secret pre').innerText();
    const [, secret = ''] = /password: (\S+)/.exec(given) ?? [];
    const tom = await (await browser.newContext()).newPage();
    watch(tom);
    await tom.goto(`${tool}/login`);
    await tom.getByRole('textbox', { name: 'Name' }).fill('Tom');
    await tom.getByRole('textbox', { name: 'Password' }).fill(secret);
    await tom.getByRole('button', { name: 'Log in' }).click();
    await tom.getByRole('link', { name: 'Monday' }).click();
    await tom.getByRole('tab', { name: 'Mistakes' }).waitFor();
    expect(await tom.getByRole('tab', { name: 'Gradebook' }).count()).toBe(0);
    expect(await tom.getByRole('link', { name: 'Staff' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove Tom' }).click();
    await page.getByText('Tom is let in no more.').waitFor();
    expect(await page.getByRole('cell', { name: 'Tom', exact: true }).count()).toBe(0);
    // His page, open until now, ends at the login.
    await tom.waitForURL(/\/login/);
    await tom.context().close();
    expect(complaints.splice(0).filter((text) => !text.includes('401'))).toEqual([]);
  });

  it('is reached from the frame of a learning platform: first by who teaches, then by who learns', {
    timeout: 5 * MINUTE,
  }, async () => {
    platform.people.set('grace', { sub: 'teacher-1', name: 'Grace Hopper', [ROLES]: [INSTRUCTOR] });
    platform.people.set('carla', { sub: 'student-3', name: 'Carla' });
    const context = await browser.newContext();
    const course = await context.newPage();
    watch(course);
    const open = async (hint: string, button: string): Promise<Page> => {
      await course.goto(`${platform.address}/course?${new URLSearchParams({ tool, hint })}`);
      await course.bringToFront();
      const link = course.frameLocator('iframe').getByRole('link', { name: button });
      await link.waitFor();
      const opened = context.waitForEvent('page', { timeout: 2 * MINUTE });
      // By the keyboard: where a frame of another site lies under the mouse is not settled at once.
      await link.press('Enter');
      const there = await opened;
      watch(there);
      return there;
    };
    const first = await open('grace', 'Log in in a new window');
    await first.getByText('Grace Hopper').waitFor();
    await first.getByRole('textbox', { name: 'Name' }).fill('Grace');
    await first.getByRole('textbox', { name: 'Password' }).fill(password);
    await first.getByRole('button', { name: 'Log in' }).click();
    await first.getByRole('link', { name: 'Platforms' }).waitFor();

    const second = await open('grace', 'Open in a new window');
    await second.getByLabel('Room').selectOption('Monday');
    await second.getByLabel('Chapter').selectOption('BERT');
    await second.getByRole('button', { name: /^Save/ }).click();
    await second.getByText('leads to 03-bert').waitFor();

    const carla = await open('carla', 'Open in a new window');
    await carla.getByRole('heading', { name: /^Carla/ }).waitFor();
    await carla.getByRole('button', { name: 'Connect a lab' }).click();
    const line = await carla.locator('.connect pre').innerText();
    expect(line).toContain(`lab.joinRoom("${tool}", '${room.code}', { name: "Carla", identity: '`);
    // A platform that opens a window of its own needs no button.
    await course.goto(platform.course(tool, 'carla'));
    await course.waitForURL(`${tool}/me`);
    await course.getByRole('heading', { name: /^Carla/ }).waitFor();
    await context.close();
  });

  it('runs without a complaint of the browser', () => {
    expect(complaints).toEqual([]);
  });
});

if (missing !== undefined) it('the gradebook in a browser', ({ skip }) => skip(missing));
