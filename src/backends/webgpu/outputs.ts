/**
 * Programs with several results. TensorFlow.js declares one buffer of a program as written, `result`, and all others as
 * read. Inputs whose names begin with `made` are declared as written too, by changing the shader's text on its way to
 * the GPU: so that its caches of pipelines and buffers serve programs with several results as well.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Changes the device of the backend. */
export function allowSeveralOutputs({ device }: WebGPUBackend): void {
  const create = device.createShaderModule.bind(device);
  Object.defineProperty(device, 'createShaderModule', {
    configurable: true,
    value: (descriptor: GPUShaderModuleDescriptor) =>
      create({ ...descriptor, code: withWrittenInputs(descriptor.code) }),
  });
}

/** The text with every storage buffer named made… writable. */
export function withWrittenInputs(code: string): string {
  return code.replaceAll(/var<storage, read> (?=made[A-Z])/g, 'var<storage, read_write> ');
}
