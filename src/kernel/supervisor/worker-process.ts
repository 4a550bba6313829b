import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { PROCESS_ENV } from '../process-env.ts';
import {
  FD,
  type Frame,
  FrameReader,
  type InputAnswer,
  type StreamName,
  type WorkerRequest,
} from '../protocol/channel.ts';
import { readySnapshot } from '../snapshot/index.ts';

const WORKER = join(import.meta.dirname, '..', 'worker', 'main.ts');

/**
 * Node's options for the worker. An interrupt unwinds the stack in a way that a check of Node's takes for a fault.
 * Half the usual nursery for new objects saves memory without measurable cost; and a heap that grows by two fifths,
 * not to three times its size, before it is collected saves 100 MB after 500 cells, each of which leaves 3 MB
 * behind that nobody can reach, for 0.4 ms a cell.
 */
const NODE_OPTIONS = [
  '--no-force-async-hooks-checks',
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=8',
  '--heap-growing-percent=40',
];

/** Milliseconds after which a mark that has not come is given up. */
const LONGEST_DRAIN = 5000;

/**
 * Starts a worker's process. It can be started before anything listens to it: what it says waits in its pipes.
 *
 * @param from the snapshot to start from; by default the one that was made, if it was
 */
export function spawnWorker(
  from: { snapshot?: string | undefined } = { snapshot: readySnapshot() },
): ChildProcess {
  const { snapshot } = from;
  const start = snapshot === undefined ? [] : ['--snapshot-blob', snapshot];
  const child = spawn(process.execPath, [...start, ...NODE_OPTIONS, WORKER], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    // a process group of its own, so that it can be ended with all its children
    detached: process.platform !== 'win32',
    env: { ...process.env, ...PROCESS_ENV, FORCE_COLOR: '0' },
  });
  child.on('error', () => {});
  return child;
}

/** How the worker's process ended. */
export interface WorkerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  isOutOfMemory: boolean;
}

/** What the owner of a worker hears of it. */
export interface WorkerListener {
  onFrame(frame: Frame): void;
  onEnd(end: WorkerEnd): void;
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'on' in stream && 'read' in stream;
}

function isWritable(stream: unknown): stream is Writable {
  return typeof stream === 'object' && stream !== null && 'write' in stream;
}

function pipeOf<T>(process: ChildProcess, fd: number, is: (stream: unknown) => stream is T): T {
  const stream: unknown = process.stdio[fd];
  if (!is(stream)) throw new Error(`the worker has no pipe ${fd}`);
  return stream;
}

