/**
 * The `lab` command. Commands are loaded when they are asked for: start-up stays quick, and a fault in one
 * does not reach the others.
 *
 * Exit codes, the same for all: 0 done, 1 found something wrong (a command sets `process.exitCode = 1`) or a bug
 * of ours, 2 wrong usage or input (`InputError`, an unknown option, an unreadable file).
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';
import { commands } from './commands.ts';
import { SetupError } from './jupyter/setup-error.ts';

const manifest = new URL('../../package.json', import.meta.url);

/** What an operating system says of a path that a person gave: theirs to mend, no bug of ours. */
const FILE_TROUBLE = new Set([
  'ENOENT',
  'EACCES',
  'EPERM',
  'EISDIR',
  'ENOTDIR',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'ELOOP',
  'ENAMETOOLONG',
]);

/** Commander does not hand its settings down to commands made elsewhere, so they are set on the whole tree. */
function govern(command: Command): Command {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'lab: ')) });
  command.commands.forEach(govern);
  return command;
}

async function program(name: string | undefined): Promise<Command> {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8')));
  const lab = new Command('lab')
    .description('LLM Lab: build BERT, GPT and their relatives piece by piece, in TypeScript notebooks.')
    .version(version)
    .showHelpAfterError('(lab --help lists the commands)')
    .addHelpText('after', '\nExample: npx lab start        (npx lab COMMAND --help tells more of a command)');
  for (const [key, { summary, load }] of Object.entries(commands)) {
    // The help of `lab` needs one line of each; only the one that runs is loaded.
    lab.addCommand(key === name ? await load() : new Command(key).summary(summary));
  }
  return govern(lab);
}

/** The command's name is the first word that is no option; `lab help NAME` means NAME too. */
function wanted(args: readonly string[]): string | undefined {
  const words = args.filter((word) => !word.startsWith('-'));
  return words[0] === 'help' ? words[1] : words[0];
}

function isFileTrouble(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'path' in error && FILE_TROUBLE.has(String(error.code));
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const lab = await program(wanted(args));
    if (args.length === 0) lab.outputHelp();
    else await lab.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof InputError || isFileTrouble(error)) {
      console.error(`lab: ${messageOf(error)}`);
      process.exitCode = 2;
    } else if (error instanceof SetupError) {
      console.error(`lab: ${messageOf(error)}`);
      process.exitCode = 1;
    } else {
      console.error(error instanceof Error ? error.stack : error);
      console.error('lab: this is a bug of the lab, not of what you did.');
      process.exitCode = 1;
    }
  }
}

// A reader that closes early (`lab exercises | head`) ends us quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

await main(process.argv.slice(2));
