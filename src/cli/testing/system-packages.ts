/** Programs and libraries that some tests want and that only the system's package manager has. */
import { existsSync } from 'node:fs';
import { consoleProgress } from '../../training/progress.ts';
import { run } from '../jupyter/run.ts';

interface SystemPackage {
  /** The Debian package. */
  readonly name: string;
  /** What is there once it is installed. */
  readonly program: string;
  readonly purpose: string;
}

/** All of them; none is needed by learners. */
export const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  { name: 'chromium', program: '/usr/bin/chromium', purpose: 'the tests in a real browser' },
  { name: 'bubblewrap', program: '/usr/bin/bwrap', purpose: 'the tests of the stronger sandbox' },
  {
    name: 'postgresql',
    program: '/usr/bin/pg_createcluster',
    purpose: 'the tests on a PostgreSQL server',
  },
  {
    name: 'libvulkan1',
    program: `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libvulkan.so.1`,
    purpose: 'the tests of webgpu',
  },
  {
    name: 'g++',
    program: '/usr/bin/g++',
    purpose: 'the tests of the tensorflow backend, which compile its kernels,',
  },
];

/** Packages that are not installed. */
export function missingPackages(): SystemPackage[] {
  return SYSTEM_PACKAGES.filter(({ program }) => !existsSync(program));
}

/**
 * Installs what is missing, on Debian's kin, as root, and only where that surprises nobody: in continuous integration
 * or when asked. Otherwise, and when it fails, says what will be skipped and how to have it; never throws.
 */
export async function installSystemPackages(asked: boolean, signal: AbortSignal): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const obstacle = obstacleTo(asked) ?? (await aptInstall(names, signal));
  if (obstacle === undefined) return;
  for (const { name, purpose } of missing)
    console.error(`lab: without ${name} ${purpose} are skipped (${obstacle}).`);
  console.error(`lab: to have them: sudo apt-get install ${names.join(' ')}`);
}

function obstacleTo(asked: boolean): string | undefined {
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get here';
  if (process.getuid?.() !== 0) return 'only root may install it';
  if (!asked && !process.env.CI) return 'not installed without --system-packages or CI=true';
  return undefined;
}

async function aptInstall(names: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const progress = consoleProgress('Installing system packages:');
  let unpacked = 0;
  let total = 0;
  const onLine = (line: string) => {
    total = Number(/(\d+) newly installed/.exec(line)?.[1] ?? total);
    if (line.startsWith('Setting up ') && total > 0) progress.report(Math.min(++unpacked, total), total, '');
  };
  // An archive that cannot be reached must not hold up the tests.
  const apt = ['apt-get', '-q', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=20'];
  try {
    await run([...apt, 'update'], { signal, env });
    const install = [...apt, 'install', '-y', '--no-install-recommends', ...names];
    const { code, output } = await run(install, { signal, env, onLine });
    return code === 0 ? undefined : `apt-get said: ${output.at(-1) ?? 'nothing'}`;
  } finally {
    progress.end();
  }
}
