/** The memory of a process and all its descendants, watched from outside: tensors live outside the heap that Node can limit. */
import { readFile } from 'node:fs/promises';

const EVERY_MS = 50;
/** A sandbox is one process, three with bubblewrap's own; more is a fork bomb. */
const MAX_PROCESSES = 16;
/** Calls `exceeded` once if the process tree takes more than the limit. Does nothing where there is no /proc. */
export function watchMemory(pid, limitMb, ended, exceeded) {
  if (process.platform !== 'linux') return;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const look = async () => {
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
async function treeOf(root) {
  const found = [root];
  for (let i = 0; i < found.length && i < 64; i++) {
    const pid = found[i];
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    found.push(...text.split(' ').filter(Boolean).map(Number));
  }
  return found;
}
async function residentMb(pid) {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const [, pages = '0'] = text.split(' ');
  return (Number(pages) * 4096) / (1024 * 1024);
}
