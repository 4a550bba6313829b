/** Registering kernels of the lab's own with TensorFlow.js' webgpu backend. */

import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';

/** What a kernel is called with. */
export interface KernelCall {
  readonly backend: WebGPUBackend;
  readonly inputs: Record<string, tf.TensorInfo>;
  readonly attrs: tf.NamedAttrMap;
}

/** Registers a kernel of float32 tensors; only labels are whole numbers. */
export function addKernel(kernelName: string, compute: (call: KernelCall) => tf.TensorInfo[]): void {
  tf.registerKernel({
    kernelName,
    backendName: 'webgpu',
    kernelFunc: (given) => {
      const call = callOf(given);
      for (const [name, { dtype }] of Object.entries(call.inputs)) {
        const expected = name === 'labels' ? 'int32' : 'float32';
        if (dtype !== expected) throw new TypeError(`${kernelName}: ${name} must be ${expected}`);
      }
      const made = compute(call);
      const [only] = made;
      return made.length === 1 && only !== undefined ? only : made;
    },
  });
}

/**
 * Puts a kernel before one of TensorFlow.js', which stays for the cases that the new one leaves.
 *
 * @param compute returns undefined for a case that it leaves
 */
export function replaceKernel(
  kernelName: string,
  compute: (call: KernelCall) => tf.TensorInfo | undefined,
): void {
  const previous = tf.getKernel(kernelName, 'webgpu');
  tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({
    ...previous,
    kernelName,
    backendName: 'webgpu',
    kernelFunc: (given) => compute(callOf(given)) ?? previous.kernelFunc(given),
  });
}

/** Runs another kernel of the backend. Its result is to be disposed by `backend.disposeData`. */
export function runKernel(
  kernelName: string,
  { backend }: Pick<KernelCall, 'backend'>,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo {
  const made = tf.getKernel(kernelName, 'webgpu').kernelFunc({ inputs, attrs, backend });
  if (Array.isArray(made)) throw new TypeError(`${kernelName}: expected one result`);
  return made;
}

function callOf({ backend, inputs, attrs = {} }: Parameters<tf.KernelFunc>[0]): KernelCall {
  if (!(backend instanceof WebGPUBackend)) throw new TypeError('expected the webgpu backend');
  const given: Record<string, tf.TensorInfo> = {};
  for (const [name, input] of Object.entries(inputs)) if (input !== undefined) given[name] = input;
  return { backend, inputs: given, attrs };
}

export function missing(): never {
  throw new TypeError('a kernel was called without one of its inputs');
}