/** The process that runs the cells. */
export class WorkerProcess {
  /** ends what the worker's process itself, and not JavaScript, wrote for a cell to its descriptors 1 and 2 */
  readonly mark = `\0${randomUUID()}\0`;
  readonly #process: ChildProcess;
  readonly #requests: Writable;
  readonly #input: Writable;
  readonly #interrupts: Writable;
  #isOutOfMemory = false;
  readonly #marks = {
    stdout: { seen: 0, awaited: 0, isOpen: true },
    stderr: { seen: 0, awaited: 0, isOpen: true },
  };
  #onMarks: (() => void) | undefined;

  constructor(listener: WorkerListener, started: ChildProcess) {
    this.#process = started;
    const frames = pipeOf(this.#process, FD.frames, isReadable);
    this.#requests = pipeOf(this.#process, FD.requests, isWritable);
    this.#input = pipeOf(this.#process, FD.input, isWritable);
    this.#interrupts = pipeOf(this.#process, FD.interrupts, isWritable);
    for (const pipe of [this.#requests, this.#input, this.#interrupts]) pipe.on('error', () => {});
    const reader = new FrameReader();
    frames.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) listener.onFrame(frame);
    });
    frames.on('error', () => {});
    this.#listenToDescriptor(1, 'stdout', listener);
    this.#listenToDescriptor(2, 'stderr', listener);
    let isOver = false;
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      if (isOver) return;
      isOver = true;
      this.#killGroup();
      this.#onMarks?.();
      listener.onEnd({ code, signal, isOutOfMemory: this.#isOutOfMemory });
    };
    // 'close' comes when everything the pipes held has been read; a child of the worker may hold 1 and 2 open
    this.#process.on('close', end);
    const endSoon = () => {
      const { exitCode, signalCode } = this.#process;
      // a turn after the timer: where this process got no time to read, what waits in the pipes comes first
      const finish = () => setImmediate(() => setImmediate(end, exitCode, signalCode));
      setTimeout(() => {
        if (frames.destroyed) finish();
        else frames.once('close', finish);
      }, 500).unref();
    };
    this.#process.on('exit', endSoon);
    if (
      this.#process.pid === undefined ||
      this.#process.exitCode !== null ||
      this.#process.signalCode !== null
    )
      endSoon(); // it ended before anybody listened
  }

  /** Text that reached descriptor 1 or 2 past JavaScript: native libraries and child processes. */
  #listenToDescriptor(fd: 1 | 2, stream: StreamName, listener: WorkerListener): void {
    const marks = this.#marks[stream];
    const decoder = new StringDecoder('utf8');
    let held = '';
    const pipe = pipeOf(this.#process, fd, isReadable);
    pipe.on('error', () => {});
    pipe.on('close', () => {
      marks.isOpen = false;
      if (this.#areMarksSeen()) this.#onMarks?.();
    });
    pipe.on('data', (chunk: Buffer) => {
      let text = held + decoder.write(chunk);
      held = '';
      for (let at = text.indexOf(this.mark); at >= 0; at = text.indexOf(this.mark)) {
        text = text.slice(0, at) + text.slice(at + this.mark.length);
        marks.seen += 1;
        marks.isOpen = true;
      }
      const start = text.lastIndexOf('\0');
      if (start >= 0 && this.mark.startsWith(text.slice(start))) {
        held = text.slice(start);
        text = text.slice(0, start);
      }
      if (
        this.#isOutOfMemory ||
        text.includes('<--- Last few GCs --->') ||
        text.includes('heap out of memory')
      ) {
        // V8's own report on its memory is of no use in a notebook
        this.#isOutOfMemory = true;
        text = '';
      }
      if (text !== '') listener.onFrame({ stream, text });
      if (this.#areMarksSeen()) this.#onMarks?.();
    });
  }

  /** The snapshot it was started from, if it was. */
  get snapshot(): string | undefined {
    const { spawnargs } = this.#process;
    const at = spawnargs.indexOf('--snapshot-blob');
    return at < 0 ? undefined : spawnargs[at + 1];
  }

  #areMarksSeen(): boolean {
    return Object.values(this.#marks).every(({ seen, awaited, isOpen }) => !isOpen || seen >= awaited);
  }

  /**
   * Resolves when the text before the worker's latest mark has arrived from descriptors 1 and 2.
   *
   * @param marked those that the worker wrote its mark to: a cell may have closed the others
   */
  async descriptorsDrained(marked: readonly StreamName[]): Promise<void> {
    for (const stream of marked) this.#marks[stream].awaited += 1;
    if (this.#areMarksSeen()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      // swallowed by what a cell opened in the place of a descriptor that it closed
      for (const marks of Object.values(this.#marks)) marks.isOpen = marks.seen >= marks.awaited;
      resolve();
    }, LONGEST_DRAIN);
    this.#onMarks = resolve;
    await promise;
    clearTimeout(timer);
    this.#onMarks = undefined;
  }

  request(request: WorkerRequest): void {
    this.#requests.write(`${JSON.stringify(request)}\n`);
  }

  answerInput(answer: InputAnswer): void {
    this.#input.write(`${JSON.stringify(answer)}\n`);
  }

  /** Interrupts the request of an id: at once if it runs, when it begins if it has not, and never another. */
  interrupt(id: number): void {
    this.#interrupts.write(`${id}\n`);
  }

  /** Ends the worker and whatever its cells started; resolves when it is gone. */
  async kill(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) resolve();
    this.#process.once('exit', () => resolve());
    this.#killGroup();
    await Promise.race([promise, delay(1000, undefined, { ref: false })]);
  }

  #killGroup(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // all of them are gone
    }
  }
}
