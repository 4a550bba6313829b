/** Starts the WebAssembly module of TensorFlow.js and keeps hold of its memory, which the library itself hides. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { withSharedMemory } from './shared-binary.ts';

const require = createRequire(import.meta.url);
const FOLDER = '@tensorflow/tfjs-backend-wasm/wasm-out';

/** The parts of Emscripten's module that are used here; its own declarations are not installed. */
type TfjsModule = BackendWasm['wasm'] & {
  cwrap(name: string, returns: 'number', takes: 'number'[]): (...args: number[]) => number;
  cwrap(name: string, returns: null, takes: 'number'[]): (...args: number[]) => void;
  _malloc(bytes: number): number;
  _free(address: number): void;
};

export interface TfjsWasm {
  readonly backend: BackendWasm;
  readonly memory: WebAssembly.Memory;
  /** Takes bytes from the module's heap for good; returns their address, a multiple of 16. */
  allocate(bytes: number): number;
}

/** Instantiates the SIMD build. Its memory is shared where the binary allows it. */
export async function startTfjsModule(): Promise<TfjsWasm> {
  const plain = await readFile(require.resolve(`${FOLDER}/tfjs-backend-wasm-simd.wasm`));
  const compiled = await WebAssembly.compile(withSharedMemory(plain) ?? plain);
  const factory: unknown = require(`${FOLDER}/tfjs-backend-wasm.js`);
  if (typeof factory !== 'function') throw new Error('tfjs-backend-wasm.js exports no factory');
  let memory: WebAssembly.Memory | undefined;
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ): object => {
    WebAssembly.instantiate(compiled, imports).then((instance) => {
      const exported = instance.exports.memory;
      if (exported instanceof WebAssembly.Memory) memory = exported;
      receive(instance);
    });
    return {};
  };
  const module: unknown = await withoutProcessListeners(() => factory({ instantiateWasm }));
  if (!isTfjsModule(module) || memory === undefined) {
    throw new Error('the module of tfjs-backend-wasm is not what version 4.22 has');
  }
  addBridge(module);
  reportExhaustion(module);
  const allocate = (bytes: number): number => (((module._malloc(bytes + 15) >>> 0) + 15) >>> 4) * 16;
  return { backend: new BackendWasm(module), memory, allocate };
}

function isTfjsModule(value: unknown): value is TfjsModule {
  return typeof value === 'object' && value !== null && 'cwrap' in value && '_malloc' in value;
}

/** What `init` of tfjs-backend-wasm adds to the module, which is all that its kernels need. */
function addBridge(module: TfjsModule): void {
  module.tfjs = {
    init: module.cwrap('init', null, []),
    initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: module.cwrap('get_threads_count', 'number', []),
    registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: module.cwrap('dispose_data', null, ['number']),
    dispose: module.cwrap('dispose', null, []),
  };
}

/** TensorFlow.js does not look at what malloc returns: a full heap would be written to at address 0. */
function reportExhaustion(module: TfjsModule): void {
  const malloc = module._malloc;
  module._malloc = (bytes) => {
    const address = malloc(bytes);
    if (address === 0 && bytes > 0) {
      throw new Error(`the wasm backend is out of memory: its 4 GB have no room for ${bytes} bytes more`);
    }
    return address;
  };
}

/** Emscripten's start-up code adds handlers for every uncaught error of the process; they are taken off again. */
async function withoutProcessListeners<T>(start: () => Promise<T>): Promise<T> {
  const errors = process.listeners('uncaughtException');
  const rejections = process.listeners('unhandledRejection');
  const result = await start();
  for (const listener of process.listeners('uncaughtException')) {
    if (!errors.includes(listener)) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (!rejections.includes(listener)) process.removeListener('unhandledRejection', listener);
  }
  return result;
}
