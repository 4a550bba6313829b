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
const FILE_TROUBLE = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['EACCES', 'access is not allowed'],
  ['EPERM', 'access is not allowed'],
  ['EISDIR', 'this is a folder, not a file'],
  ['ENOTDIR', 'a part of this path is a file, not a folder'],
  ['EROFS', 'nothing can be written there: the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'your share of the disk is full'],
  ['ELOOP', 'the links in this path lead in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
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

/** A sentence on a file that could not be used; undefined for any other error. */
function fileTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  // The system finds out only as it reads, and then knows no path any more.
  if (error.code === 'EISDIR' && !('path' in error)) return 'a folder was given in the place of a file';
  if (!('path' in error)) return undefined;
  const reason = FILE_TROUBLE.get(String(error.code));
  return reason === undefined ? undefined : `${error.path}: ${reason}`;
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const lab = await program(wanted(args));
    if (args.length === 0) lab.outputHelp();
    else await lab.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof InputError || fileTrouble(error) !== undefined) {
      console.error(`lab: ${fileTrouble(error) ?? messageOf(error)}`);
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
