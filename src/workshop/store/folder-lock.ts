/** One process at a time in an embedded store: two would destroy it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../errors.ts';

export interface FolderLock {
  /** Where the engine keeps its files. */
  readonly data: string;
  release(): void;
}

/** Takes the folder for this process. What a process that is gone left locked is taken over. @throws InputError if another one has it */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'lock');
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const holder = holderOf(file);
      if (holder !== undefined || attempt > 1) {
        throw new InputError(
          `the database in ${folder} is in use by process ${holder ?? '?'}: end it first, or set DATABASE_URL to a PostgreSQL server, which several can share`,
        );
      }
      rmSync(file, { force: true });
    }
  }
  return {
    data: path.join(folder, 'database'),
    release: () => rmSync(file, { force: true }),
  };
}

/** The process that holds the lock, if it still runs. */
function holderOf(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const [pid = '', started = ''] = text.trim().split(' ');
  const id = Number(pid);
  if (!Number.isInteger(id) || id <= 0 || !runs(id)) return undefined;
  // A number is given to another process sooner or later; when that one began tells them apart.
  return startOf(id) === started ? id : undefined;
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** When a process began, in the system's own ticks; `?` where that cannot be told. */
function startOf(pid: number): string {
  try {
    // After the name in parentheses, which may hold spaces, the start is the 20th field.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '?';
  } catch {
    return '?';
  }
}
