/** One process at a time, for work that two terminals could begin at once. */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder touches its lock every few seconds; one that was not touched for this long has no holder. */
const ABANDONED_AFTER = 60_000;

/**
 * Runs `work` while this process alone holds the lock file. `onWait` is called once if somebody else has it. A lock
 * whose holder is gone is taken over. (bootstrap.mjs does the same before any TypeScript can run.)
 */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  for (let waits = 0; !take(path); waits++) {
    if (isAbandoned(path)) {
      rmSync(path, { force: true });
    } else {
      if (waits === 0) onWait();
      await sleep(500);
    }
  }
  const heartbeat = setInterval(() => utimesSync(path, new Date(), new Date()), 5_000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function isAbandoned(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > ABANDONED_AFTER) return true;
    const holder = Number(readFileSync(path, 'utf8'));
    if (holder) process.kill(holder, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH' || codeOf(error) === 'ENOENT';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
