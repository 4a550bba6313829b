/** How a sandbox is confined: bubblewrap where it works, else Node's permission model alone, and the report says which. */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileCache } from './compile-cache.ts';

const ROOT = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));
const HARNESS = path.join(ROOT, 'grader', 'sandbox', 'harness.ts');

/**
 * What of this repository a sandbox may read: the library and what the harness is made of. Not the exercises with their
 * references, not the chapters' masters with their solutions, not the tests, not other learners' work.
 */
const READABLE = [
  'package.json',
  'node_modules',
  'src',
  'grader/sandbox',
  'grader/backend.ts',
  'grader/codec.ts',
  'grader/draw.ts',
  'grader/evaluate.ts',
  'grader/values.ts',
].map((name) => path.join(ROOT, name));

/** Node's SQLite opens and writes files past its permission model, in the versions that have it. */
const WITHOUT_DATABASES = process.allowedNodeEnvironmentFlags.has('--experimental-sqlite')
  ? ['--no-experimental-sqlite']
  : [];

/** System files that Node needs to start. */
const SYSTEM = ['/usr/lib', '/usr/lib64', '/lib', '/lib64', '/etc/ld.so.cache', '/etc/ssl/openssl.cnf'];

/** The working folder of cells: it exists only inside. */
const WORK_FOLDER = path.join(ROOT, 'notebooks');

export type Confinement = 'bubblewrap' | 'permissions';

/** No core dumps, no files, and an end for what survives a grader that was killed. CPU seconds. */
const LIMITS = 'ulimit -c 0; ulimit -f 0; ulimit -t 1200; exec "$@"';
const SHELL = '/bin/sh';

export interface Confined {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

let probing: Promise<Confinement> | undefined;

/** The strongest confinement that works on this machine; tried once. */
export function bestConfinement(): Promise<Confinement> {
  probing ??= probe();
  return probing;
}

async function probe(): Promise<Confinement> {
  if (process.platform !== 'linux') return 'permissions';
  const { command, args, env } = confine('bubblewrap', { memoryMb: 256, probe: true });
  try {
    await promisify(execFile)(command, [...args], { env: { ...env }, timeout: 20_000 });
    return 'bubblewrap';
  } catch {
    // Not installed, or the machine does not let users make namespaces.
    return 'permissions';
  }
}

const WARNING =
  'bubblewrap does not work here: submissions ran under Node’s permission model alone, which keeps them from files and processes but not from the network. Install bubblewrap, or in a container let it make namespaces, before you grade strangers’ work.';

/** What a report says about a confinement that is weaker than it should be. */
export function confinementWarning(confinement: Confinement): string | undefined {
  return confinement === 'bubblewrap' ? undefined : WARNING;
}

/** Whether a notice of a report is that warning. */
export function isConfinementWarning(notice: string): boolean {
  return notice === WARNING;
}

export interface ConfineOptions {
  /** Most memory of the JavaScript heap and of the process, in MiB. */
  readonly memoryMb: number;
  /** Compiled code to start from; only bubblewrap can keep it safe from the learner's. */
  readonly cache?: string;
  /** Only start Node and leave: to see whether the confinement works. */
  readonly probe?: boolean;
}

/** The command that starts a harness under the confinement. */
export function confine(
  confinement: Confinement,
  { memoryMb, cache, probe: onlyProbe = false }: ConfineOptions,
): Confined {
  const node = realpathSync(process.execPath);
  const env = {
    LLM_LAB_BACKEND: 'cpu',
    NODE_NO_WARNINGS: '1',
    HOME: '/nonexistent',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  };
  const nodeArgs = [
    '--permission',
    ...READABLE.map((name) => `--allow-fs-read=${name}`),
    `--max-old-space-size=${Math.floor(memoryMb * 0.6)}`,
    '--max-semi-space-size=16',
    ...WITHOUT_DATABASES,
    ...(onlyProbe ? ['--eval', '0'] : [HARNESS]),
  ];
  if (confinement === 'permissions') return limited(node, nodeArgs, env, ROOT);
  const present = SYSTEM.filter((name) => existsSync(name));
  const args = [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    // Root inside would be root outside where the grader runs as root.
    ...['--uid', '65534', '--gid', '65534', '--hostname', 'sandbox'],
    ...present.flatMap((name) => ['--ro-bind', name, name]),
    ...[
      '--proc',
      '/proc',
      '--dir',
      '/dev',
      '--dev-bind',
      '/dev/null',
      '/dev/null',
      '--dev-bind',
      '/dev/urandom',
      '/dev/urandom',
    ],
    ...['--tmpfs', '/tmp'],
    ...['--ro-bind', node, node],
    ...READABLE.flatMap((name) => ['--ro-bind', name, name]),
    ...['--dir', WORK_FOLDER, '--chdir', WORK_FOLDER],
    // What bubblewrap mounts here is memory: unwritable, or it would be a disk without limit.
    ...['--remount-ro', '/tmp', '--remount-ro', '/'],
    ...(cache === undefined ? [] : ['--setenv', 'NODE_COMPILE_CACHE', cache]),
    // Node leaves a cache alone that it may not write; bubblewrap's mount of node_modules is read-only all the same.
    ...['--', node, ...(cache === undefined ? [] : [`--allow-fs-write=${cache}`]), ...nodeArgs],
  ];
  return limited('bwrap', args, { ...env, PATH: process.env.PATH ?? '/usr/bin:/bin' }, '/');
}

/** The command under the limits a shell can set, where there is one. */
function limited(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Confined {
  return existsSync(SHELL)
    ? { command: SHELL, args: ['-c', LIMITS, 'sandbox', command, ...args], env, cwd }
    : { command, args, env, cwd };
}

/** Compiled code for sandboxes under the confinement, where it can be used. */
export async function cacheFor(confinement: Confinement): Promise<string | undefined> {
  return confinement === 'bubblewrap' ? compileCache(ROOT, HARNESS) : undefined;
}
