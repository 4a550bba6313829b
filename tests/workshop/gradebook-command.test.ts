import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { joinRoom } from '../../src/workshop/store/learners.ts';
import { openStore } from '../../src/workshop/store/open.ts';
import { createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { gradebook } from './gradebook-run.ts';
import { Postgres, serverPrograms } from './store-engines.ts';

const temporary = mkdtempSync(path.join(tmpdir(), 'llm-lab-gradebook-'));
const folder = path.join(temporary, 'workshop');
const at = (name: string): string => path.join(temporary, name);

/** Where PostgreSQL is installed each folder is a database of a server: embedded ones take seconds to start for every command. */
const databases = new Map<string, string>();
let postgres: Postgres | undefined;

beforeAll(async () => {
  if (serverPrograms() !== undefined) {
    postgres = await Postgres.start();
    for (const name of [folder, at('restored')]) databases.set(name, await postgres.database());
  }
  const url = databases.get(folder);
  const store = await openStore(url === undefined ? { folder } : { url });
  const room = await createRoom(store, { title: 'Monday', by: 'test' });
  const { learner } = await joinRoom(store, { room, displayName: 'Ada Byron' });
  const due = {
    roomId: room.id,
    chapter: '03-bert',
    open: true,
    dueAt: new Date('2026-05-04T22:00:00Z'),
    by: 'test',
  };
  const assignment = await setAssignment(store, due);
  await handIn(store, {
    assignmentId: assignment.id,
    learnerId: learner.id,
    notebook: Buffer.from('{}'),
    at: new Date('2026-05-05T10:00:00Z'),
  });
  await store.close();
}, 600_000);
afterAll(async () => {
  await postgres?.stop();
  rmSync(temporary, { recursive: true, force: true });
}, 120_000);

async function lab(...args: string[]) {
  const all = args.includes('--folder') ? args : [...args, '--folder', folder];
  return gradebook(all, databases.get(all.at(all.indexOf('--folder') + 1) ?? '') ?? '');
}

const writeReport = (learner: string, score: number): void => {
  mkdirSync(at('reports/learners'), { recursive: true });
  const exercises = [{ id: 'bert/pooler', title: 'Pooler', points: 10, score, verdict: 'fail' }];
  const report = {
    learner,
    file: 'x',
    chapter: '03-bert',
    seed: 's',
    verdict: 'fail',
    score,
    points: 10,
    notices: [],
    exercises,
  };
  writeFileSync(at(`reports/learners/${encodeURIComponent(learner)}.json`), JSON.stringify(report));
};

it('takes a class from its roster to marks, exports, a backup and back', { timeout: 600_000 }, async () => {
  writeFileSync(
    at('class.csv'),
    'name,email,id,group\nAda Byron,ada@example.org,7,A\nBob,bob@example.org,8,A\n',
  );
  expect(await lab('import-roster', at('class.csv'))).toMatchObject({
    status: 0,
    stdout: '1 added, 1 changed, 0 as they were\n',
  });

  expect((await lab('collect', '03-bert', '--out', at('in'))).stdout).toContain('1 notebooks');
  const [file = ''] = readdirSync(at('in'));
  expect(readFileSync(path.join(at('in'), file), 'utf8')).toBe('{}');

  writeReport(path.basename(file, '.ipynb'), 6);
  // Not handed in here: known by the e-mail, and in time.
  writeReport('bob@example.org', 8);
  expect(await lab('grade', at('reports'))).toMatchObject({
    status: 0,
    stdout: '2 graded, 0 graded again, 0 known already\n',
  });
  expect((await lab('grade', at('reports'))).stdout).toBe('0 graded, 0 graded again, 2 known already\n');

  await lab('rules', '03-bert', '--penalty', '0.5');
  const marks = async () => (await lab('export', '--format', 'gradescope')).stdout.split('\r\n').slice(1, 3);
  // Ada was twelve hours late: one day has begun. 6 × 0.5 = 3.
  expect(await marks()).toEqual([
    'Ada,Byron,7,ada@example.org,A,3,10,24:00:00',
    'Bob,,8,bob@example.org,A,8,10,0:00:00',
  ]);
  expect(
    (await lab('extend', '03-bert', '--learner', 'ada byron', '--until', '2026-05-06T00:00:00+02:00')).status,
  ).toBe(0);
  expect(
    (await lab('mark', '03-bert', '8', '--exercise', 'bert/pooler', '--points', '9', '--comment', 'nearly'))
      .status,
  ).toBe(0);
  expect(await marks()).toEqual([
    'Ada,Byron,7,ada@example.org,A,6,10,0:00:00',
    'Bob,,8,bob@example.org,A,9,10,0:00:00',
  ]);
  expect((await lab('audit', '--limit', '1', '--by', 'Eve')).stdout).toContain('mark.set');

  expect((await lab('backup', at('all.backup'))).status).toBe(0);
  expect((await lab('restore', at('all.backup'), '--folder', at('restored'))).status).toBe(0);
  const restored = (await lab('export', '--format', 'gradescope', '--folder', at('restored'))).stdout;
  expect(restored.split('\r\n').slice(1, 3)).toEqual(await marks());
});

it('refuses bad input with a sentence and exit code 2', { timeout: 600_000 }, async () => {
  writeFileSync(at('bad.csv'), 'name,email\nEve,eve@example.org\nMallory,nowhere\n');
  const refused = async (sentence: string, ...args: string[]) => {
    const { status, stderr } = await lab(...args);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  };
  await refused(
    'line 3: “nowhere” is no e-mail address. Nothing was imported',
    'import-roster',
    at('bad.csv'),
  );
  expect((await lab('export')).stdout).not.toContain('Eve');
  await refused('nobody in the room', 'mark', '03-bert', 'Zoe', '--points', '1');
  await refused("no chapter '99-x'", 'collect', '99-x', '--out', at('none'));
  await refused(
    'expected a time with its zone',
    'extend',
    '03-bert',
    '--learner',
    'Bob',
    '--until',
    '2026-05-06',
  );
  await refused(
    'is no backup of the lab, or is damaged',
    'restore',
    at('bad.csv'),
    '--folder',
    at('restored'),
  );
  await refused('there is no workshop', 'export', '--folder', at('nowhere'));
  await refused('there is no room with this code', 'export', '--room', '0000-0000');
  mkdirSync(at('empty'));
  await refused('holds no reports of lab grade', 'grade', at('empty'));
});
