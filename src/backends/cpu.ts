/** Plain JavaScript: exact and slow. Only by explicit choice, to check another backend against. */

import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Backend } from './backend.ts';

export const cpuBackend: Backend = {
  name: 'cpu',
  probe: async () => ({ name: 'cpu', available: true, detail: 'plain JavaScript, slow, for checking' }),
  start: async () => {
    if (tf.getKernel(CACHE_WRITE, 'cpu') === undefined) registerCacheWrite();
    if (!(await tf.setBackend('cpu'))) throw new Error('TensorFlow.js refuses it');
    return 'JavaScript';
  },
};

const CACHE_WRITE = 'LabCacheWrite';

/** Writes new keys and values into the cache of decoding, where it lies (src/core/fused-attention.ts). */
function registerCacheWrite(): void {
  tf.registerKernel({
    kernelName: CACHE_WRITE,
    backendName: 'cpu',
    kernelFunc: ({ backend, inputs: { buffer, update }, attrs }) => {
      if (!(backend instanceof MathBackendCPU)) throw new TypeError('expected the cpu backend');
      if (buffer === undefined || update === undefined || !Array.isArray(attrs?.rows))
        throw new TypeError(`${CACHE_WRITE}: expected a buffer, an update and a list of rows`);
      const [target, source] = [buffer, update].map(({ dataId }) => backend.readSync(dataId));
      if (!(target instanceof Float32Array) || !(source instanceof Float32Array))
        throw new TypeError(`${CACHE_WRITE}: expected float32`);
      const [, groups = 0, room = 0, width = 0] = buffer.shape;
      const held = update.shape[2] ?? 0;
      const [position, count] = [Number(attrs.position), Number(attrs.count)];
      for (const [row, from] of attrs.rows.entries()) {
        for (let group = 0; group < groups; group++) {
          const start = (Number(from) * groups + group) * held * width;
          const end = ((row * groups + group) * room + position) * width;
          target.set(source.subarray(start, start + count * width), end);
        }
      }
      backend.incRef(buffer.dataId);
      return { dataId: buffer.dataId, shape: buffer.shape, dtype: buffer.dtype };
    },
  });
}
