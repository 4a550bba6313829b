/** Finding a Python that can make a virtual environment. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

const execute = promisify(execFile);

export interface Python {
  /** The program and its first arguments (`py -3` on Windows). */
  readonly command: readonly [string, ...string[]];
  /** Such as 3.11.2. */
  readonly version: string;
}

export type PythonSearch = { readonly python: Python } | { readonly problem: string };

const OLDEST = [3, 10] as const;

/** Newer names are asked last: what a person calls python3 is what they expect to be used. */
const CANDIDATES: readonly (readonly [string, ...string[]])[] = [
  ['python3'],
  ['python'],
  ...(process.platform === 'win32' ? [['py', '-3'] as const] : []),
  ...[14, 13, 12, 11, 10].map((minor) => [`python3.${minor}`] as const),
];

/** Debian splits `ensurepip` off into python3-venv; without it `python -m venv` fails half way. */
const PROBE = `
import json, sys
try:
    import ensurepip, venv
    able = True
except ImportError:
    able = False
print(json.dumps({"version": list(sys.version_info[:3]), "able": able}))
`;

const answerSchema = z.object({ version: z.tuple([z.number(), z.number(), z.number()]), able: z.boolean() });

/**
 * The first Python of this machine that is new enough and can make environments, or what is wrong with the ones
 * that are there, as half a sentence.
 */
export async function findPython(): Promise<PythonSearch> {
  const problems: string[] = [];
  for (const command of CANDIDATES) {
    const answer = await ask(command);
    if (!answer) continue;
    const version = answer.version.join('.');
    const [major, minor] = answer.version;
    if (major !== OLDEST[0] || minor < OLDEST[1]) {
      problems.push(`${command.join(' ')} is ${version}`);
    } else if (!answer.able) {
      problems.push(`${command.join(' ')} (${version}) lacks the venv module: sudo apt install python3-venv`);
    } else {
      return { python: { command, version } };
    }
  }
  return { problem: problems.length === 0 ? 'no Python was found' : problems.join('; ') };
}

async function ask([program, ...args]: Python['command']): Promise<z.infer<typeof answerSchema> | undefined> {
  try {
    const { stdout } = await execute(program, [...args, '-c', PROBE], { timeout: 20_000 });
    return answerSchema.parse(JSON.parse(stdout));
  } catch {
    // Not there, a stub that opens a shop, or a pyenv shim without a version behind it: no Python.
    return undefined;
  }
}
