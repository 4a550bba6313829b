import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { desc } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Judgement } from '../../grader/judgement.ts';
import { eventParser, followEvents, type ServerEvent } from '../../src/workshop/client/event-stream.ts';
import { handIn, joinRoom, leaveRoom } from '../../src/workshop/client/join.ts';
import { currentRoom } from '../../src/workshop/client/membership.ts';
import { keep, sendAll, waiting } from '../../src/workshop/client/outbox.ts';
import { progressLink } from '../../src/workshop/client/progress.ts';
import { reportCheck, settled } from '../../src/workshop/client/reporter.ts';
import { boardOf } from '../../src/workshop/client/room-board.ts';
import { createApp } from '../../src/workshop/server/app.ts';
import { latestOfLearner } from '../../src/workshop/store/checks.ts';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import {
  addMessage,
  changeRoom,
  createRoom,
  type Room,
  setAssignment,
} from '../../src/workshop/store/rooms.ts';
import { checks } from '../../src/workshop/store/schema.ts';

const CATALOGUE = [
  { chapter: '03-bert', title: 'BERT', exercises: [{ id: 'bert/pooler', title: 'Pooler', minutes: 5 }] },
];

let store: Store;
let app: FastifyInstance;
let address: string;
let state: string;
let room: Room;

function judgement(verdict: 'pass' | 'fail', diagnosis?: string): Judgement {
  return {
    id: 'bert/pooler',
    title: 'Pooler',
    points: 1,
    score: verdict === 'pass' ? 1 : 0,
    verdict,
    seed: 'check',
    checks: [],
    hiddenRemaining: 2,
    ...(diagnosis === undefined ? {} : { mistake: { id: 'no-tanh', diagnosis } }),
  };
}

async function serve(port = 0): Promise<void> {
  ({ app } = await createApp({ store, catalogue: CATALOGUE, address: 'http://unused' }));
  address = await app.listen({ host: '127.0.0.1', port });
}

beforeAll(async () => {
  store = await openStore();
  await serve();
});
afterAll(async () => {
  await app.close();
  await store.close();
});
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'lab-state-'));
  process.env.LLM_LAB_STATE = state;
  room = await createRoom(store, { title: 'Monday', by: 'test' });
});
afterEach(async () => {
  await settled();
  rmSync(state, { recursive: true, force: true });
  delete process.env.LLM_LAB_STATE;
});

async function learnerNow() {
  const { learner } = currentRoom() ?? {};
  return latestOfLearner(store, learner?.id ?? -1);
}

/** What is kept of the last checks, the newest first. */
async function latestCodes(count: number) {
  return store.db.select({ code: checks.code }).from(checks).orderBy(desc(checks.id)).limit(count);
}

describe('joining', () => {
  it('is remembered, readable by nobody else', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    expect(currentRoom()).toMatchObject({
      server: address,
      room: { title: 'Monday' },
      learner: { name: 'Ada' },
    });
    expect(statSync(join(state, 'room.json')).mode & 0o077).toBe(0);
  });

  it('again stays the same learner', async () => {
    const first = await joinRoom(address, room.code, { name: 'Ada' });
    const again = await joinRoom(address, ` ${room.code.toLowerCase()} `, { name: 'ada' });
    expect(again).toEqual(first);
    await expect(joinRoom(address, room.code, { name: 'Grace' })).rejects.toThrow(/as Ada; leave it first/);
  });

  it('fails with a sentence where there is no server, no room, or something else answers', async () => {
    await expect(joinRoom('http://127.0.0.1:9', room.code, { name: 'Ada' })).rejects.toThrow(
      /cannot be reached/,
    );
    await expect(joinRoom(address, 'WRONG-CODE', { name: 'Ada' })).rejects.toThrow(/no room with this code/);
    await expect(joinRoom('not an address', room.code, { name: 'Ada' })).rejects.toThrow(
      /is not the address of a server/,
    );
    expect(currentRoom()).toBeUndefined();
  });

  it('survives a damaged file of its own', async () => {
    writeFileSync(join(state, 'room.json'), '{"server":');
    expect(currentRoom()).toBeUndefined();
    await joinRoom(address, room.code, { name: 'Ada' });
    expect(currentRoom()?.learner.name).toBe('Ada');
  });
});

