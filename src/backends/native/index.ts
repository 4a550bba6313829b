/**
 * TensorFlow's own library behind Node's native interface: `tensorflow` on the processor, `cuda` on an NVIDIA GPU.
 * `lab backend install` builds what is loaded here.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { TFJSBinding } from '@tensorflow/tfjs-node/dist/tfjs_binding.js';
import type { Backend } from '../backend.ts';
import { registerKernels } from './kernels/index.ts';
import { KERNELS_VERSION } from './kernels/library.ts';
import { installedNative } from './record.ts';

export type NativeName = 'tensorflow' | 'cuda';

/** The npm packages whose JavaScript side is used. */
export const NATIVE_PACKAGES: Readonly<Record<NativeName, string>> = {
  tensorflow: '@tensorflow/tfjs-node',
  cuda: '@tensorflow/tfjs-node-gpu',
};

/** The file name of the addon. */
export const ADDON = 'tfjs_binding.node';

const require = createRequire(import.meta.url);

/** The folder that `lab backend install` fills: the addon and the libraries beside it. */
export function nativeFolder(name: NativeName): string {
  const root =
    process.env.LLM_LAB_BACKENDS ?? fileURLToPath(new URL('../../../.cache/backends', import.meta.url));
  return join(root, name);
}

/** The native addon of a backend: the one built here, else the one of the npm package; undefined without either. */
export function nativeAddon(name: NativeName): string | undefined {
  const built = join(nativeFolder(name), ADDON);
  if (existsSync(built)) return built;
  try {
    const manifest = require.resolve(`${NATIVE_PACKAGES[name]}/package.json`);
    const bundled = manifest.replace(/package\.json$/, 'lib/napi-v8/tfjs_binding.node');
    return existsSync(bundled) ? bundled : undefined;
  } catch {
    return undefined; // The optional package is not installed either.
  }
}

/** Of the lab's kernels; undefined where they are not in use. */
let threads: number | undefined;

function isBinding(value: unknown): value is TFJSBinding {
  return typeof value === 'object' && value !== null && 'executeOp' in value && 'isUsingGpuDevice' in value;
}

export function nativeBackend(name: NativeName): Backend {
  return {
    name,
    probe: async () => {
      const addon = nativeAddon(name);
      if (addon !== undefined)
        return { name, available: true, detail: `native library installed${lacks(name)}` };
      const detail = 'its native library is not installed';
      return { name, available: false, detail, mend: `npx lab backend install ${name}` };
    },
    start: async () => startNative(name),
  };
}

/** What an installation for the processor has not, and how to get it; empty where it has all. */
function lacks(name: NativeName): string {
  const record = installedNative(name);
  if (name === 'cuda' || record === undefined || record.kernels === KERNELS_VERSION) return '';
  const { kernels, kernelsProblem: problem } = record;
  if (problem !== undefined) {
    return `, slower than it could be: its own kernels are missing, as ${problem}; npx lab backend install ${name} tries again`;
  }
  const age = kernels === undefined ? 'none of' : 'others than';
  return `, slower than it could be: it has ${age} this version’s own kernels; npx lab backend install ${name} mends that`;
}

async function startNative(name: NativeName): Promise<string> {
  const addon = nativeAddon(name);
  if (addon === undefined) throw new Error('its native library is not installed');
  return startAddon(name, addon);
}

/**
 * Loads an addon and makes it TensorFlow.js' backend. Returns the device.
 *
 * @throws Error if it cannot be loaded, or is to use a GPU and finds none.
 */
export async function startAddon(name: NativeName, addon: string): Promise<string> {
  restoreRemovedFunctions();
  // TensorFlow reports every start otherwise; its errors stay.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const binding: unknown = require(addon);
  if (!isBinding(binding)) throw new Error(`${addon} is not the addon of TensorFlow.js`);
  const { NodeJSKernelBackend } = await import('@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js');
  await import('@tensorflow/tfjs-node/dist/register_all_kernels.js');
  if (name === 'cuda' && !binding.isUsingGpuDevice()) throw new Error('TensorFlow finds no GPU it can use');
  // Both kinds register as `tensorflow`, the name that the kernels of the package are registered under.
  if (tf.findBackend('tensorflow') === null) {
    tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, NATIVE_PACKAGES[name]), 3);
    const backend: unknown = tf.findBackend('tensorflow');
    // They compute on the processor alone.
    if (name === 'tensorflow' && backend instanceof NodeJSKernelBackend) threads = registerKernels(backend);
  }
  if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow.js refuses it');
  const device = `${binding.isUsingGpuDevice() ? 'GPU' : 'CPU'}, TensorFlow ${binding.TF_Version}`;
  if (threads === undefined) return device;
  return `${device}, the lab’s kernels on ${threads === 1 ? '1 thread' : `${threads} threads`}`;
}

/** The package calls functions of `util` that Node 23 removed or warns about. */
function restoreRemovedFunctions(): void {
  const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  Object.assign(util, { isArray: Array.isArray, isNullOrUndefined });
}
