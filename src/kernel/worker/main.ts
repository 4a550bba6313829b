/** The process that runs the cells of one notebook, for the supervisor on the other end of its pipes. */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { PROCESS_ENV } from '../process-env.ts';

// for the processes of the kernel, and not for those that cells start
for (const name of Object.keys(PROCESS_ENV)) delete process.env[name];
Error.stackTraceLimit = 50;

const { createEngine } = await import('../engine/index.ts');
const { FD, writeAll, writeFrame } = await import('../protocol/channel.ts');
const { captureOutput } = await import('./output.ts');
const { onInterrupt, Progress } = await import('./interrupts.ts');
const { installInterruptSignal } = await import('./interrupt-signal.ts');
const { installPrompt } = await import('./prompt.ts');
const { Requests } = await import('./requests.ts');

captureOutput();
installPrompt();
process.on('SIGINT', () => {}); // interrupts come over a pipe
// the inspector of the thread that waits for interrupts would keep a process that exits waiting
Reflect.set(process, 'reallyExit', (code: number) => {
  writeFrame({ event: { type: 'exit', code } });
  process.kill(process.pid, 'SIGKILL');
});

const progress = new Progress();
const DESCRIPTORS = [
  ['stdout', 1],
  ['stderr', 2],
] as const;
const requests = new Requests(createEngine({ cwd: process.cwd() }), progress, (mark) =>
  DESCRIPTORS.flatMap(([name, fd]) => {
    try {
      writeAll(fd, Buffer.from(mark));
      return [name];
    } catch {
      return []; // a cell closed it
    }
  }),
);
const raiseInterrupt = installInterruptSignal();
/** From the first request on: before it there is nothing to interrupt, and a kernel that waits is smaller. */
const listenForInterrupts = once(() =>
  onInterrupt(progress, (id) => {
    if (requests.interrupt(id)) raiseInterrupt();
  }),
);
// no listener: a cell that removes all listeners would leave a process that ends, and hangs while it does
process.setUncaughtExceptionCaptureCallback((error) => requests.onStrayError(error));
process.on('unhandledRejection', (reason) => requests.onStrayError(reason));

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}

let rest = '';
const pipe = new Socket({ fd: FD.requests, readable: true, writable: false });
pipe.setEncoding('utf8');
pipe.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    listenForInterrupts();
    requests.handle(JSON.parse(line));
  }
});
pipe.on('end', () => process.exit(0));

writeFrame({ event: { type: 'ready' } });
await requests.warmUp(); // while the front end hears of it
await requests.readAhead();
// this process ends by a signal, too late to save what it compiled
flushCompileCache();
