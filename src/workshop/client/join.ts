/** Joining a room, leaving it, handing in. */

import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';
import { chapterName, joinReply, LARGEST_NOTEBOOK } from '../protocol.ts';
import { normaliseCode } from '../store/names.ts';
import { currentRoom, forgetRoom, type Membership, rememberRoom } from './membership.ts';
import { post, RefusedError, serverAddress } from './server-calls.ts';

export interface JoinOptions {
  /** How the room calls you; may be made up. */
  readonly name: string;
  /** Whether the name is made up. Default false. */
  readonly pseudonym?: boolean;
  /** Your e-mail or number, if the instructor has a list of names. */
  readonly identity?: string;
}

/**
 * Joins a room. Who is in that room already stays the same learner, so that the cell can be run again.
 * @throws InputError if the server cannot be reached, the code is wrong or expired, or the name is taken.
 */
export async function joinRoom(address: string, code: string, options: JoinOptions): Promise<Membership> {
  const server = serverAddress(address);
  const wanted = normaliseCode(code);
  const current = currentRoom();
  const here = current?.server === server && current.code === wanted;
  if (here && (await isStillMember(current))) {
    if (current.learner.name.toLowerCase() !== options.name.trim().toLowerCase()) {
      throw new InputError(
        `this lab is in the room '${current.room.title}' as ${current.learner.name}; leave it first (npx lab leave) to join under another name`,
      );
    }
    return current;
  }
  const { name, pseudonym = false, identity } = options;
  const body = { code: wanted, name, pseudonym, ...(identity === undefined ? {} : { identity }) };
  const reply = await post({ server, path: '/api/join', body, reply: joinReply });
  const joined: Membership = { server, code: wanted, ...reply };
  await rememberRoom(joined);
  return joined;
}

/** Whether the server still knows the learner. Unreachable counts as yes: reports wait until it can be reached. */
async function isStillMember({ server, token }: Membership): Promise<boolean> {
  try {
    await post({ server, path: '/api/learner/here', token, reply: z.unknown(), timeout: 4_000 });
    return true;
  } catch (error) {
    return !(error instanceof RefusedError && (error.status === 401 || error.status === 404));
  }
}

/** Leaves the room: nothing is reported from now on. The room keeps what it has. */
export async function leaveRoom(): Promise<Membership | undefined> {
  const room = currentRoom();
  await forgetRoom();
  return room;
}

export const handInReply = z.object({ attempt: z.number(), at: z.string(), late: z.boolean() });
export type HandIn = z.infer<typeof handInReply> & { readonly chapter: string; readonly room: string };

/**
 * Hands a notebook in to the room this lab is in. The chapter is that in the file's name, `03-bert.ipynb`.
 * @throws InputError if there is no room, no such file, the chapter takes no more, or the server says no.
 */
export async function handIn(path: string, chapter = chapterOf(path)): Promise<HandIn> {
  const room = currentRoom();
  if (room === undefined)
    throw new InputError('this lab is in no room; join one first: npx lab join ADDRESS CODE --name NAME');
  const bytes = await notebookBytes(path);
  const { server, token } = room;
  const reply = await post({
    server,
    path: `/api/learner/hand-in/${chapter}`,
    token,
    body: bytes,
    reply: handInReply,
    timeout: 60_000,
  });
  return { ...reply, chapter, room: room.room.title };
}

function chapterOf(path: string): string {
  const name = basename(path).replace(/\.ipynb$/, '');
  if (!chapterName.safeParse(name).success) {
    throw new InputError(
      `${path}: the file's name does not say which chapter it is; rename it like 03-bert.ipynb or give --chapter`,
    );
  }
  return name;
}

async function notebookBytes(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_NOTEBOOK) {
      throw new InputError(
        `${path} has ${(size / 2 ** 20).toFixed(1)} MiB; at most ${LARGEST_NOTEBOOK / 2 ** 20} can be handed in: clear its outputs`,
      );
    }
    const bytes = await readFile(path);
    JSON.parse(bytes.toString('utf8'));
    return bytes;
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof SyntaxError) throw new InputError(`${path} is not a notebook`);
    throw new InputError(`cannot read ${path}: ${messageOf(error)}`);
  }
}
