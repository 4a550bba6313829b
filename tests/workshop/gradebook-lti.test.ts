/** Registering platforms, sending marks and fetching rosters from the command line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownKeySet } from '../../src/workshop/lti/keys.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { addGrading, addMark } from '../../src/workshop/store/gradebook.ts';
import { learnersOf } from '../../src/workshop/store/learners.ts';
import { showCode } from '../../src/workshop/store/names.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import { createRoom, type Room, setAssignment } from '../../src/workshop/store/rooms.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { gradebook } from './gradebook-run.ts';
import { SimulatedPlatform } from './lti-platform.ts';
import { Visitor } from './lti-visitor.ts';
import { Postgres, serverPrograms } from './store-engines.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'llm-lab-gradebook-lti-'));
let postgres: Postgres | undefined;
let url = '';
let platform: SimulatedPlatform;
let room: Room;

beforeAll(async () => {
  if (serverPrograms() !== undefined) {
    postgres = await Postgres.start();
    url = await postgres.database();
  }
  // Read before: while a command works, an embedded store is its own.
  const keys = await withStore(ownKeySet);
  platform = await SimulatedPlatform.start(async () => keys);
  room = await withStore((store) => createRoom(store, { title: 'Monday', by: 'test' }));
  await withStore((store) => setAssignment(store, { ...CHAPTER(), open: true, title: 'BERT' }));
}, 600_000);
afterAll(async () => {
  await platform.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

const CHAPTER = () => ({ roomId: room.id, chapter: '03-bert', by: 'test' });
const lab = (...args: string[]) => gradebook([...args, '--folder', folder], url);

/** Opened for each piece of work, as the commands do: a folder has one process and one opening at a time. */
async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(url === '' ? { folder } : { url });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

it('registers platforms, by all addresses or by the name of a product', { timeout: 600_000 }, async () => {
  const { issuer, clientId, authUrl, tokenUrl, jwksUrl } = platform.registration;
  const addresses = ['--issuer', issuer, '--auth', authUrl, '--token', tokenUrl, '--jwks', jwksUrl];
  const added = await lab(
    ...['lti', 'add', '--name', 'Campus', '--client-id', clientId],
    ...['--deployment', platform.deploymentId, 'deployment-2', ...addresses],
  );
  expect(added).toMatchObject({ status: 0, stdout: expect.stringContaining('Campus is platform 1') });
  const moodle = [
    'lti',
    'add',
    '--moodle',
    'https://moodle.example.org/',
    '--client-id',
    'Q1',
    '--deployment',
    '2',
  ];
  expect((await lab(...moodle)).status).toBe(0);
  expect((await lab('lti', 'add', '--canvas', '--client-id', '100', '--deployment', '1:a')).status).toBe(0);
  const { stdout } = await lab('lti', 'list');
  expect(stdout).toContain(
    `1  Campus  issuer ${issuer}  client id tool-7  deployments deployment-1, deployment-2`,
  );
  expect(stdout).toContain('moodle.example.org  issuer https://moodle.example.org  client id Q1');
  expect(stdout).toContain('canvas.instructure.com  issuer https://canvas.instructure.com  client id 100');
  const number = /^(\d+) {2}canvas/m.exec(stdout)?.[1] ?? '';
  expect((await lab('lti', 'remove', number)).stdout).toContain('canvas.instructure.com is forgotten');
  expect((await lab('lti', 'list')).stdout).not.toContain('canvas');
});

it('prints what a platform must be told', async () => {
  const { stdout } = await lab('lti', 'urls', 'https://lab.example.org/');
  for (const place of ['login', 'launch', 'keys', 'config.json']) {
    expect(stdout).toContain(`https://lab.example.org/lti/${place}\n`);
  }
});

it.each([
  [['lti', 'urls', 'http://lab.example.org'], 'over TLS only'],
  [
    ['lti', 'add', '--client-id', 'x', '--deployment', '1'],
    'give --canvas, --moodle URL, or all of --issuer',
  ],
  [
    ['lti', 'add', '--moodle', 'http://moodle.example.org', '--client-id', 'x', '--deployment', '1'],
    'must begin with https://',
  ],
  [['lti', 'remove', '77'], 'there is no platform 77'],
  [['lti', 'connect', '77', '03-bert'], 'there is no link 77'],
  [['passback', '03-bert'], 'no link of a platform leads to this chapter'],
  [['pull-roster'], 'no link of a platform that tells who is in its course leads to this room'],
])('refuses %j with a sentence and exit code 2', { timeout: 600_000 }, async (args, sentence) => {
  const { status, stderr } = await lab(...args);
  expect(stderr).toContain(sentence);
  expect(status).toBe(2);
});

