/** Set-up on machines that lack something. */
import { chmodSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withLock } from '../../src/cli/jupyter/lock.ts';
import { findPython } from '../../src/cli/jupyter/python.ts';
import { freshCopy, installed, lab } from './copy.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llm-lab-setup-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A program called `name` that prints `text`. */
function program(name: string, text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho '${text}'\n`);
  chmodSync(join(folder, name), 0o755);
}

describe.skipIf(process.platform === 'win32')('finding Python', () => {
  beforeEach(() => vi.stubEnv('PATH', folder));

  test('takes python3 if it will do', async () => {
    program('python3', '{"version": [3, 12, 1], "able": true}');
    program('python3.14', '{"version": [3, 14, 0], "able": true}');
    expect(await findPython()).toEqual({ python: { command: ['python3'], version: '3.12.1' } });
  });

  test('takes a newer one beside an old python3', async () => {
    program('python3', '{"version": [3, 9, 2], "able": true}');
    program('python3.11', '{"version": [3, 11, 2], "able": true}');
    expect(await findPython()).toEqual({ python: { command: ['python3.11'], version: '3.11.2' } });
  });

  test('says what is wrong with each', async () => {
    program('python3', '{"version": [3, 11, 2], "able": false}');
    program('python', '{"version": [2, 7, 18], "able": false}');
    program('python3.13', 'command not found');
    expect(await findPython()).toEqual({
      problem: 'python3 (3.11.2) lacks the venv module: sudo apt install python3-venv; python is 2.7.18',
    });
  });

  test('says when there is none', async () => {
    expect(await findPython()).toEqual({ problem: 'no Python was found' });
  });

  test('without Python, lab start says how to go on, in one sentence', async () => {
    const copy = installed(freshCopy());
    symlinkSync(process.execPath, join(folder, 'node'));
    const { code, output } = await lab(copy, ['start'], { PATH: folder });
    expect(code).toBe(1);
    expect(output).toHaveLength(1);
    expect(output[0]).toMatch(
      /^lab: JupyterLab needs Python 3\.10 .* no Python was found.*VS Code.*npx lab run /,
    );
  });
});

describe('a lock', () => {
  test('lets one work at a time, in turn', async () => {
    const lock = join(folder, 'lock');
    const events: string[] = [];
    const work = (name: string) =>
      withLock(
        lock,
        () => events.push(`${name} waits`),
        async () => {
          events.push(`${name} begins`);
          await sleep(200);
          events.push(`${name} ends`);
        },
      );
    await Promise.all([work('first'), work('second')]);
    expect(events).toEqual(['first begins', 'second waits', 'first ends', 'second begins', 'second ends']);
  });

  test('is released by work that fails', async () => {
    const lock = join(folder, 'lock');
    const failing = withLock(lock, vi.fn(), () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(withLock(lock, vi.fn(), async () => 7)).resolves.toBe(7);
  });

  test('is taken over from a holder that is gone', async () => {
    const lock = join(folder, 'lock');
    // Process numbers end far below this one.
    writeFileSync(lock, '999999999');
    await expect(withLock(lock, vi.fn(), async () => 7)).resolves.toBe(7);
  });

  test('is taken over when nobody has touched it for long, whoever has the number now', async () => {
    const lock = join(folder, 'lock');
    writeFileSync(lock, String(process.pid));
    utimesSync(lock, new Date(0), new Date(0));
    await expect(withLock(lock, vi.fn(), async () => 7)).resolves.toBe(7);
  });
});
