/** The learner's own page in the browser. */

import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { currentRoom } from './membership.ts';
import { post } from './server-calls.ts';

/**
 * The address of the learner's own page. It carries a key that works once and for ten minutes, never the learner's
 * own token: outputs of notebooks are saved and passed on.
 * @throws InputError if this lab is in no room, or the server cannot be reached.
 */
export async function progressLink(): Promise<string> {
  const room = currentRoom();
  if (room === undefined)
    throw new InputError('this lab is in no room; join one first: npx lab join ADDRESS CODE --name NAME');
  const { server, token } = room;
  const { key } = await post({
    server,
    path: '/api/learner/page-key',
    token,
    reply: z.object({ key: z.string() }),
  });
  return `${server}/me#key=${key}`;
}
