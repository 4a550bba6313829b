import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, expect, it } from 'vitest';
import { openStore } from '../../src/workshop/store/open.ts';
import { allRooms, createRoom } from '../../src/workshop/store/rooms.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'llm-lab-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('keeps a folder for one process, and refuses what a newer lab has made', {
  timeout: 600_000,
}, async () => {
  const store = await openStore({ folder });
  await createRoom(store, { title: 'Kept', by: 'test' });
  await expect(openStore({ folder })).rejects.toThrow(`is in use by process ${process.pid}`);
  await store.close();

  const again = await openStore({ folder });
  expect((await allRooms(again)).map(({ title }) => title)).toEqual(['Kept']);
  const future = Date.UTC(2200, 0, 1);
  await again.db.execute(
    sql`insert into drizzle.llm_lab_migrations (hash, created_at) values ('x', ${future})`,
  );
  await again.close();
  await expect(openStore({ folder })).rejects.toThrow('was made by a newer version of the lab (2200-01-01)');
});

it.each([
  ['mysql://db/lab', 'DATABASE_URL must start with postgres://'],
  ['postgres://lab:secret@127.0.0.1:1/lab', 'the database of DATABASE_URL cannot be reached: '],
])('says what is wrong with %s, and no password', async (url, sentence) => {
  const refusal: unknown = await openStore({ url }).catch((error: unknown) => error);
  expect(String(refusal)).toContain(sentence);
  expect(String(refusal)).not.toContain('secret');
});
