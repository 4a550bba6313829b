/** What goes wrong around a workshop: a database that goes away, and people who come back a thousand times. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { followEvents } from '../../src/workshop/client/event-stream.ts';
import { joinRoom } from '../../src/workshop/client/join.ts';
import { currentRoom, type Membership } from '../../src/workshop/client/membership.ts';
import { keep, sendAll, waiting } from '../../src/workshop/client/outbox.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { backup, restore } from '../../src/workshop/store/backup.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import { addMessage, createRoom } from '../../src/workshop/store/rooms.ts';
import { checks } from '../../src/workshop/store/schema.ts';
import { NO_SERVER, Postgres, serverPrograms } from './store-engines.ts';

const CATALOGUE = [
  { chapter: '03-bert', title: 'BERT', exercises: [{ id: 'bert/pooler', title: 'Pooler', minutes: 5 }] },
];

let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'lab-failures-'));
  process.env.LLM_LAB_STATE = state;
});
afterEach(() => {
  delete process.env.LLM_LAB_STATE;
  rmSync(state, { recursive: true, force: true });
});

async function serve(store: Store): Promise<{ app: FastifyInstance; address: string }> {
  const { app } = await createApp({ store, catalogue: CATALOGUE, address: 'http://unused' });
  return { app, address: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

/** Joins as a learner whose checks go through the outbox, as those of a notebook do. */
async function learnerIn(address: string, code: string): Promise<Membership> {
  await joinRoom(address, code, { name: `learner ${randomUUID().slice(0, 8)}` });
  const room = currentRoom();
  if (room === undefined) throw new Error('in no room');
  return room;
}

const check = () => ({
  id: randomUUID(),
  exercise: 'bert/pooler',
  verdict: 'fail' as const,
  mistake: 'The tanh is missing.',
  checkedAt: new Date().toISOString(),
});

const keptIds = async (store: Store): Promise<string[]> =>
  (await store.db.select({ id: checks.clientId }).from(checks)).map(({ id }) => id);

describe('many at once', () => {
  let store: Store;
  let app: FastifyInstance;
  let address: string;

  beforeAll(async () => {
    store = await openStore();
    ({ app, address } = await serve(store));
  }, 300_000);
  afterAll(async () => {
    await app.close();
    await store.close();
  });

  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );

  it('a notebook that reconnects a thousand times keeps a few connections, and misses nothing', async () => {
    const { code, id } = await createRoom(store, { title: 'Monday', by: 'test' });
    const { token } = await learnerIn(address, code);
    const headers = { authorization: `Bearer ${token}` };
    const url = `${address}/api/learner/stream`;
    for (let round = 0; round < 100; round++) {
      const ends = Array.from({ length: 10 }, () => new AbortController());
      await Promise.all(
        ends.map(async (end, i) => {
          const opened = await fetch(url, { headers, signal: end.signal });
          expect(opened.status).toBe(200);
          // Half of them go away without a word to the server.
          if (i % 2 === 0) end.abort();
        }),
      );
    }
    await expect.poll(connections, { timeout: 20_000 }).toBeLessThan(30);
    await addMessage(store, { roomId: id, kind: 'announcement', text: 'Lunch', by: 'test' });
    const stop = new AbortController();
    const message = await new Promise<string>((resolve, reject) => {
      followEvents(
        `${url}?since=0`,
        headers,
        ({ data }) => resolve(data),
        () => undefined,
        stop.signal,
      ).catch(reject);
    });
    stop.abort();
    expect(JSON.parse(message)).toMatchObject({ text: 'Lunch' });
  });

  it('twenty who take one name in the same moment: one has it, the others are told', async () => {
    const { code } = await createRoom(store, { title: 'Tuesday', by: 'test' });
    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        app.inject({ method: 'POST', url: '/api/join', payload: { code, name: 'Ada' } }),
      ),
    );
    const statuses = replies.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
    for (const reply of replies.filter(({ statusCode }) => statusCode === 409))
      expect(reply.json().message).toMatch(/Ada/);
  });
});

describe('a database that goes away', () => {
  let postgres: Postgres | undefined;

  beforeAll(async () => {
    if (serverPrograms() !== undefined) postgres = await Postgres.start();
  }, 300_000);
  afterAll(() => postgres?.stop());
  beforeEach(({ skip }) => {
    if (postgres === undefined) skip(NO_SERVER);
  });

  /** As its administrator. */
  async function tell(server: Postgres, ...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  it('for a moment: checks on their way are sent again, and none is doubled', async () => {
    if (postgres === undefined) return;
    const server = postgres;
    const url = await server.database();
    const store = await openStore({ url });
    const { app, address } = await serve(store);
    try {
      const { code } = await createRoom(store, { title: 'Monday', by: 'test' });
      const room = await learnerIn(address, code);
      const reports = Array.from({ length: 60 }, () => check());
      const cutting = new AbortController();
      const cut = (async () => {
        while (!cutting.signal.aborted) {
          await tell(
            server,
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${new URL(url).pathname.slice(1)}'`,
          );
          await sleep(20);
        }
      })();
      for (const report of reports) {
        await keep(room, report);
        await sendAll(room).catch(() => undefined);
      }
      cutting.abort();
      await cut;
      await expect
        .poll(
          async () => {
            await sendAll(room).catch(() => undefined);
            return waiting(room);
          },
          { timeout: 30_000 },
        )
        .toBe(0);
      expect((await keptIds(store)).sort()).toEqual(reports.map(({ id }) => id).sort());
    } finally {
      await app.close();
      await store.close();
    }
  });

  it('for good: the server says so and lives, and goes on with a restored backup and what the notebooks kept', async () => {
    if (postgres === undefined) return;
    const url = await postgres.database();
    const name = new URL(url).pathname.slice(1);
    const store = await openStore({ url });
    const { app, address } = await serve(store);
    const file = join(state, 'backup');
    try {
      const { code } = await createRoom(store, { title: 'Monday', by: 'test' });
      const room = await learnerIn(address, code);
      const [first, second] = [check(), check()];
      await keep(room, first);
      await sendAll(room);
      await backup(store, file);
      await tell(postgres, `drop database ${name} with (force)`);

      await keep(room, second);
      await expect(sendAll(room)).rejects.toThrow('The server could not do this now; try again in a moment.');
      expect(await waiting(room)).toBe(1);
      expect((await fetch(`${address}/join`)).status).toBe(200);

      await tell(postgres, `create database ${name}`);
      const restored = await openStore({ url });
      await restore(restored, file);
      await restored.close();
      await sendAll(room);
      expect(await waiting(room)).toBe(0);
      expect((await keptIds(store)).sort()).toEqual([first.id, second.id].sort());
    } finally {
      await app.close();
      await store.close();
    }
  });
});
