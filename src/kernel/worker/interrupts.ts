import { Worker } from 'node:worker_threads';
import { FD } from '../protocol/channel.ts';

/** Which request runs and which one has ended last, by their ids: what the two threads of the worker share. */
export class Progress {
  static readonly STARTED = 0;
  static readonly ENDED = 1;
  readonly shared = new Int32Array(new SharedArrayBuffer(8));

  start(id: number): void {
    Atomics.store(this.shared, Progress.STARTED, id);
  }

  end(id: number): void {
    Atomics.store(this.shared, Progress.ENDED, id);
  }
}

/**
 * Source of the thread that waits for interrupts. A cell in an endless loop keeps the main thread's event loop
 * from running; V8's inspector, from another thread, ends what runs there. An interrupt is for one request: it waits
 * for one that has not begun, and never hits the next one. The thread also ends the process when its supervisor is
 * gone, which the main thread might never notice.
 */
const THREAD = `
const { Session } = require('node:inspector');
const { createReadStream } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const session = new Session();
session.connectToMainThread();
const started = () => Atomics.load(workerData, ${Progress.STARTED});
const ended = () => Atomics.load(workerData, ${Progress.ENDED});
const interrupt = (id) => {
  if (ended() >= id) return;
  if (started() < id) setTimeout(interrupt, 5, id);
  else session.post('Runtime.terminateExecution', () => parentPort.postMessage(id));
};
const pipe = createReadStream('', { fd: ${FD.interrupts}, encoding: 'utf8' });
let rest = '';
pipe.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) interrupt(Number(line));
});
const end = () => {
  try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
};
pipe.on('end', end);
pipe.on('error', end);
`;

/** Calls back, on the main thread, after the request of an id has been ended where it was. */
export function onInterrupt(progress: Progress, callback: (id: number) => void): void {
  const thread = new Worker(THREAD, {
    eval: true,
    workerData: progress.shared,
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
  });
  thread.on('message', (id) => callback(Number(id)));
  thread.unref();
}
