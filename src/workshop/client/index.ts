/** What a cell uses to take part in a workshop. */

import { type JoinOptions, joinRoom as join, leaveRoom as leave } from './join.ts';
import { progressLink } from './progress.ts';
import { sendSoon } from './reporter.ts';
import { showBoard } from './room-board.ts';

export type { JoinOptions } from './join.ts';

/**
 * Joins the room of a workshop and shows its board: announcements and hints appear there while the notebook is open. From then
 * on `check` tells the room which exercise was checked, whether it passed and the diagnosis; your code only in a room
 * that asks for it, which the board and every check say.
 *
 *     await joinRoom('http://192.168.0.10:7788', 'K7M4-QX', { name: 'Ada' });
 *
 * @throws InputError if the server cannot be reached, the code is wrong or expired, or the name is taken.
 */
export async function joinRoom(address: string, code: string, options: JoinOptions): Promise<void> {
  const room = await join(address, code, options);
  sendSoon();
  showBoard(room);
}

/** Leaves the room: it is told nothing from now on. */
export async function leaveRoom(): Promise<string> {
  const room = await leave();
  return room === undefined ? 'This lab was in no room.' : `Left the room '${room.room.title}'.`;
}

/** The address of your own progress page, good once and for ten minutes. @throws InputError */
export const myProgress = progressLink;
