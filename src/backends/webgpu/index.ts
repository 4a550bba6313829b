/** WebGPU through Dawn, the implementation of Chromium: any GPU that has a Vulkan, Metal or Direct3D 12 driver. */

import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from '../../errors.ts';
import type { Backend } from '../backend.ts';
import { registerTrigonometry } from './trigonometry.ts';

/** Dawn's options: the backend may run on a processor (SwiftShader), which is slow but computes the same. */
const DAWN_OPTIONS: string[] = [];

async function openGpu(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return create(DAWN_OPTIONS);
}

let gpu: Promise<GPU> | undefined;

async function adapterName(): Promise<string> {
  gpu ??= openGpu();
  const adapter = await (await gpu).requestAdapter();
  if (adapter === null) throw new Error('no GPU driver that Dawn accepts');
  const { vendor, architecture, description, device } = adapter.info;
  return description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed GPU';
}

export const webgpuBackend: Backend = {
  name: 'webgpu',
  probe: async () => {
    try {
      return { name: 'webgpu', available: true, detail: await adapterName() };
    } catch (error) {
      return {
        name: 'webgpu',
        available: false,
        detail: messageOf(error),
        mend:
          'install the Vulkan loader and a driver (sudo apt install libvulkan1), or for a slow one on the processor set ' +
          'VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json (of Debian’s chromium)',
      };
    }
  },
  start: async () => {
    const device = await adapterName();
    // tfjs looks for a browser: it registers its backend only where `navigator.gpu` is.
    Object.defineProperty(globalThis.navigator, 'gpu', { value: await gpu, configurable: true });
    await import('@tensorflow/tfjs-backend-webgpu');
    registerTrigonometry();
    if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js refuses it');
    return device;
  },
};
