/** WebAssembly on the processor: the default, because it needs no download and runs everywhere. */

import * as tf from '@tensorflow/tfjs-core';
import type { Backend } from '../backend.ts';
import { registerAttention } from './attention.ts';
import { borrowMissingKernels } from './borrowed-kernels.ts';
import { registerElementwise } from './elementwise.ts';
import { registerFused } from './fused.ts';
import { registerMatMul } from './matmul.ts';
import { registerMovement } from './movement.ts';
import { openNativeLibrary } from './native-library.ts';
import { registerRows } from './rows.ts';
import { startTfjsModule } from './tfjs-module.ts';

let device: string | undefined;

export const wasmBackend: Backend = {
  name: 'wasm',
  probe: async () => ({ name: 'wasm', available: true, detail: 'WebAssembly with SIMD, part of Node' }),
  start: async () => {
    device ??= await register();
    if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js refuses it');
    return device;
  },
};

async function register(): Promise<string> {
  const module = await startTfjsModule();
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', () => module.backend, 2);
  borrowMissingKernels();
  const library = await openNativeLibrary(module);
  if (library === undefined) return '1 CPU thread, without the lab’s own kernels';
  registerMatMul(library);
  registerElementwise(library);
  registerRows(library);
  registerFused(library);
  registerAttention(library);
  registerMovement(library);
  return library.threads === 1 ? '1 CPU thread' : `${library.threads} CPU threads`;
}