it('sends marks and fetches learners once a link leads to a chapter', { timeout: 600_000 }, async () => {
  platform.people.set('ada', {});
  platform.people.set('bob', { sub: 'student-2', name: 'Bob' });
  /** While the server runs, as people launch; afterwards the folder is free for the commands. */
  const launch = (...hints: string[]) =>
    withStore(async (store) => {
      const { app } = await createApp({ store, catalogue: [], address: tool });
      await app.listen({ host: '127.0.0.1', port: 0 });
      for (const hint of hints) await new OtherAddress(app).launch(platform.course(tool, hint));
      await app.close();
    });
  await launch('ada');
  expect((await lab('lti', 'links')).stdout).toBe('1  Campus  BERT in the course  leads nowhere yet\n');
  const connected = await lab('lti', 'connect', '1', '03-bert', '--room', showCode(room.code));
  expect(connected.status).toBe(0);
  expect((await lab('lti', 'links')).stdout).toBe('1  Campus  BERT in the course  03-bert in Monday\n');
  await launch('ada', 'bob');

  await withStore(async (store) => {
    const { id: assignmentId } = await setAssignment(store, CHAPTER());
    for (const { id: learnerId, displayName } of await learnersOf(store, room.id)) {
      const { id } = await handIn(store, { assignmentId, learnerId, notebook: Buffer.from(displayName) });
      const score = 5;
      const exercises = [{ id: 'bert/one', title: 'One', points: 10, score, verdict: 'fail' as const }];
      const whole = { learner: 'x', file: 'x', chapter: '03-bert', seed: 's', verdict: 'fail' as const };
      const report = { ...whole, score, points: 10, exercises };
      await addGrading(store, { submissionId: id, report, graderVersion: '1', by: 'test' });
    }
  });
  platform.refused.add('student-1');
  expect(await lab('passback', '03-bert')).toMatchObject({
    status: 1,
    stdout:
      'Ada Byron: not sent: the platform refused (HTTP 400)\nBob: 5 of 10\n1 sent, 0 as they were, 0 without a mark, 1 failed\n',
  });
  platform.refused.clear();
  expect(await lab('passback', '03-bert')).toMatchObject({
    status: 0,
    stdout:
      'Ada Byron: 5 of 10\nBob: 5 of 10, as before\n1 sent, 1 as they were, 0 without a mark, 0 failed\n',
  });
  await withStore(async (store) => {
    const { id: assignmentId } = await setAssignment(store, CHAPTER());
    const [ada] = await learnersOf(store, room.id);
    await addMark(store, { assignmentId, learnerId: ada?.id ?? 0, points: 8, by: 'Grace' });
  });
  const again = await lab('passback', '03-bert', '--json');
  expect(JSON.parse(again.stdout)).toMatchObject([
    { name: 'Ada Byron', outcome: 'sent', points: 8, outOf: 10 },
    { name: 'Bob', outcome: 'unchanged' },
  ]);
  expect(platform.scores.map(({ body }) => [body.userId, body.scoreGiven])).toEqual([
    ['student-2', 5],
    ['student-1', 5],
    ['student-1', 8],
  ]);

  platform.members = [[{ user_id: 'student-5', name: 'Eve', roles: ['Learner'] }]];
  expect((await lab('pull-roster')).stdout).toBe(
    '1 added, 0 known by their e-mail, 0 as they were, 0 no learners of the course\n',
  );
  expect((await lab('audit', '--limit', '1')).stdout).toContain('lti.roster');
});

it('publishes the marks of a chapter and hides them again', { timeout: 600_000 }, async () => {
  const released = async () => (await withStore((store) => setAssignment(store, CHAPTER()))).releasedAt;
  expect((await lab('publish', '03-bert')).status).toBe(0);
  expect(await released()).not.toBeNull();
  await lab('publish', '03-bert', '--take-back');
  expect(await released()).toBeNull();
});

const tool = 'https://lab.example.org';

/** The public address stands for the server on this machine, as it does behind a proxy. */
class OtherAddress extends Visitor {
  readonly #app: FastifyInstance;

  constructor(app: FastifyInstance) {
    super();
    this.#app = app;
  }

  override ask(url: string, init?: RequestInit): Promise<Response> {
    return super.ask(url.replace(tool, this.#app.listeningOrigin), init);
  }
}
