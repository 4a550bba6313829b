/** One program that an installation runs. */

import { run } from '../../cli/jupyter/run.ts';
import { SetupError } from '../../cli/jupyter/setup-error.ts';

export interface InstallOptions {
  /** Called with each step and each line of the programs that run. */
  report: (line: string) => void;
  /** Ends the installation; the old state stays. */
  signal?: AbortSignal;
  /** The Python whose pip fetches the wheel; the first of this machine unless given. */
  python?: string | undefined;
  /** A wheel that is already here, instead of fetching one. */
  wheel?: string | undefined;
  /** The C++ compiler, g++ unless given. */
  compiler?: string | undefined;
}

/**
 * Runs a program to its end.
 *
 * @returns its last lines
 *
 * @throws SetupError if it fails: `failure` and its last line.
 */
export async function step(
  command: string[],
  failure: string,
  { report, signal }: InstallOptions,
): Promise<readonly string[]> {
  const { code, output } = await run(command, { signal, onLine: report });
  if (code !== 0) throw new SetupError(`${failure}: ${output.at(-1) ?? `exit code ${code}`}`);
  return output;
}
