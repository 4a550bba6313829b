/**
 * A process and all its descendants, seen from outside: the memory they take, because tensors live outside the heap that Node can
 * limit, and how long the machine has let them wait.
 */
import { readFile } from 'node:fs/promises';

const EVERY_MS = 50;
/** A sandbox is one process, three with bubblewrap's own; more is a fork bomb. */
const MAX_PROCESSES = 16;

/** Calls `exceeded` once if the process tree takes more than the limit. Does nothing where there is no /proc. */
export function watchMemory(pid: number, limitMb: number, ended: Promise<void>, exceeded: () => void): void {
  if (process.platform !== 'linux') return;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const look = async (): Promise<void> => {
    if (over) return;
    const pids = await treeOf(pid);
    const sizes = await Promise.all(pids.map(residentMb));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (over) return;
    if (total > limitMb || pids.length > MAX_PROCESSES) {
      over = true;
      exceeded();
      return;
    }
    setTimeout(() => void look(), EVERY_MS).unref();
  };
  void look();
}

/**
 * How many milliseconds the processes were ready to run and the machine was busy with others (`/proc/PID/schedstat`). 0 where the
 * system does not tell.
 */
export async function waitedMs(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const waits = await Promise.all(
    (await treeOf(pid)).map(async (one) => {
      const text = await readFile(`/proc/${one}/schedstat`, 'utf8').catch(() => '');
      return Number(text.split(' ')[1] ?? 0) / 1e6;
    }),
  );
  return waits.reduce((sum, wait) => sum + wait, 0);
}

async function treeOf(root: number): Promise<number[]> {
  const found = [root];
  for (let i = 0; i < found.length && i < 64; i++) {
    const pid = found[i];
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    found.push(...text.split(' ').filter(Boolean).map(Number));
  }
  return found;
}

async function residentMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const [, pages = '0'] = text.split(' ');
  return (Number(pages) * 4096) / (1024 * 1024);
}
