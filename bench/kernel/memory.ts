import { readdirSync, readFileSync } from 'node:fs';

const PAGE = 4096;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}

/** Resident memory of a process and all its descendants, in megabytes; NaN where there is no /proc. */
export function treeMemory(root: number): number {
  const parents = new Map<number, number>();
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return Number.NaN;
  }
  for (const name of names) {
    // the command's name may hold spaces and parentheses: the parent is the second field after the last one
    const parent = /^\d+$/.test(name)
      ? read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1]
      : undefined;
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (parents.has(pid) && pid > 1 && isBelow(parents.get(pid) ?? 0));
  let pages = 0;
  for (const pid of parents.keys())
    if (isBelow(pid)) pages += Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0);
  return (pages * PAGE) / 1e6;
}
