import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { run } from '../../src/cli/jupyter/run.ts';

const lab = (...args: string[]) =>
  run([process.execPath, join(ROOT, 'src/cli/main.ts'), ...args], { cwd: ROOT });

test('help lists every command', async () => {
  const { code, output } = await lab('--help');
  expect(code).toBe(0);
  for (const name of Object.keys(commands)) expect(output.join('\n')).toContain(`  ${name} `);
});

test.each(Object.keys(commands))('lab %s --help shows an example', async (name) => {
  const { code, output } = await lab(name, '--help');
  expect(code).toBe(0);
  expect(output.join('\n')).toContain('Example:');
});

test.each([
  [['no-such-command'], /^lab: unknown command 'no-such-command'/],
  [['start', '--no-such-option'], /^lab: unknown option '--no-such-option'/],
  [['start', '--port', '70000'], /^lab: option '--port <number>' argument '70000' is invalid/],
  [['start', 'notebooks/none.ipynb'], /^lab: notebooks\/none.ipynb: there is no such notebook/],
  [['start', '/etc/hostname'], /^lab: \/etc\/hostname (lies outside|: there is no such)/],
  [['parity'], /^lab: missing required argument/],
  [['gradebook', 'import-roster', '/no/such.csv'], /^lab: \/no\/such\.csv: there is no such file or folder$/],
  [['gradebook', 'import-roster', '/'], /^lab: a folder was given in the place of a file$/],
])('wrong usage %j is a sentence and exit code 2', async (args, sentence) => {
  const { code, output } = await lab(...args);
  expect(code).toBe(2);
  expect(output[0]).toMatch(sentence);
});
