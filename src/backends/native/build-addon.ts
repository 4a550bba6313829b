/**
 * Compiles the addon of tfjs-node against the libraries of a wheel, with the lab's own kernels (ops/) in it where that
 * can be done, and sees that it computes. Without them TensorFlow's kernels do all, only slower, so nothing that goes
 * wrong with them ends the installation.
 */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../cli/jupyter/setup-error.ts';
import { ADDON, NATIVE_PACKAGES, type NativeName } from './index.ts';
import { KERNELS_VERSION } from './kernels/library.ts';
import type { InstallRecord } from './record.ts';
import { type InstallOptions, step } from './step.ts';

const OPS = fileURLToPath(new URL('./ops/', import.meta.url));

/** The one source that knows of TensorFlow: it stands in for tfjs-node's own of the same purpose. */
const GLUE = 'addon.cc';

const NEEDS_COMPILER = 'the addon could not be compiled (it needs g++: sudo apt install g++)';

export type Built = { device: string } & Pick<InstallRecord, 'kernels' | 'kernelsProblem'>;

/** Makes the addon in `stage`, which holds the wheel's headers and libraries. Returns the device that it computes on. */
export async function buildAddon(name: NativeName, stage: string, options: InstallOptions): Promise<Built> {
  const plain = async (): Promise<string> => {
    options.report('compiling the addon');
    await link(name, stage, [join(sourceOf(name), 'binding', 'tfjs_binding.cc')], NEEDS_COMPILER, options);
    return verify(name, stage, options);
  };
  if (name === 'cuda') return { device: await plain() }; // The kernels are for the processor.
  try {
    options.report('compiling the lab’s own kernels for this processor, which takes a minute');
    const objects = await compileKernels(stage, options);
    options.report('compiling the addon with them');
    await link(name, stage, [join(OPS, GLUE), ...objects], 'the addon could not be compiled', options);
    return { device: await verify(name, stage, options), kernels: KERNELS_VERSION };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error; // stopped
    options.report(
      `The lab’s own kernels cannot be used: ${error.message}. TensorFlow’s do their work, slower.`,
    );
    return { device: await plain(), kernelsProblem: error.message };
  }
}

function sourceOf(name: NativeName): string {
  return folderOf(NATIVE_PACKAGES[name]);
}

function folderOf(project: string): string {
  return dirname(createRequire(import.meta.url).resolve(`${project}/package.json`));
}

/** The object files of everything in ops/ but the glue. */
async function compileKernels(stage: string, options: InstallOptions): Promise<string[]> {
  const folder = join(stage, 'objects');
  await mkdir(folder);
  const sources = (await readdir(OPS)).filter((file) => file.endsWith('.cc') && file !== GLUE).sort();
  const compileOne = async (source: string): Promise<string> => {
    const object = join(folder, source.replace(/cc$/, 'o'));
    const flags = ['-std=c++17', '-O3', '-march=native', '-fno-math-errno', '-fPIC', '-w'];
    await step(
      [options.compiler ?? 'g++', ...flags, '-c', join(OPS, source), '-o', object],
      `the kernels in ${source} could not be compiled`,
      options,
    );
    return object;
  };
  const objects: string[] = [];
  for (const source of sources) objects.push(await compileOne(source));
  return objects;
}

async function link(
  name: NativeName,
  stage: string,
  sources: readonly string[],
  failure: string,
  options: InstallOptions,
): Promise<void> {
  const source = sourceOf(name);
  const libraries = join(stage, 'tensorflow');
  const command = [
    options.compiler ?? 'g++',
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-w', '-pthread', '-DNAPI_VERSION=8'],
    ...['-I', source, '-I', join(libraries, 'include'), '-I', join(folderOf('node-api-headers'), 'include')],
    join(source, 'binding', 'tfjs_backend.cc'),
    ...sources,
    join(libraries, 'libtensorflow_cc.so.2'),
    join(libraries, 'libtensorflow_framework.so.2'),
    '-Wl,-rpath,$ORIGIN/tensorflow',
    ...['-o', join(stage, ADDON)],
  ];
  await step(command, failure, options);
  await rm(join(stage, 'objects'), { recursive: true, force: true });
}

/** In a process of its own: a library that crashes must not take the command with it. */
async function verify(name: NativeName, stage: string, options: InstallOptions): Promise<string> {
  options.report('verifying with a matrix product and a gradient');
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const script = fileURLToPath(new URL(`./verify.${extension}`, import.meta.url));
  const command = [process.execPath, script, name, join(stage, ADDON)];
  const lines = await step(command, 'the built addon does not work', options);
  return lines.findLast((line) => line.startsWith('device: '))?.slice('device: '.length) ?? name;
}
