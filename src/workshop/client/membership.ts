/** Which room this lab has joined: one small file in the person's own configuration, readable by nobody else. */

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const membership = z.object({
  /** Address of the server, without a slash at its end. */
  server: z.string(),
  /** The code that the learner joined with. */
  code: z.string(),
  room: z.object({ id: z.number(), title: z.string(), asksForCode: z.boolean() }),
  learner: z.object({ id: z.number(), name: z.string() }),
  token: z.string(),
});
export type Membership = z.infer<typeof membership>;

/** Where the lab keeps what belongs to the person: `LLM_LAB_STATE`, or the folder for configuration of their system. */
export function stateFolder(): string {
  const { LLM_LAB_STATE, XDG_CONFIG_HOME } = process.env;
  return LLM_LAB_STATE ?? join(XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'llm-lab');
}

function file(): string {
  return join(stateFolder(), 'room.json');
}

/** The room this lab is in; undefined if it is in none. A damaged file counts as none. */
export function currentRoom(): Membership | undefined {
  const path = file();
  if (!existsSync(path)) return undefined;
  try {
    return membership.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

export async function rememberRoom(joined: Membership): Promise<void> {
  await mkdir(stateFolder(), { recursive: true, mode: 0o700 });
  // Written beside and moved: a kernel that reads meanwhile sees the old file or the new one.
  const draft = `${file()}.${process.pid}`;
  await writeFile(draft, JSON.stringify(joined), { mode: 0o600 });
  await rename(draft, file());
}

export async function forgetRoom(): Promise<void> {
  await rm(file(), { force: true });
}
