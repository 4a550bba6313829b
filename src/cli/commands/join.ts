/** `lab join`: joins the room of a workshop. */
import { Command } from 'commander';
import { joinRoom } from '../../workshop/client/join.ts';

interface Options {
  name: string;
  pseudonym?: boolean;
  identity?: string;
}

export function joinCommand(): Command {
  return new Command('join')
    .summary('join the room of a workshop')
    .description(
      'Joins a room, once: from then on every check in a notebook tells the room the exercise, whether it passed and the ' +
        'diagnosis. Code is told only in a room that asks for it, and each check says so. Checks made offline are sent later.',
    )
    .argument('<address>', 'address of the server, as the instructor shows it')
    .argument('<code>', 'code of the room')
    .requiredOption('--name <name>', 'how the room calls you')
    .option('--pseudonym', 'the name is made up: the gradebook marks it so')
    .option('--identity <text>', 'your e-mail or number, if the instructor has a list of names')
    .addHelpText('after', '\nExample:\n  npx lab join http://192.168.0.10:7788 K7M4-QX --name Ada')
    .action(async (address: string, code: string, options: Options) => {
      const { room, learner } = await joinRoom(address, code, options);
      const told = room.asksForCode
        ? ', the diagnosis and your code: this room asks for it'
        : ' and the diagnosis, never your code';
      console.log(`You are in the room '${room.title}' as ${learner.name}.`);
      console.log(`Each check in a notebook tells it the exercise, the verdict${told}.`);
      console.log(
        'Hand in: npx lab hand-in notebooks/03-bert.ipynb · your page: npx lab progress · out: npx lab leave',
      );
    });
}
