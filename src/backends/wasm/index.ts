/** WebAssembly on the processor: the default, because it needs no download and runs everywhere. */

import * as tf from '@tensorflow/tfjs-core';
import type { Backend } from '../backend.ts';
import { borrowMissingKernels } from './borrowed-kernels.ts';
import { startTfjsModule } from './tfjs-module.ts';

let registered = false;

export const wasmBackend: Backend = {
  name: 'wasm',
  probe: async () => ({ name: 'wasm', available: true, detail: 'WebAssembly with SIMD, part of Node' }),
  start: async () => {
    if (!registered) {
      const { backend } = await startTfjsModule();
      tf.removeBackend('wasm');
      tf.registerBackend('wasm', () => backend, 2);
      borrowMissingKernels();
      registered = true;
    }
    if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js refuses it');
    return 'CPU';
  },
};
