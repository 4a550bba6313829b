/** Puts a kernel of the lab before one of tfjs-node, which stays for the cases that the new one leaves. */

import * as tf from '@tensorflow/tfjs-core';

/** What a kernel is called with. */
export type KernelCall = Parameters<tf.KernelFunc>[0];

/**
 * @param compute returns undefined for a case it does not handle, which then goes to the kernel there was before.
 */
export function replaceKernel(
  kernelName: string,
  compute: (call: KernelCall) => tf.TensorInfo | undefined,
): void {
  const previous = tf.getKernel(kernelName, 'tensorflow');
  if (previous === undefined) throw new Error(`tfjs-node has no kernel ${kernelName}`);
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({ ...previous, kernelFunc: (call) => compute(call) ?? previous.kernelFunc(call) });
}

/** Registers a kernel that tfjs-node has not. Its inputs are float32, but for the ones in `integers`. */
export function addKernel(
  kernelName: string,
  compute: (inputs: Record<string, tf.TensorInfo>, attrs: tf.NamedAttrMap) => tf.TensorInfo[],
  integers: readonly string[] = [],
): void {
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs = {} }) => {
      const given: Record<string, tf.TensorInfo> = {};
      for (const [name, input] of Object.entries(inputs)) {
        if (input === undefined) continue;
        const dtype = integers.includes(name) ? 'int32' : 'float32';
        if (input.dtype !== dtype) throw new TypeError(`${kernelName}: ${name} must be ${dtype}`);
        given[name] = input;
      }
      const made = compute(given, attrs);
      const [only] = made;
      return made.length === 1 && only !== undefined ? only : made;
    },
  });
}

/** Whether all are float32 and none is without numbers: the cases that the lab's kernels are for. */
export function isFloat(...tensors: tf.TensorInfo[]): boolean {
  return tensors.every(({ dtype, shape }) => dtype === 'float32' && !shape.includes(0));
}

export function missing(): never {
  throw new TypeError('a kernel was called without one of its inputs');
}
