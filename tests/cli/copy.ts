/** A copy of the lab in a folder of its own, as a fresh clone has it: nothing installed. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { type RunResult, run } from '../../src/cli/jupyter/run.ts';

/** Makes the copy; it is removed when the test ends. */
export function freshCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llm-lab-clone-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'src', 'notebooks']) {
    const filter = (source: string) => !source.includes(join('notebooks', 'node_modules'));
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, filter });
  }
  return folder;
}

/** Gives a copy the packages of this clone, as if they were installed. */
export function installed(folder: string): string {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

/**
 * A stand-in for npm, whose real `ci` takes too long for a test: it notes that it was called in `calls`, takes a
 * while, and then does what `script` says, run in the copy's folder with REAL as the packages of this clone.
 */
export function fakeNpm(folder: string, script: string): Record<string, string> {
  const cli = join(folder, 'fake', 'npm-cli.js');
  mkdirSync(dirname(cli), { recursive: true });
  writeFileSync(join(folder, 'fake', 'package.json'), '{"type":"commonjs"}');
  writeFileSync(
    cli,
    `const fs = require('node:fs');
     const REAL = ${JSON.stringify(join(ROOT, 'node_modules'))};
     fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
     setTimeout(() => { ${script} }, 1000);`,
  );
  return { npm_execpath: cli };
}

/** What the stand-in does when all goes well. */
export const INSTALLS = `fs.rmSync('node_modules', { recursive: true, force: true }); fs.symlinkSync(REAL, 'node_modules', 'junction');`;

/** Runs the lab of a copy from its bootstrap. */
export function lab(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  node: readonly string[] = [],
): Promise<RunResult> {
  const bootstrap = join(folder, 'src', 'cli', 'bootstrap.mjs');
  if (!existsSync(bootstrap)) throw new Error(`${bootstrap} is missing`);
  const neutral = { npm_lifecycle_event: undefined, npm_execpath: undefined };
  return run([process.execPath, ...node, bootstrap, ...args], { cwd: folder, env: { ...neutral, ...env } });
}
