/** `lab gradebook` in this process, as `lab` runs it: what it refuses is exit code 2. */
import { type Command, CommanderError } from 'commander';
import { vi } from 'vitest';
import { gradebookCommand } from '../../src/cli/commands/gradebook.ts';
import { InputError } from '../../src/errors.ts';

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param args with `--folder`. @param databaseUrl the server that stands for the folder; '' for the folder itself */
export async function gradebook(args: readonly string[], databaseUrl: string): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const keep = (stream: 'stdout' | 'stderr', end: string) => (text: unknown) => {
    printed[stream] += `${text}${end}`;
    return true;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(keep('stdout', '\n')),
    vi.spyOn(console, 'error').mockImplementation(keep('stderr', '\n')),
    vi.spyOn(process.stdout, 'write').mockImplementation(keep('stdout', '')),
  ];
  const govern = (one: Command): void => {
    one.exitOverride().configureOutput({ writeErr: keep('stderr', '') });
    one.commands.forEach(govern);
  };
  const command = gradebookCommand();
  govern(command);
  if (databaseUrl === '') vi.stubEnv('DATABASE_URL', undefined);
  else vi.stubEnv('DATABASE_URL', databaseUrl);
  try {
    await command.parseAsync(args, { from: 'user' });
    const status = Number(process.exitCode ?? 0);
    return { status, ...printed };
  } catch (error) {
    if (!(error instanceof InputError || error instanceof CommanderError)) throw error;
    return { status: 2, stdout: printed.stdout, stderr: `${printed.stderr}${error.message}` };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}
