/**
 * Compiled code of the harness and the library, kept from run to run: it halves the start of a sandbox. Made by a harness that sees no
 * learner's code, and mounted read-only: what is in it is run, so nobody else may write it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
/** The folder of the cache for the present sources, made if it is missing; undefined if it cannot be. */
export async function compileCache(root, harness) {
  const base = path.join(root, 'node_modules', '.cache', 'lab-sandbox');
  const folder = path.join(base, stampOf([path.join(root, 'src'), path.join(root, 'grader')]));
  try {
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return folder;
    mkdirSync(base, { recursive: true });
    const fresh = `${folder}.${process.pid}`;
    if (!(await fill(harness, fresh))) return undefined;
    for (const old of readdirSync(base)) {
      if (!path.join(base, old).startsWith(folder))
        rmSync(path.join(base, old), { recursive: true, force: true });
    }
    renameSync(fresh, folder);
    return folder;
  } catch {
    // Another run may have been first, or the folder cannot be written: a cache is no must.
    return statSync(folder, { throwIfNoEntry: false }) === undefined ? undefined : folder;
  }
}
/** Starts a harness that finds its channel closed and leaves, writing what it compiled. */
function fill(harness, folder) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [harness], {
      env: { NODE_COMPILE_CACHE: folder, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'ignore', 'ignore'],
      timeout: 60_000,
    });
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(statSync(folder, { throwIfNoEntry: false }) !== undefined));
  });
}
/** Changes whenever a source does. */
function stampOf(folders) {
  const hash = createHash('sha256').update(process.version);
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const file = path.join(entry.parentPath, entry.name);
      const { mtimeMs, size } = statSync(file);
      hash.update(`${file} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}
