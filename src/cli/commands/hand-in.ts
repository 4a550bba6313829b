/** `lab hand-in`: hands a notebook in to the room. */
import { Command } from 'commander';
import { handIn } from '../../workshop/client/join.ts';

export function handInCommand(): Command {
  return new Command('hand-in')
    .summary('hand a notebook in to the room of a workshop')
    .description(
      'Sends the notebook to the room this lab is in. It can be handed in again until the instructor closes the chapter.',
    )
    .argument('<notebook>', 'the notebook, named after its chapter')
    .option('--chapter <name>', 'the chapter, if the file has another name')
    .addHelpText('after', '\nExample:\n  npx lab hand-in notebooks/03-bert.ipynb')
    .action(async (notebook: string, { chapter }: { chapter?: string }) => {
      const done = await handIn(notebook, chapter);
      const late = done.late ? ', after the time it was due' : '';
      console.log(
        `${done.chapter} is handed in to '${done.room}', attempt ${done.attempt}, ${done.at}${late}.`,
      );
    });
}
