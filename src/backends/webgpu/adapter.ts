/** Opening Dawn and asking it for a GPU. As a program, it prints the GPU's name. */

import { messageOf } from '../../errors.ts';

/** Opens Dawn and installs the names of WebGPU that TensorFlow.js expects of a browser. */
export async function openGpu(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return create([]);
}

/** @throws Error if there is no GPU, nor a driver that stands in for one. */
export async function adapterName(gpu: GPU): Promise<string> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('no GPU driver that Dawn accepts');
  const { vendor, architecture, description, device } = adapter.info;
  return description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed GPU';
}

// No `await` of the module's own: the stock tslab kernel loads the library with require(), which refuses it.
if (import.meta.main) {
  openGpu()
    .then(adapterName)
    .then(
      (device) => ({ device }),
      (error: unknown) => ({ problem: messageOf(error) }),
    )
    .then((result) => console.log(JSON.stringify(result)));
}
