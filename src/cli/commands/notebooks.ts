/** `lab notebooks`: makes the notebooks of the course from their masters. */

import { Command } from 'commander';
import { generateNotebooks } from '../../notebook/course.ts';

interface Options {
  solved?: string;
  out?: string;
  lang: string;
  check?: boolean;
  json?: boolean;
}

export function notebooksCommand(): Command {
  return new Command('notebooks')
    .description('make the notebooks from their masters in notebooks/source')
    .option('--solved <folder>', 'write the solved variants into this folder')
    .option('--out <folder>', 'write the released notebooks into this folder instead of notebooks/')
    .option(
      '--lang <code>',
      'the language of the prose where a translation is there, English elsewhere; needs a folder',
      'en',
    )
    .option('--check', 'write nothing; exit with 1 if a notebook is missing or out of date')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  npx lab notebooks --solved /tmp/solved')
    .action(async (options: Options) => {
      const out = options.solved ?? options.out;
      const results = await generateNotebooks({
        variant: options.solved === undefined ? 'released' : 'solved',
        language: options.lang,
        check: options.check ?? false,
        ...(out === undefined ? {} : { out }),
      });
      if (options.json === true) console.log(JSON.stringify(results, null, 2));
      else for (const { path, state } of results) console.log(`${state.padEnd(8)} ${path}`);
      if (results.some(({ state }) => state === 'stale')) process.exitCode = 1;
    });
}
