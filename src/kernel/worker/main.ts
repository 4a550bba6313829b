/** The process that runs the cells of one notebook, for the supervisor on the other end of its pipes. */
import { writeSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '..', '..', '..', '.cache', 'node'));
Error.stackTraceLimit = 50;

const { createEngine } = await import('../engine/index.ts');
const { FD, writeFrame } = await import('../protocol/channel.ts');
const { captureOutput } = await import('./output.ts');
const { onInterrupt } = await import('./interrupts.ts');
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

const requests = new Requests(createEngine({ cwd: process.cwd() }), (mark) => {
  for (const fd of [1, 2]) {
    try {
      writeSync(fd, mark);
    } catch {
      // a cell closed it
    }
  }
});
process.on('uncaughtException', (error) => requests.onStrayError(error));
process.on('unhandledRejection', (reason) => requests.onStrayError(reason));

let rest = '';
const pipe = new Socket({ fd: FD.requests, readable: true, writable: false });
pipe.setEncoding('utf8');
pipe.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) requests.handle(JSON.parse(line));
});
pipe.on('end', () => process.exit(0));

await requests.warmUp();
writeFrame({ event: { type: 'ready' } });
const raiseInterrupt = installInterruptSignal();
onInterrupt(() => {
  raiseInterrupt();
  requests.interrupt();
});
await requests.readAhead();
