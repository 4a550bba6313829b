/**
 * The snapshot that workers start from: a process that begins with TypeScript in its memory, its standard
 * declarations read, is ready in half the time and with less memory than one that loads them. It is made once, by a
 * process of its own in the background, and found by a name that says what it was made of, so a stale one is never
 * used. Without one everything works, only later.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type ts from 'typescript6';
import { type FileStamp, isUnchanged, type LibraryTypes } from '../engine/library-types.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const TYPESCRIPT = join(ROOT, 'node_modules', 'typescript6', 'lib', 'typescript.js');
const ENGINE = join(import.meta.dirname, '..', 'engine');

/** What of this package goes into a snapshot. */
const SOURCES = [
  join(ENGINE, 'compiler-options.ts'),
  join(ENGINE, 'globals.d.ts'),
  join(ENGINE, 'globals-light.d.ts'),
  join(ENGINE, 'import-resolution.ts'),
  join(ENGINE, 'library-types.ts'),
  join(import.meta.dirname, 'builder.ts'),
  join(import.meta.dirname, 'entry.ts'),
  join(import.meta.dirname, 'library.ts'),
  join(import.meta.dirname, 'shorter.ts'),
];

/** Where snapshots are kept. */
export const SNAPSHOTS = join(ROOT, '.cache', 'kernel');

/** What the script of the snapshot is told. */
export interface EntryInput {
  /** TypeScript's one file: its path and what to load in its name */
  typescript: string;
  script: string;
  options: ts.CompilerOptions;
  /** declarations that every cell sees */
  globals: string[];
  folder: string;
  /** a cell to check: its path and its text */
  cell: string;
  sample: string;
  library: LibraryTypes;
  libraryVersion: string;
}

let known: string | undefined;

/** The path of the snapshot for this Node, this TypeScript and these sources, whether it exists or not. */
export function snapshotFile(): string {
  if (known === undefined) {
    const { size, mtimeMs } = statSync(TYPESCRIPT);
    const hash = createHash('sha256');
    hash.update([process.version, process.platform, process.arch, ROOT, size, mtimeMs].join('\0'));
    for (const file of SOURCES) hash.update(readFileSync(file));
    known = join(SNAPSHOTS, `worker-${hash.digest('hex').slice(0, 16)}.blob`);
  }
  return known;
}

/** The snapshot to start from; undefined if it has not been made. */
export function readySnapshot(): string | undefined {
  try {
    const file = snapshotFile();
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined; // TypeScript is not where it is expected: the worker will say so
  }
}

/** The file beside the snapshot that says what the library's types in it were made of. */
export function stampsFile(): string {
  return snapshotFile().replace(/blob$/, 'stamps');
}

/** Whether there is a snapshot, and the types of the library in it are those of its sources as they are now. */
export function isSnapshotReady(): boolean {
  const file = readySnapshot();
  if (file === undefined) return false;
  try {
    const stamps: FileStamp[] = JSON.parse(readFileSync(stampsFile(), 'utf8'));
    return stamps.every(isUnchanged);
  } catch {
    return false;
  }
}

/** Milliseconds for which a snapshot serves at least: who edits the library starts many kernels. */
const LEAST_LIFE = 600_000;

/** Makes the snapshot for kernels to come where a kernel finds that it is missing or, for some time, out of date. */
export function renewSnapshot(): void {
  const file = readySnapshot();
  const age = file === undefined ? Number.POSITIVE_INFINITY : Date.now() - statSync(file).mtimeMs;
  if (age > LEAST_LIFE) void makeSnapshot();
}

/** Milliseconds after which a build that has not ended has died. */
export const BUILD_LIMIT = 120_000;

/** The folder that stands beside the snapshot while it is made. */
export function snapshotLock(): string {
  return `${snapshotFile()}.lock`;
}

/** Whether some process makes the snapshot now. */
export function isSnapshotLocked(): boolean {
  const held = statSync(snapshotLock(), { throwIfNoEntry: false });
  return held !== undefined && Date.now() - held.mtimeMs < BUILD_LIMIT;
}

/**
 * Makes the snapshot, unless it is there: some seconds, in a process that goes on if this one ends. Resolves when
 * that process has ended, or the one that was making it already; never rejects.
 */
export async function makeSnapshot(): Promise<void> {
  if (isSnapshotReady()) return;
  const options = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'builder.ts')];
  const builder = spawn(process.execPath, options, { stdio: 'ignore', detached: true, windowsHide: true });
  await new Promise<void>((resolve) => {
    builder.on('error', () => resolve());
    builder.on('exit', () => resolve());
  });
  while (isSnapshotLocked()) await delay(200);
}
