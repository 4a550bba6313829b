/** `node join-room.ts`: joins the room of `LLM_LAB_ROOM` for the learner of this server, and ends. */

import { messageOf } from '../../errors.ts';
import { joinRoomOfHub, parseRoom } from './room-of-hub.ts';

const { LLM_LAB_ROOM = '', JUPYTERHUB_USER = '' } = process.env;
try {
  const learner = { name: JUPYTERHUB_USER, identity: JUPYTERHUB_USER };
  const { room } = await joinRoomOfHub(parseRoom(LLM_LAB_ROOM), learner);
  console.error(`lab: in the room '${room.title}'`);
} catch (error) {
  console.error(`lab: the room is not joined: ${messageOf(error)}`);
  process.exitCode = 1;
}
