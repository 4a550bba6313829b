import { Worker } from 'node:worker_threads';
import { FD } from '../protocol/channel.ts';

/** Which request runs, which one has ended last and which one heard of its interrupt, by their ids: what the two threads of the worker share. */
export class Progress {
  static readonly STARTED = 0;
  static readonly ENDED = 1;
  static readonly HEARD = 2;
  readonly shared = new Int32Array(new SharedArrayBuffer(12));

  start(id: number): void {
    Atomics.store(this.shared, Progress.STARTED, id);
  }

  end(id: number): void {
    Atomics.store(this.shared, Progress.ENDED, id);
  }

  hear(id: number): void {
    Atomics.store(this.shared, Progress.HEARD, id);
  }
}

/**
 * Source of the thread that waits for interrupts. A cell in an endless loop keeps the main thread's event loop
 * from running; V8's inspector, from another thread, ends what runs there. An interrupt is for one request: it waits
 * for one that has not begun, and never hits the next one. Ending what runs can hit a callback between two parts of
 * the request instead of the cell, even the one that brings the news: so it is said again, ever more rarely, until it was
 * heard, and from then on told until the request has ended. The thread also ends the process when its supervisor is
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
const heard = () => Atomics.load(workerData, ${Progress.HEARD});
const interrupt = (id, pause = 100) => {
  if (ended() >= id) return;
  if (started() < id) return setTimeout(interrupt, 5, id);
  const tell = () => parentPort.postMessage(id);
  if (heard() < id) session.post('Runtime.terminateExecution', tell);
  else tell();
  setTimeout(interrupt, pause, id, Math.min(2 * pause, 1000));
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
  thread.on('message', (id) => {
    callback(Number(id));
    progress.hear(Number(id));
  });
  thread.unref();
}
