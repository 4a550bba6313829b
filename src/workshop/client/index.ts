/** What a cell uses to take part in a workshop. Loaded on use: who only imports the library pays nothing for it. */

import type { JoinOptions } from './join.ts';

export type { JoinOptions } from './join.ts';

/**
 * Joins the room of a workshop and shows its board: announcements and hints appear there while the notebook is open.
 * From then on `check` tells the room which exercise was checked, whether it passed and the diagnosis; your code only in
 * a room that asks for it, which the board and every check say. The cell can be run again.
 *
 *     await joinRoom('http://192.168.0.10:7788', 'K7M4-2QXA', { name: 'Ada' });
 *
 * @throws InputError if the server cannot be reached, the code is wrong or expired, or the name is taken
 */
export async function joinRoom(address: string, code: string, options: JoinOptions): Promise<void> {
  const [{ joinRoom: join }, { sendSoon }, { showBoard }] = await Promise.all([
    import('./join.ts'),
    import('./reporter.ts'),
    import('./room-board.ts'),
  ]);
  const room = await join(address, code, options);
  sendSoon();
  await showBoard(room);
}

/** Leaves the room: it is told nothing from now on. @returns what there is to say about it */
export async function leaveRoom(): Promise<string> {
  const { leaveRoom: leave } = await import('./join.ts');
  const room = await leave();
  return room === undefined ? 'This lab was in no room.' : `Left the room '${room.room.title}'.`;
}

/** The address of your own page in the room, good once and for ten minutes. @throws InputError if this lab is in no room */
export async function myProgress(): Promise<string> {
  const { progressLink } = await import('./progress.ts');
  return progressLink();
}
