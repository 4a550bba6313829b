/**
 * Ending a process with everything it started. A process group does not do: Jupyter puts each kernel into a session
 * of its own.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** All processes as [process, parent]. */
function processes(): [number, number][] {
  if (process.platform === 'linux') {
    // Slim images have no `ps`.
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name): [number, number][] => {
        try {
          // "pid (name) state parent ...": the name may hold spaces and brackets, so count from the last bracket.
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]];
        } catch {
          return []; // It ended while we looked.
        }
      });
  }
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return listing
    .trim()
    .split('\n')
    .map((line): [number, number] => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return [pid ?? 0, parent ?? 0];
    });
}

/** The process and all its descendants, parents first. Empty on Windows, where `killTree` asks the system itself. */
export function processTree(root: number): number[] {
  if (process.platform === 'win32') return [];
  const all = processes();
  const tree = [root];
  for (const parent of tree) {
    for (const [pid, itsParent] of all) if (itsParent === parent) tree.push(pid);
  }
  return tree;
}

/** Ends at once whatever of these processes still runs. */
export function killTree(root: number, tree: readonly number[] = processTree(root)): void {
  if (process.platform === 'win32') {
    try {
      execFileSync('taskkill', ['/T', '/F', '/PID', String(root)], { stdio: 'ignore' });
    } catch {
      // Already gone.
    }
    return;
  }
  for (const pid of tree) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}
