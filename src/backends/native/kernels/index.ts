/** The lab's own kernels before those of TensorFlow, where the addon has them. */

import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js';
import { registerAttention } from './attention.ts';
import { registerElementwise } from './elementwise.ts';
import { registerLayout } from './layout.ts';
import { openKernels } from './library.ts';
import { registerMatMul } from './matmul.ts';
import { registerRows } from './rows.ts';

/** @returns the number of threads that compute, undefined where the addon has no kernels that fit. */
export function registerKernels(backend: NodeJSKernelBackend): number | undefined {
  const library = openKernels(backend);
  if (library === undefined) return undefined;
  registerMatMul(library);
  registerAttention(library);
  registerElementwise(library);
  registerRows(library);
  registerLayout(library);
  return library.threads;
}
