/**
 * Kernels that the wasm backend lacks are borrowed from the cpu backend: inputs are copied out of the heap, computed in
 * JavaScript and copied back. Slow, but every operation works, and so does its gradient.
 */

import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** wasm has them, but wrong. OneHot writes integer bits into a float32 result. */
const WRONG_ON_WASM = ['OneHot'];

/** They need a complex number type, which wasm has not. */
const COMPLEX = new Set(['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real']);

/** Registers every kernel that cpu has and wasm lacks. */
export function borrowMissingKernels(): void {
  for (const kernelName of WRONG_ON_WASM) tf.unregisterKernel(kernelName, 'wasm');
  const own = new Set(tf.getKernelsForBackend('wasm').map((kernel) => kernel.kernelName));
  const lender = new MathBackendCPU();
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (own.has(kernelName) || COMPLEX.has(kernelName)) continue;
    if (kernelName.startsWith('Lab')) continue; // the cache's kernel writes into its input: a copy would not do
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: borrowed(kernelFunc, lender) });
  }
}

function borrowed(compute: tf.KernelFunc, cpu: MathBackendCPU): tf.KernelFunc {
  return ({ inputs, backend, attrs }) => {
    if (!(backend instanceof BackendWasm)) throw new TypeError('expected the wasm backend');
    const lent: tf.NamedTensorInfoMap = {};
    for (const [name, input] of Object.entries(inputs)) {
      lent[name] = input && cpu.makeTensorInfo(input.shape, input.dtype, backend.readSync(input.dataId));
    }
    // Kernels with any number of inputs, such as Einsum, read them as an array.
    const named = Array.isArray(inputs) ? Object.assign([], lent) : lent;
    const made = compute({ inputs: named, backend: cpu, ...(attrs && { attrs }) });
    const giveBack = (output: tf.TensorInfo): tf.TensorInfo => {
      const result = backend.makeOutput(output.shape, output.dtype, undefined, cpu.readSync(output.dataId));
      cpu.disposeIntermediateTensorInfo(output);
      return result;
    };
    const outputs = Array.isArray(made) ? made.map(giveBack) : giveBack(made);
    for (const input of Object.values(lent)) if (input) cpu.disposeIntermediateTensorInfo(input);
    return outputs;
  };
}
