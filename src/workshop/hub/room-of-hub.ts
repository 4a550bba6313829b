/** The room that a hub's learners are in: joined for them, in the background, as soon as its server can be reached. */

import { setTimeout as sleep } from 'node:timers/promises';
import { InputError, messageOf } from '../../errors.ts';
import { joinRoom } from '../client/join.ts';
import { currentRoom, type Membership } from '../client/membership.ts';
import { RefusedError } from '../client/server-calls.ts';
import { normaliseCode } from '../store/names.ts';

/** A room as the address behind its QR code names it: `https://lab.example.org/join#K7M42QXA`. */
export interface RoomOfHub {
  /** Without a slash at its end. */
  readonly server: string;
  readonly code: string;
}

const FIRST_PAUSE = 2_000;
const LAST_PAUSE = 60_000;

/** @throws InputError if the text is not such an address. */
export function parseRoom(text: string): RoomOfHub {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const code = normaliseCode(url?.hash ?? '');
  if (url === undefined || !/^https?:$/.test(url.protocol) || code === '') {
    throw new InputError(
      `LLM_LAB_ROOM must be the address that the room's QR code holds, like https://lab.example.org/join#K7M42QXA, got '${text}'`,
    );
  }
  return { server: url.origin, code };
}

/**
 * Joins the room, unless this lab is in it already, and waits for a server that cannot be reached.
 *
 * @param identity what proves who it is to a room with a list of names: their e-mail or number there
 * @throws RefusedError if the server says no: the code is wrong or expired, or the name is another's
 */
export async function joinRoomOfHub(
  { server, code }: RoomOfHub,
  learner: { readonly name: string; readonly identity: string },
  signal?: AbortSignal,
): Promise<Membership> {
  const current = currentRoom();
  // Also under another name: a learner may have joined by hand before.
  if (current?.server === server && current.code === code) return current;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
    try {
      return await joinRoom(server, code, learner);
    } catch (error) {
      const passes = !(error instanceof RefusedError) || error.status === 429 || error.status >= 500;
      if (!(error instanceof InputError) || !passes) throw error;
      console.error(`lab: ${messageOf(error)}; trying again in ${pause / 1000} s`);
    }
    // A class starts at once: its labs do not come back at once.
    await sleep(pause * (0.5 + Math.random()), undefined, { signal });
  }
}