describe('checks', () => {
  it('reach the room with their diagnosis and without code, and the learner is told so', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    const note = await reportCheck(judgement('fail', 'The tanh is missing.'), () => 'my code');
    await settled();
    expect(note?.text).toBe(
      "Told to the room 'Monday' as Ada: bert/pooler, not passed, with the diagnosis above.",
    );
    expect(await learnerNow()).toMatchObject([
      { exercise: 'bert/pooler', verdict: 'fail', mistake: 'The tanh is missing.' },
    ]);
    const rows = await latestCodes(1);
    expect(rows).toEqual([{ code: null }]);
  });

  it('bring code only after the learner has been told that the room asks for it', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    await changeRoom(store, room.id, { asksForCode: true, by: 'test' });
    const first = await reportCheck(judgement('fail'), () => 'one');
    await settled();
    const second = await reportCheck(judgement('fail'), () => 'two');
    await settled();
    expect(first?.text).not.toContain('your code');
    expect(second?.text).toContain('and your code');
    const rows = await latestCodes(2);
    expect(rows.map(({ code }) => code)).toEqual([expect.stringContaining('two'), null]);
  });

  it('made offline wait, in order, and are sent once there is a server again', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    const here = currentRoom();
    if (here === undefined) throw new Error('no room');
    const port = Number(new URL(address).port);
    await app.close();
    for (const verdict of ['fail', 'fail', 'pass'] as const) {
      await reportCheck(judgement(verdict), () => '');
      await sleep(5);
    }
    await settled();
    expect(await waiting(here)).toBe(3);
    await serve(port);
    await sendAll(here);
    expect(await waiting(here)).toBe(0);
    expect(await learnerNow()).toMatchObject([{ verdict: 'pass', attempts: 3, failures: 0 }]);
  });

  it('that the server will never take do not hold back the others', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    const here = currentRoom();
    if (here === undefined) throw new Error('no room');
    await keep(here, {
      id: crypto.randomUUID(),
      exercise: 'bert/pooler',
      verdict: 'pass',
      checkedAt: new Date().toISOString(),
    });
    const [folder = ''] = readdirSync(join(state, 'unsent'));
    writeFileSync(join(state, 'unsent', folder, '0-damaged.json'), '{');
    await sendAll(here);
    expect(await waiting(here)).toBe(0);
    expect(await learnerNow()).toMatchObject([{ verdict: 'pass' }]);
  });

  it('are told to nobody outside of a room', async () => {
    expect(await reportCheck(judgement('pass'), () => '')).toBeUndefined();
    await joinRoom(address, room.code, { name: 'Ada' });
    await leaveRoom();
    expect(await reportCheck(judgement('pass'), () => '')).toBeUndefined();
    expect(readdirSync(state)).toEqual([]);
  });
});

describe('messages', () => {
  it('come to the learners they are for, also those missed', async () => {
    await joinRoom(address, room.code, { name: 'Ada' });
    const ada = currentRoom();
    if (ada === undefined) throw new Error('no room');
    await leaveRoom();
    await joinRoom(address, room.code, { name: 'Bob' });
    const bob = currentRoom();
    await addMessage(store, { roomId: room.id, kind: 'announcement', text: 'missed', by: 'test' });
    await addMessage(store, {
      roomId: room.id,
      kind: 'hint',
      text: 'for Bob',
      learnerId: bob?.learner.id ?? -1,
      by: 'test',
    });
    const got: ServerEvent[] = [];
    const stop = new AbortController();
    const following = followEvents(
      `${address}/api/learner/stream?since=0`,
      { authorization: `Bearer ${ada.token}` },
      (event) => got.push(event),
      () => undefined,
      stop.signal,
    ).catch(() => undefined);
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(1);
    stop.abort();
    await following;
    expect(JSON.parse(got[0]?.data ?? '')).toMatchObject({ kind: 'announcement', text: 'missed' });
  });

  it('are shown as text, whatever they hold', () => {
    const here = {
      server: address,
      code: 'X',
      room: { id: 1, title: '<b>Room</b>', asksForCode: false },
      learner: { id: 1, name: 'Ada' },
      token: 'secret-token',
    };
    const message = { id: 1, kind: 'hint' as const, text: '<script>alert(1)</script>', at: '' };
    const html = String(boardOf(here, [message], true, 2)['text/html']);
    expect(html).not.toMatch(/<script|<b>Room/);
    expect(html).toContain('2 checks to be sent');
    expect(html).not.toContain('secret-token');
  });

  it('are read from a stream cut anywhere', () => {
    const text = ': hello\r\n\r\nid: 7\ndata: one\ndata: two\r\n\ndata:three\r\r';
    const whole: ServerEvent[] = [];
    eventParser((event) => whole.push(event))(`${text}\n`);
    expect(whole.map(({ data }) => data)).toEqual(['one\ntwo', 'three']);
    for (let cut = 1; cut < text.length; cut++) {
      const got: ServerEvent[] = [];
      const parse = eventParser((event) => got.push(event));
      parse(text.slice(0, cut));
      parse(`${text.slice(cut)}\n`);
      expect(got, `cut at ${cut}`).toEqual(whole);
    }
  });
});

describe('handing in', () => {
  it('sends the notebook of an open chapter', async () => {
    await setAssignment(store, {
      roomId: room.id,
      chapter: '03-bert',
      title: 'BERT',
      open: true,
      by: 'test',
    });
    await joinRoom(address, room.code, { name: 'Ada' });
    const path = join(state, '03-bert.ipynb');
    writeFileSync(path, '{"cells":[]}');
    expect(await handIn(path)).toMatchObject({ chapter: '03-bert', attempt: 1, late: false, room: 'Monday' });
  });

  it('says what is wrong with the file before anything is sent', async () => {
    await expect(handIn('03-bert.ipynb')).rejects.toThrow(/in no room/);
    await joinRoom(address, room.code, { name: 'Ada' });
    await expect(handIn(join(state, '03-bert.ipynb'))).rejects.toThrow(/cannot read/);
    writeFileSync(join(state, '03-bert.ipynb'), 'not json');
    await expect(handIn(join(state, '03-bert.ipynb'))).rejects.toThrow(/is not a notebook/);
    await expect(handIn(join(state, 'homework.ipynb'))).rejects.toThrow(/which chapter/);
  });
});

it('the link to the own page carries a key of its own, not the token', async () => {
  await joinRoom(address, room.code, { name: 'Ada' });
  const link = await progressLink();
  expect(link.startsWith(`${address}/me#key=`)).toBe(true);
  expect(link).not.toContain(JSON.parse(readFileSync(join(state, 'room.json'), 'utf8')).token);
});
