/** `node builder.ts`: makes the snapshot that workers start from. A process of its own, as it takes seconds. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { setPriority } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type ts from 'typescript6';
import { compilerOptions, GLOBALS, LIGHT_GLOBALS } from '../engine/compiler-options.ts';
import { LIBRARY_VERSION } from '../engine/library-types.ts';
import { Cells } from '../supervisor/cells.ts';
import { spawnWorker } from '../supervisor/worker-process.ts';
import {
  BUILD_LIMIT,
  type EntryInput,
  isSnapshotLocked,
  isSnapshotReady,
  SNAPSHOTS,
  snapshotFile,
  snapshotLock,
  stampsFile,
} from './index.ts';
import { LIBRARY_IMPORTS, libraryTypes } from './library.ts';
import { shorterScript } from './shorter.ts';

/** Checked so that the files are bound, and the functions that most checks need are compiled, in the snapshot. */
const SAMPLE = `
const numbers: number[] = [1, 2, 3];
function double(x: number): number { return 2 * x; }
interface Point { x: number; y?: string }
class Box<T> { constructor(readonly content: T) {} get(): T { return this.content; } }
const box = new Box<Point>({ x: numbers.map(double).reduce((a, b) => a + b, 0) });
for (const [key, value] of Object.entries({ ...box.content })) console.log(key, \`\${value}\`);
const later = async () => { await Promise.resolve(1); };
${LIBRARY_IMPORTS.map((name, i) => `import * as library${i} from '${name}'; void library${i};`).join('\n')}
export { box, double, later, numbers };
`;
const CELL = join(SNAPSHOTS, 'cell.ts');

function build(temporary: string): void {
  const require = createRequire(import.meta.url);
  const typescript: typeof ts = require('typescript6');
  const path = require.resolve('typescript6');
  const input: EntryInput = {
    typescript: path,
    script: shorterScript(readFileSync(path, 'utf8')),
    options: compilerOptions(typescript),
    globals: [GLOBALS, LIGHT_GLOBALS],
    folder: SNAPSHOTS,
    cell: CELL,
    sample: SAMPLE,
    library: libraryTypes(typescript, CELL),
    libraryVersion: LIBRARY_VERSION,
  };
  const script = `${temporary}.js`;
  const inputFile = `${temporary}.json`;
  try {
    writeFileSync(inputFile, JSON.stringify(input));
    writeFileSync(script, stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'entry.ts'), 'utf8')));
    const options = ['--no-warnings', '--snapshot-blob', temporary, '--build-snapshot', script];
    execFileSync(process.execPath, [...options, inputFile], {
      stdio: 'inherit',
      timeout: BUILD_LIMIT,
    });
    writeFileSync(stampsFile(), JSON.stringify(input.library.sources));
    renameSync(temporary, snapshotFile());
    // those of other versions: a worker that is alive has read its own
    const kept = [stampsFile(), snapshotFile(), snapshotLock()].map((path) => basename(path));
    for (const one of readdirSync(SNAPSHOTS)) {
      if (!/\.(blob|stamps|lock)$/.test(one) || kept.includes(one)) continue;
      rmSync(join(SNAPSHOTS, one), { recursive: true, force: true });
    }
  } finally {
    rmSync(script, { force: true });
    rmSync(inputFile, { force: true });
    rmSync(temporary, { force: true });
  }
}

/** One build at a time, whatever the number of kernels. */
async function inTurn(action: () => Promise<void>): Promise<void> {
  mkdirSync(SNAPSHOTS, { recursive: true });
  if (isSnapshotLocked()) return;
  const lock = snapshotLock();
  rmSync(lock, { recursive: true, force: true });
  mkdirSync(lock);
  try {
    await action();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Imports the library in a worker: V8 keeps what it compiles of it, and the first import of a person is as fast as later ones. */
async function rehearse(): Promise<void> {
  const ignored = { onText() {}, onEvent() {}, onFatal() {} };
  const cells = new Cells(ignored, spawnWorker({ snapshot: snapshotFile() }));
  const code = "import { flushCompileCache } from 'node:module'; import 'llm-lab'; flushCompileCache();";
  const done = new AbortController();
  await Promise.race([
    cells.request({ op: 'run', code, name: 'rehearsal', silent: true, expressions: {} }),
    // also what keeps this process up if the worker ends
    delay(BUILD_LIMIT / 2, undefined, { signal: done.signal }),
  ]);
  done.abort();
  await cells.close();
}

setPriority(19); // whoever waits for a cell comes first
await inTurn(async () => {
  if (isSnapshotReady()) return;
  build(join(SNAPSHOTS, `${basename(snapshotFile())}.${process.pid}`));
  await rehearse();
});
