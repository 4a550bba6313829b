/** The kernel's process: `node main.ts CONNECTION_FILE`. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// on already where the kernelspec has said so
enableCompileCache(join(import.meta.dirname, '..', '..', '..', '.cache', 'node'));

// first of all the worker: everything else is ready before it is
const { spawnWorker } = await import('./worker-process.ts');
const worker = spawnWorker();
const { messageOf } = await import('../../errors.ts');
const { readConnection } = await import('../protocol/connection.ts');
const { Kernel } = await import('./kernel.ts');

try {
  const kernel = new Kernel(readConnection(process.argv[2] ?? ''), worker);
  process.on('SIGINT', () => kernel.interrupt());
  process.on('SIGTERM', () => kernel.stop());
  // a client that died cannot shut its kernel down
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) kernel.stop();
  }, 1000).unref();
  process.exit(await kernel.serve());
} catch (error) {
  console.error(`llm-lab kernel: ${messageOf(error)}`);
  worker.kill('SIGKILL');
  process.exit(2);
}
