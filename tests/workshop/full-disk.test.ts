/** A full disk under the server of a workshop: bubblewrap gives it a small disk of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { handIn, joinRoom } from '../../src/workshop/client/join.ts';
import { currentRoom } from '../../src/workshop/client/membership.ts';
import { keep, sendAll, waiting } from '../../src/workshop/client/outbox.ts';
import { freePort } from '../free-port.ts';

const ROOT = join(import.meta.dirname, '../..');
const MEBIBYTE = 2 ** 20;
/** An empty embedded database needs 40 MiB. */
const DISK = 120 * MEBIBYTE;
/** Where bubblewrap puts the disk. */
const MOUNT = '/mnt';

/** A disk of its own for a program, and the program. */
function onSmallDisk(program: readonly string[]): string[] {
  const disk = ['--size', String(DISK), '--tmpfs', MOUNT];
  return [
    '--dev-bind',
    '/',
    '/',
    '--unshare-pid',
    '--proc',
    '/proc',
    ...disk,
    '--die-with-parent',
    '--',
    ...program,
  ];
}

const works = spawnSync('bwrap', onSmallDisk(['true'])).status === 0;

let folder: string;
let server: ChildProcess | undefined;

beforeEach(({ skip }) => {
  if (!works) skip('bubblewrap does not work here (Debian: apt-get install bubblewrap)');
  folder = mkdtempSync(join(tmpdir(), 'lab-disk-'));
  process.env.LLM_LAB_STATE = join(folder, 'state');
});
afterEach(() => {
  server?.kill('SIGKILL');
  server = undefined;
  delete process.env.LLM_LAB_STATE;
  rmSync(folder, { recursive: true, force: true });
});

/** The shell on the small disk does what stands in a file, then removes the file: the disk is seen by nobody else. */
async function tell(what: 'fill' | 'free' | 'restart'): Promise<void> {
  const file = join(folder, what);
  writeFileSync(file, '');
  await expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(false);
}

/** A link to log in, of those that the server has printed since it started `starts` times. */
async function keyOf(starts: number): Promise<string> {
  const keys = (): string[] =>
    [...readFileSync(join(folder, 'out'), 'utf8').matchAll(/login#key=([\w-]+)/g)].map(([, key = '']) => key);
  await expect.poll(keys, { timeout: 120_000 }).toHaveLength(starts);
  return keys().at(-1) ?? '';
}

function start(port: number): void {
  const lab = `${process.execPath} src/cli/main.ts workshop --folder ${MOUNT}/room --host 127.0.0.1 --port ${port}`;
  const script = `
    cd ${folder}
    run() { (cd ${ROOT} && exec ${lab}) >> out 2>> err & P=$!; }
    run
    while :; do
      if [ -e fill ]; then dd if=/dev/zero of=${MOUNT}/fill bs=4k 2> dd; rm fill; fi
      if [ -e free ]; then rm ${MOUNT}/fill free; fi
      if [ -e restart ]; then kill -9 $P; wait $P; run; rm restart; fi
      sleep 0.1
    done`;
  writeFileSync(join(folder, 'out'), '');
  server = spawn('bwrap', onSmallDisk(['sh', '-c', script]), { stdio: 'ignore' });
}

/** An instructor's requests. */
async function instructor(address: string, key: string) {
  const json = { 'content-type': 'application/json' };
  const login = await fetch(`${address}/api/login`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ key }),
  });
  const cookie = login.headers.getSetCookie().map((one) => one.split(';')[0]);
  const headers = { ...json, cookie: cookie.join('; ') };
  const { csrf } = z
    .object({ csrf: z.string() })
    .parse(await (await fetch(`${address}/api/me`, { headers })).json());
  return async <T>(shape: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> => {
    const all = { method, headers: { ...headers, 'x-csrf-token': csrf } };
    const given = body === undefined ? {} : { body: JSON.stringify(body) };
    return shape.parse(await (await fetch(`${address}${path}`, { ...all, ...given })).json());
  };
}

/** As large as a notebook may be, and nothing that compresses. */
function largeNotebook(): string {
  const source = randomBytes(3 * MEBIBYTE).toString('base64');
  const cell = { cell_type: 'markdown', id: randomUUID(), metadata: {}, source };
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [cell] });
}

it('says so, keeps everything it has taken, and goes on when there is room again', {
  timeout: 400_000,
}, async () => {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  start(port);
  const ask = await instructor(address, await keyOf(1));
  const room = await ask(z.object({ id: z.number(), code: z.string() }), 'POST', '/api/rooms', {
    title: 'Full',
  });
  await joinRoom(address, room.code, { name: 'Ada' });
  const ada = currentRoom();
  if (ada === undefined) throw new Error('in no room');
  const notebook = join(folder, '00-start-here.ipynb');
  let newest = '';
  const sendChecks = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const checkedAt = new Date().toISOString();
      const mistake = randomBytes(290).toString('hex');
      newest = mistake;
      await keep(ada, {
        id: randomUUID(),
        exercise: 'start/standardize',
        verdict: 'fail',
        mistake,
        checkedAt,
      });
    }
    await sendAll(ada);
  };
  await sendChecks(1);
  writeFileSync(notebook, largeNotebook());
  await handIn(notebook);

  await tell('fill');
  const full = 'The disk of the server is full; what you sent is not kept there.';
  writeFileSync(notebook, largeNotebook());
  await expect(handIn(notebook)).rejects.toThrow(full);
  // Small ones may find a place in what the database has already taken of the disk; hundreds do not.
  await expect(sendChecks(2000)).rejects.toThrow(full);
  const left = await waiting(ada);
  expect(left).toBeGreaterThan(0);

  await tell('free');
  await sendAll(ada);
  expect(await waiting(ada)).toBe(0);
  expect((await handIn(notebook)).attempt).toBe(2);

  // Without a word of farewell: what was confirmed is on the disk.
  await tell('restart');
  const again = await instructor(address, await keyOf(2));
  const handedIn = await again(z.unknown(), 'GET', `/api/rooms/${room.id}/hand-ins`);
  expect(JSON.stringify(handedIn)).toContain('"attempt":2');
  const mistakes = z.array(z.object({ mistake: z.string().nullable() }));
  const checks = await again(mistakes, 'GET', `/api/rooms/${room.id}/learners/${ada.learner.id}/checks`);
  // The newest first: those that waited.
  expect(checks.map(({ mistake }) => mistake)).toContain(newest);
});
