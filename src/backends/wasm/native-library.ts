/**
 * The lab's own WebAssembly kernels (the sources are in native/), instantiated on the memory of TensorFlow.js' module so
 * that they read and write its tensors in place, and the worker threads that share their work.
 */

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { InputError } from '../../errors.ts';
import type { TfjsWasm } from './tfjs-module.ts';
import type { ThreadData } from './thread.ts';

const STACK_BYTES = 65536;
const MAX_THREADS = 8;

type Kernel = (...values: number[]) => number;

/** Calls a kernel by its name in native/. Addresses and counts are numbers; the pool of threads is put in front. */
export interface NativeLibrary {
  readonly backend: BackendWasm;
  readonly threads: number;
  call(kernel: string, ...values: number[]): number;
}

/**
 * @returns undefined where this engine cannot run the kernels: no shared memory, or no relaxed SIMD.
 * @throws InputError if LLM_LAB_THREADS is not a number of threads.
 */
export async function openNativeLibrary({
  backend,
  memory,
  allocate,
}: TfjsWasm): Promise<NativeLibrary | undefined> {
  const threads = wantedThreads();
  const binary = await readFile(new URL('./kernels.wasm', import.meta.url));
  if (!(memory.buffer instanceof SharedArrayBuffer) || !WebAssembly.validate(binary)) return undefined;
  const module = await WebAssembly.compile(binary);
  const instance = instantiate(module, memory, allocate(STACK_BYTES) + STACK_BYTES);
  const pool = allocate(instance.kernel('pool_bytes')());
  const scratch = allocate(instance.kernel('scratch_bytes')() * threads);
  instance.kernel('open_pool')(pool, threads, scratch);
  const started = await Promise.all(
    Array.from({ length: threads - 1 }, (_, i) => {
      const stackTop = allocate(STACK_BYTES) + STACK_BYTES;
      return startThread({ module, memory, stackTop, pool, thread: i + 1 });
    }),
  );
  const running = 1 + started.filter(Boolean).length;
  if (running < threads) instance.kernel('open_pool')(pool, running, scratch);
  return {
    backend,
    threads: running,
    call: (kernel, ...values) => instance.kernel(kernel)(pool, ...values),
  };
}

/** An instance with its own stack. Threads and TensorFlow.js' module share all other memory. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  stackTop: number,
): { kernel(name: string): Kernel } {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const stackPointer = exports.__stack_pointer;
  if (!(stackPointer instanceof WebAssembly.Global)) throw new Error('kernels.wasm exports no stack pointer');
  stackPointer.value = stackTop | 0;
  const kernels = new Map<string, Kernel>();
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === 'function') kernels.set(name, (...values) => value(...values));
  }
  return {
    kernel: (name) => {
      const found = kernels.get(name);
      if (found === undefined) throw new Error(`kernels.wasm has no kernel ${name}: run npm run build:wasm`);
      return found;
    },
  };
}

function wantedThreads(): number {
  const wanted = process.env.LLM_LAB_THREADS;
  if (!wanted) return Math.min(availableParallelism(), MAX_THREADS);
  const threads = Number(wanted);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new InputError(`LLM_LAB_THREADS: expected a number of threads from 1 to 64, got ${wanted}`);
  }
  return threads;
}

/** Resolves to whether the thread runs: a sandbox may forbid threads, and then there is one less. */
function startThread(data: ThreadData): Promise<boolean> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = new URL(`./thread.${extension}`, import.meta.url);
  return new Promise((resolve) => {
    try {
      const worker = new Worker(file, { workerData: data, execArgv: [] });
      worker.once('message', () => {
        worker.unref(); // It sleeps in the pool for ever and must not keep the process alive.
        resolve(true);
      });
      worker.once('error', () => resolve(false));
      worker.once('exit', () => resolve(false));
    } catch {
      resolve(false);
    }
  });
}
