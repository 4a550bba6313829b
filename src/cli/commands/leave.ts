/** `lab leave`: leaves the room of a workshop. */
import { Command } from 'commander';
import { leaveRoom } from '../../workshop/client/join.ts';

export function leaveCommand(): Command {
  return new Command('leave')
    .summary('leave the room of a workshop')
    .description('From then on nothing is told to the room. It keeps what it has.')
    .addHelpText('after', '\nExample:\n  npx lab leave')
    .action(async () => {
      const room = await leaveRoom();
      console.log(room === undefined ? 'This lab was in no room.' : `Left the room '${room.room.title}'.`);
    });
}
