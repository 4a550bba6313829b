import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, expect, it } from 'vitest';
import { BACKUP_TABLES, backup, restore } from '../../src/workshop/store/backup.ts';
import { recordChecks } from '../../src/workshop/store/checks.ts';
import { addGrading, addMark, markBook } from '../../src/workshop/store/gradebook.ts';
import { joinRoom, learnersOf } from '../../src/workshop/store/learners.ts';
import type { Store } from '../../src/workshop/store/open.ts';
import { addMessage, allRooms, createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import * as schema from '../../src/workshop/store/schema.ts';
import { handIn, notebookOf } from '../../src/workshop/store/submissions.ts';
import { onBothEngines } from './store-engines.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'llm-lab-backup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const everything = async ({ db }: Store): Promise<unknown> => {
  const rows: Record<string, unknown[]> = {};
  for (const table of BACKUP_TABLES) rows[getTableName(table)] = await db.select().from(table);
  return rows;
};

async function fill(store: Store): Promise<{ submission: number; notebook: Uint8Array; roomId: number }> {
  const room = await createRoom(store, { title: 'Möbius “x”\n', by: 'test' });
  const { learner } = await joinRoom(store, { room, displayName: 'Ada' });
  const assignment = await setAssignment(store, {
    roomId: room.id,
    chapter: '03-bert',
    open: true,
    dueAt: new Date('2026-05-01T10:00:00.123Z'),
    policy: { penaltyPerDay: 0.1 },
    by: 'test',
  });
  // Every value that a byte can have.
  const notebook = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
  const { id } = await handIn(store, {
    assignmentId: assignment.id,
    learnerId: learner.id,
    notebook,
    at: new Date('2026-05-01T09:00:00Z'),
  });
  const exercises = [{ id: 'bert/pooler', title: 'P', points: 3, score: 1 / 3, verdict: 'fail' as const }];
  const report = {
    learner: 'Ada',
    file: 'a',
    chapter: null,
    seed: 's',
    verdict: 'fail' as const,
    score: 1 / 3,
    points: 3,
    exercises,
  };
  await addGrading(store, { submissionId: id, report, graderVersion: '1', by: 'test' });
  await addMark(store, {
    assignmentId: assignment.id,
    learnerId: learner.id,
    points: 2.5,
    comment: 'ok',
    by: 'Eve',
  });
  const clientId = '5a6ad5ec-0e62-4a6e-8a7b-1de54a6c5e6b';
  await recordChecks(store, learner.id, [
    {
      clientId,
      exercise: 'bert/pooler',
      verdict: 'fail',
      mistake: 'π',
      code: 'a\u2028b',
      checkedAt: new Date(0),
    },
  ]);
  await addMessage(store, { roomId: room.id, kind: 'hint', text: 'look', by: 'Eve' });
  return { submission: id, notebook, roomId: room.id };
}

it('names every table but those of logins under way', () => {
  const all = Object.values(schema).filter((one) => is(one, PgTable));
  const missing = all.filter((table) => !BACKUP_TABLES.includes(table)).map(getTableName);
  expect(missing.sort()).toEqual(['lti_logins', 'lti_nonces', 'sessions']);
});

onBothEngines('backup', (engine) => {
  it('comes back as it was, on either engine, and goes on from there', async () => {
    const { store } = engine();
    const { submission, notebook, roomId } = await fill(store);
    const before = await everything(store);
    const file = path.join(folder, `${store.kind}.backup`);
    await backup(store, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const ofEmbedded = path.join(folder, 'embedded.backup');
    // On the server both are restored: its own and the one that the embedded engine wrote.
    for (const one of new Set([file, ofEmbedded])) {
      await engine().empty();
      await restore(store, one);
      if (one === file) expect(await everything(store)).toEqual(before);
      expect(await notebookOf(store, submission)).toEqual(notebook);
      expect((await markBook(store, roomId)).rows[0]?.marks[0]).toMatchObject({
        points: 2.5,
        automatic: 1 / 3,
      });
    }
    const next = await createRoom(store, { title: 'Next', by: 'test' });
    expect((await allRooms(store)).map(({ id }) => id)).toEqual([roomId, next.id]);
    await expect(joinRoom(store, { room: { ...next, id: roomId }, displayName: 'ada' })).rejects.toThrow(
      'already',
    );
    await engine().empty();
  });

  it('refuses a store with anything in it, and a file that is there', async () => {
    const { store } = engine();
    const file = path.join(folder, `${store.kind}-full.backup`);
    await createRoom(store, { title: 'Here', by: 'test' });
    await backup(store, file);
    await expect(restore(store, file)).rejects.toThrow('the store is not empty');
    await expect(backup(store, file)).rejects.toThrow('exists');
  });

  it('refuses a damaged file and leaves the store empty', async () => {
    const { store } = engine();
    const file = path.join(folder, `${store.kind}-damaged.backup`);
    await createRoom(store, { title: 'Here', by: 'test' });
    await backup(store, file);
    const whole = readFileSync(file);
    const text = gunzipSync(whole).toString();
    const lines = text.trimEnd().split('\n');
    await engine().empty();
    const damages: [string, Uint8Array][] = [
      ['cut off', whole.subarray(0, whole.length - 100)],
      ['a bit turned', whole.map((byte, i) => (i === 200 ? byte ^ 4 : byte))],
      ['no gzip', Buffer.from('rooms')],
      ['empty', Buffer.alloc(0)],
      ['a row changed', gzipSync(text.replace('Here', 'Hers'))],
      ['a row left out', gzipSync(`${[...lines.slice(0, 2), ...lines.slice(3)].join('\n')}\n`)],
      ['no end', gzipSync(`${lines.slice(0, -1).join('\n')}\n`)],
      ['more after the end', gzipSync(`${text}${lines[1]}\n`)],
    ];
    for (const [what, bytes] of damages) {
      writeFileSync(file, bytes);
      await expect(restore(store, file), what).rejects.toThrow('is no backup of the lab, or is damaged');
    }
    await expect(restore(store, path.join(folder, 'nothing'))).rejects.toThrow('there is no such file');
    expect(await learnersOf(store, 1)).toEqual([]);
    expect(await allRooms(store)).toEqual([]);
  });
});
