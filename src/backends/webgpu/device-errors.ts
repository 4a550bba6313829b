/**
 * Errors of the GPU. It computes later than it is asked, so that it cannot throw: where memory runs out, WebGPU only sends an
 * event, and what is read afterwards is wrong. Here the next reading throws instead.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Changes the backend's way to read. Each error is thrown once, so that a smaller computation can be tried after it. */
export function throwDeviceErrors(backend: WebGPUBackend): void {
  let problem: string | undefined;
  backend.device.addEventListener('uncapturederror', (event) => {
    event.preventDefault(); // or Dawn prints it as well
    problem ??= event.error.message;
  });
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    const values = await read(dataId);
    if (problem === undefined) return values;
    const message = problem;
    problem = undefined;
    throw new Error(`the GPU could not compute: ${message}`);
  };
}
