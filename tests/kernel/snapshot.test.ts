/** What workers start from: see src/kernel/snapshot. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { makeSnapshot, readySnapshot } from '../../src/kernel/snapshot/index.ts';
import { shorterScript } from '../../src/kernel/snapshot/shorter.ts';
import { Cells } from '../../src/kernel/supervisor/cells.ts';
import { spawnWorker } from '../../src/kernel/supervisor/worker-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'lab-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a cell in a worker of its own; its answer, and all text that the front end would see. */
async function runIn(worker: ReturnType<typeof spawnWorker>, code: string) {
  let text = '';
  const cells = new Cells(
    {
      onText: (_, piece) => {
        text += piece;
      },
      onEvent: (event) => {
        if (event.type === 'result') text += String(event.data['text/plain']);
      },
      onFatal: (reason) => {
        text += reason;
      },
    },
    worker,
  );
  const answer = await cells.request({ op: 'run', code, name: 'In[1]', silent: false, expressions: {} });
  await cells.close();
  return { answer, text };
}

const child = join(folder, 'child.mjs');
writeFileSync(child, 'process.send("the child");');

const TELLING = `
import { fork } from 'node:child_process';
import { once } from 'node:events';
const [said] = await once(fork(${JSON.stringify(child)}), 'message');
const typed: number = 41;
[typed + 1, said, process.argv.length, process.execArgv.includes('--snapshot-blob')]`;

test('a worker from the snapshot runs cells as one without', { timeout: 400_000 }, async () => {
  // a kernel elsewhere whose worker died as it began takes the snapshot for damaged and puts it away
  for (let i = 0; i < 3 && readySnapshot() === undefined; i++) await makeSnapshot();
  const snapshot = readySnapshot();
  expect(snapshot).toBeDefined();
  const without = await runIn(spawnWorker({}), TELLING);
  const from = await runIn(spawnWorker({ snapshot }), TELLING);
  expect(without.text).toBe("[ 42, 'the child', 2, false ]");
  expect(from).toEqual(without);
});

test('a snapshot that is damaged is put away, and the kernel starts without', {
  timeout: 120_000,
}, async () => {
  const damaged = join(folder, 'damaged.blob');
  writeFileSync(damaged, 'no snapshot');
  const { text } = await runIn(spawnWorker({ snapshot: damaged }), '6 * 7');
  expect(text).toBe('42');
  expect(existsSync(damaged)).toBe(false);
});

test('a script without its comments and indents does the same', () => {
  const source =
    "// one\nconst a = `x\n   y /* stays */`; /* two\n */\n    const r = /\\/\\*a/g // three\n    ;[a, r.source, 'http://x'].join(' ')";
  const shorter = shorterScript(source);
  expect(shorter).not.toMatch(/one|two|three|\n +;/);
  expect(runInNewContext(shorter)).toBe('x\n   y /* stays */ \\/\\*a http://x');
  expect(runInNewContext(source)).toBe(runInNewContext(shorter));
});
