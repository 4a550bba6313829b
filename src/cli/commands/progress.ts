/** `lab progress`: the learner's own page. */
import { Command } from 'commander';
import { progressLink } from '../../workshop/client/progress.ts';

export function progressCommand(): Command {
  return new Command('progress')
    .summary('the address of your own page in the room')
    .description(
      'Prints an address to open in a browser: what you checked, what you handed in, your marks. Good once, for ten minutes.',
    )
    .addHelpText('after', '\nExample:\n  npx lab progress')
    .action(async () => console.log(await progressLink()));
}
