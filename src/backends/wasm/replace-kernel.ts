/** Puts a kernel of the lab before one of TensorFlow.js', which stays for the cases the new one leaves. */

import * as tf from '@tensorflow/tfjs-core';
import type { NativeLibrary } from './native-library.ts';

/** What a kernel is called with. */
export type KernelCall = Parameters<tf.KernelFunc>[0];

/**
 * @param compute returns undefined for a case it does not handle, which then goes to the kernel there was before.
 */
export function replaceKernel(
  kernelName: string,
  compute: (call: KernelCall) => tf.TensorInfo | undefined,
): void {
  const previous = tf.getKernel(kernelName, 'wasm');
  if (previous !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    ...previous,
    kernelName,
    backendName: 'wasm',
    kernelFunc: (call) => {
      const made = compute(call) ?? previous?.kernelFunc(call);
      if (made === undefined) throw new Error(`${kernelName}: the wasm backend has no case for these inputs`);
      return made;
    },
  });
}

export function isFloat(tensor: tf.TensorInfo): boolean {
  return tensor.dtype === 'float32';
}

/** Where a tensor's numbers lie in the shared memory. */
export function addressOf(library: NativeLibrary, tensor: tf.TensorInfo): number {
  return library.backend.getMemoryOffset(tensor.dataId);
}
