/** WebGPU through Dawn, the implementation of Chromium: any GPU that has a Vulkan, Metal or Direct3D 12 driver. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Backend } from '../backend.ts';
import { adapterName, openGpu } from './adapter.ts';

const MEND =
  'install the Vulkan loader and a driver (sudo apt install libvulkan1), or for a slow one on the processor set ' +
  'VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json (of Debian’s chromium)';

const answerSchema = z.union([z.object({ device: z.string() }), z.object({ problem: z.string() })]);

/** Asks in a process of its own: drivers print warnings, and a bad one may crash. */
async function askForAdapter(): Promise<z.infer<typeof answerSchema>> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./adapter.${extension}`, import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 30_000 });
    return answerSchema.parse(JSON.parse(stdout));
  } catch {
    return { problem: 'the GPU driver fails' };
  }
}

/** Asked once: a driver does not come or go while a program runs. */
let asked: ReturnType<typeof askForAdapter> | undefined;
let device: string | undefined;

export const webgpuBackend: Backend = {
  name: 'webgpu',
  probe: async () => {
    asked ??= askForAdapter();
    const answer = await asked;
    if ('device' in answer) return { name: 'webgpu', available: true, detail: answer.device };
    return { name: 'webgpu', available: false, detail: answer.problem, mend: MEND };
  },
  start: async () => {
    device ??= await register();
    if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refuses it');
    return device;
  },
};

async function register(): Promise<string> {
  const gpu = await openGpu();
  const name = await adapterName(gpu);
  // tfjs looks for a browser: it registers its backend only where `navigator.gpu` is.
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refuses it');
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error('another backend goes by this name');
  const { useBufferPool } = await import('./buffer-pool.ts');
  const { throwDeviceErrors } = await import('./device-errors.ts');
  const { allowSeveralOutputs } = await import('./outputs.ts');
  const { registerKernels } = await import('./kernels.ts');
  useBufferPool(backend);
  throwDeviceErrors(backend);
  allowSeveralOutputs(backend);
  registerKernels();
  return name;
}
