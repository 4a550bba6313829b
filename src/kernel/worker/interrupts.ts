import { Worker } from 'node:worker_threads';
import { FD } from '../protocol/channel.ts';

/**
 * Source of the thread that waits for interrupts. A cell in an endless loop keeps the main thread's event loop
 * from running; V8's inspector, from another thread, ends what runs there. The thread also ends the process when
 * its supervisor is gone, which the main thread might never notice.
 */
const THREAD = `
const { Session } = require('node:inspector');
const { createReadStream } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const session = new Session();
session.connectToMainThread();
const pipe = createReadStream('', { fd: ${FD.interrupts} });
pipe.on('data', () => {
  session.post('Runtime.terminateExecution', () => parentPort.postMessage('interrupted'));
});
const end = () => {
  try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
};
pipe.on('end', end);
pipe.on('error', end);
parentPort.postMessage('ready');
`;

/** Calls back, on the main thread, after whatever ran there has been ended. */
export function onInterrupt(callback: () => void): void {
  const thread = new Worker(THREAD, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  thread.on('message', (message) => {
    if (message === 'interrupted') callback();
  });
  thread.unref();
}
