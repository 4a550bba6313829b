import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { fakeNpm, freshCopy, INSTALLS, installed, lab } from './copy.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const calls = (folder: string): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');

test('a fresh clone installs what the lock file says, without scripts, and then runs the command', async () => {
  const folder = freshCopy();
  const { code, output } = await lab(folder, ['--version'], fakeNpm(folder, INSTALLS));
  expect(output).toContain('Installing packages ...');
  expect(output.at(-1)).toBe(version);
  expect(code).toBe(0);
  const [call = ''] = calls(folder);
  expect(call).toMatch(/^ci .*--ignore-scripts/);
  // NODE_ENV=production would leave the tests without their tools.
  expect(call).toContain('--include=dev');
});

test('what is installed is not installed again', async () => {
  const folder = installed(freshCopy());
  const { code } = await lab(folder, ['--version'], fakeNpm(folder, INSTALLS));
  expect(code).toBe(0);
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});

test('two commands at once on a fresh clone install once', async () => {
  const folder = freshCopy();
  const env = fakeNpm(folder, INSTALLS);
  const results = await Promise.all([lab(folder, ['--version'], env), lab(folder, ['--version'], env)]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  expect(calls(folder)).toHaveLength(1);
});

test('an interrupted installation is made good by the next command', async () => {
  const folder = freshCopy();
  // npm writes its own list last: without it, what lies there is half an installation.
  mkdirSync(join(folder, 'node_modules', 'commander'), { recursive: true });
  mkdirSync(join(folder, '.cache'));
  const lock = join(folder, '.cache', 'install.lock');
  writeFileSync(lock, '1');
  utimesSync(lock, new Date(0), new Date(0));
  const { code } = await lab(folder, ['--version'], fakeNpm(folder, INSTALLS));
  expect(code).toBe(0);
  expect(calls(folder)).toHaveLength(1);
  expect(existsSync(lock)).toBe(false);
});

test('a failed installation is one sentence, exit code 2, and leaves no lock', async () => {
  const folder = freshCopy();
  const env = fakeNpm(folder, `console.error('npm error network'); process.exit(1);`);
  const { code, output } = await lab(folder, ['doctor'], env);
  expect(code).toBe(2);
  expect(output).toContain('npm error network');
  expect(output.at(-1)).toMatch(/^lab: the packages could not be installed/);
  expect(existsSync(join(folder, '.cache', 'install.lock'))).toBe(false);
});

test('a clone without its lock file says how to get it back', async () => {
  const folder = freshCopy();
  rmSync(join(folder, 'package-lock.json'));
  const { code, output } = await lab(folder, ['doctor']);
  expect(code).toBe(2);
  expect(output).toEqual([expect.stringMatching(/^lab: package-lock.json .* git checkout/)]);
});

test('a Node that is too old is refused in one sentence', async () => {
  const folder = freshCopy();
  const pretend = `data:text/javascript,Object.defineProperty(process,'version',{value:'v18.20.4'})`;
  const { code, output } = await lab(folder, ['doctor'], {}, ['--import', pretend]);
  expect(code).toBe(2);
  expect(output).toEqual([
    expect.stringMatching(/^lab: the lab needs Node 20\.19 or newer and this is v18\.20\.4/),
  ]);
});

test('exit codes come through the hand-over to the pinned Node', async () => {
  const folder = installed(freshCopy());
  // A Node that is not the pinned one: the hand-over needs another process.
  const pretend = `data:text/javascript,Object.defineProperty(process,'execPath',{value:'/usr/bin/env'})`;
  const { code, output } = await lab(folder, ['no-such-command'], {}, ['--import', pretend]);
  expect(output[0]).toBe(`lab: unknown command 'no-such-command'`);
  expect(code).toBe(2);
});
