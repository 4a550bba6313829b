/**
 * Checks on their way to the room. Each is a file until the server has it, so that a learner who is offline, or whose
 * kernel ends, loses nothing; several kernels share the folder.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckReport, checkReport, checksReply, MOST_CHECKS } from '../protocol.ts';
import { type Membership, stateFolder } from './membership.ts';
import { post, RefusedError } from './server-calls.ts';

function folderOf(room: Membership): string {
  return join(stateFolder(), 'unsent', `${room.room.id}-${room.learner.id}`);
}

/** Keeps a report until it is sent. */
export async function keep(room: Membership, report: CheckReport): Promise<void> {
  const folder = folderOf(room);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The time first: names in order are reports in order.
  const path = join(folder, `${report.checkedAt.replaceAll(':', '')}-${report.id}.json`);
  const draft = join(folder, `.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(report), { mode: 0o600 });
  await rename(draft, path);
}

/** How many reports wait. */
export async function waiting(room: Membership): Promise<number> {
  return (await filesOf(room)).length;
}

/**
 * Sends what waits, oldest first. What the server has is forgotten here, and so is what it will never take.
 * @returns whether the room now asks for code. @throws InputError if the server cannot be reached: all is kept.
 */
export async function sendAll(room: Membership): Promise<{ asksForCode: boolean } | undefined> {
  const folder = folderOf(room);
  const files = await filesOf(room);
  let last: { asksForCode: boolean } | undefined;
  for (let start = 0; start < files.length; start += MOST_CHECKS) {
    const batch = new Map<string, CheckReport>();
    for (const name of files.slice(start, start + MOST_CHECKS)) {
      const report = await readReport(join(folder, name));
      if (report === undefined) await rm(join(folder, name), { force: true });
      else batch.set(name, report);
    }
    if (batch.size > 0) last = await send(room, folder, batch);
  }
  return last;
}

async function send(
  room: Membership,
  folder: string,
  batch: ReadonlyMap<string, CheckReport>,
): Promise<{ asksForCode: boolean }> {
  const { server, token } = room;
  const body = { sentAt: new Date().toISOString(), checks: [...batch.values()] };
  try {
    const reply = await post({ server, path: '/api/learner/checks', token, body, reply: checksReply });
    const accepted = new Set(reply.accepted);
    for (const [name, { id }] of batch) {
      if (accepted.has(id)) await rm(join(folder, name), { force: true });
    }
    return { asksForCode: reply.asksForCode };
  } catch (error) {
    // 400: a report will never be taken. Anything else (full disk, too many requests, closed room) may pass.
    if (!(error instanceof RefusedError) || error.status !== 400) throw error;
    if (batch.size === 1) {
      for (const name of batch.keys()) await rm(join(folder, name), { force: true });
      return { asksForCode: room.room.asksForCode };
    }
    // One that is refused must not hold back the others.
    let last = { asksForCode: room.room.asksForCode };
    for (const entry of batch) last = await send(room, folder, new Map([entry]));
    return last;
  }
}

async function filesOf(room: Membership): Promise<string[]> {
  try {
    const names = await readdir(folderOf(room));
    return names.filter((name) => name.endsWith('.json')).sort();
  } catch {
    return [];
  }
}

async function readReport(path: string): Promise<CheckReport | undefined> {
  try {
    return checkReport.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
