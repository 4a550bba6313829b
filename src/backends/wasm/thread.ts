/** A worker thread of the wasm backend: joins the pool and computes its share until the process ends. */

import { parentPort, workerData } from 'node:worker_threads';
import { instantiate } from './native-library.ts';

export interface ThreadData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  stackTop: number;
  /** Address of the pool. */
  pool: number;
  /** Number of this thread, from 1; 0 is the thread that starts the others. */
  thread: number;
}

const { module, memory, stackTop, pool, thread }: ThreadData = workerData;
const { kernel } = instantiate(module, memory, stackTop);
parentPort?.postMessage('ready');
kernel('work')(pool, thread);
