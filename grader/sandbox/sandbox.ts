/** A process that holds one learner's code, seen from the grader: start it, load cells, ask, kill it. Used once and thrown away. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { CodecError, decodeValue, encodeValue } from '../codec.ts';
import type { Candidate, Outcome } from '../evaluate.ts';
import { EnvironmentFault } from '../fault.ts';
import type { Value } from '../values.ts';
import { Clock } from './clock.ts';
import { type Confinement, confine } from './confine.ts';
import {
  type Frame,
  frameLength,
  MAX_FRAME,
  packFrame,
  type Request,
  type Response,
  response,
  unpackFrame,
} from './frames.ts';
import { watchMemory } from './processes.ts';

export interface SandboxOptions {
  readonly confinement: Confinement;
  /** Most memory, in MiB, of everything in the sandbox together. */
  readonly memoryMb: number;
  /** Compiled code to start from. */
  readonly cache?: string;
}

/** A cell to run, with the name that errors call it by. */
export interface SourceCell {
  readonly name: string;
  readonly source: string;
}

export type LoadResult =
  | { readonly kind: 'loaded' }
  /** A cell failed or the entry is missing. */
  | { readonly kind: 'refused'; readonly cell: string; readonly message: string }
  | (Outcome & { readonly kind: 'stopped' });

type Stopped = Outcome & { readonly kind: 'stopped' };

const START_LIMIT_MS = 60_000;
const NOT_STARTED: Stopped = { kind: 'stopped', cause: 'timeout', message: 'The sandbox did not start.' };

const timeoutOf = ({ limitMs }: Clock): Stopped => ({
  kind: 'stopped',
  cause: 'timeout',
  message: `Your code did not finish within ${Math.round(limitMs / 100) / 10} seconds.`,
});

const STDERR_KEPT = 4096;

export class Sandbox {
  readonly #process: ChildProcess;
  readonly #channel: Duplex;
  readonly #exited: Promise<void>;
  readonly #memoryMb: number;
  readonly #started: Promise<void>;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #waiting: ((frame: Frame<Response> | Stopped) => void) | undefined;
  #gone: Stopped | undefined;
  #stderr = '';
  #lastId = 0;
  #clock: Clock | undefined;

  constructor({ confinement, memoryMb, cache }: SandboxOptions) {
    this.#memoryMb = memoryMb;
    const { command, args, env, cwd } = confine(confinement, {
      memoryMb,
      ...(cache === undefined ? {} : { cache }),
    });
    this.#process = spawn(command, [...args], {
      env: { ...env },
      cwd,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // Its own process group, so that everything it started can be killed with it.
      detached: true,
    });
    const channel = this.#process.stdio[3];
    if (channel === null || channel === undefined || !('write' in channel) || !('read' in channel)) {
      throw new EnvironmentFault('the pipe to the sandbox could not be opened');
    }
    this.#channel = channel as Duplex;
    this.#channel.on('data', (chunk: Buffer) => this.#take(chunk));
    // A sandbox that died takes its pipe with it; the exit tells why.
    this.#channel.on('error', () => {});
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-STDERR_KEPT);
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#stderr = error.message;
        this.#end(this.#describeExit());
        resolve();
      });
      this.#process.once('exit', () => {
        this.#end(this.#describeExit());
        resolve();
      });
    });
    this.#started = this.#awaitStart();
    // Whoever uses the sandbox awaits this; one thrown away unused must not raise it.
    this.#started.catch(() => {});
    if (this.#process.pid !== undefined) {
      watchMemory(this.#process.pid, memoryMb, this.#exited, () =>
        this.#kill({ kind: 'stopped', cause: 'memory', message: this.#memoryText() }),
      );
    }
  }

  /** Resolves once the harness is ready. @throws EnvironmentFault if it does not start: that is never the learner's fault. */
  started(): Promise<void> {
    return this.#started;
  }

  async #awaitStart(): Promise<void> {
    const timer = setTimeout(() => this.#kill(NOT_STARTED), START_LIMIT_MS);
    const first = await this.#next();
    clearTimeout(timer);
    if ('header' in first && first.header.kind === 'started') return;
    throw new EnvironmentFault(
      `the sandbox does not start: ${this.#stderr.trim().split('\n').at(-1) || 'no reason given'}`,
    );
  }

  /** From now on, everything asked of the sandbox together may take this long. What the grader does between two questions does not count. */
  allow(limitMs: number): void {
    this.#clock = new Clock(this.#process.pid, limitMs);
  }

  /** Whether it can still answer. */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** Runs the cells afresh and takes the entry. */
  async load(
    cells: readonly SourceCell[],
    entry: string,
    parameters: readonly string[],
  ): Promise<LoadResult> {
    const answer = await this.#ask({
      op: 'load',
      id: ++this.#lastId,
      cells: [...cells],
      entry,
      parameters: [...parameters],
    });
    if (!('header' in answer)) return answer;
    const { header } = answer;
    if (header.kind === 'loaded') return { kind: 'loaded' };
    if (header.kind === 'refused') return { kind: 'refused', cell: header.cell, message: header.message };
    return this.#violated();
  }

  /** The loaded entry as something that can be judged. */
  candidate(): Candidate {
    const ask = async (message: Request, args: readonly Value[]): Promise<Outcome> => {
      const answer = await this.#ask(message, encodeValue({ kind: 'list', items: args }));
      if (!('header' in answer)) return answer;
      const { header, body } = answer;
      if (header.kind === 'threw') return { kind: 'threw', message: header.message };
      if (header.kind !== 'returned') return this.#violated();
      try {
        return { kind: 'returned', value: decodeValue(body), leaked: header.leaked, changed: header.changed };
      } catch (error) {
        if (error instanceof CodecError || error instanceof RangeError) return this.#violated();
        throw error;
      }
    };
    return {
      call: (args) => ask({ op: 'call', id: ++this.#lastId }, args),
      gradients: (args, _parameters, seed) => ask({ op: 'gradients', id: ++this.#lastId, seed }, args),
    };
  }

  /** Kills everything in the sandbox and waits until it is gone. */
  async stop(): Promise<void> {
    this.#kill({ kind: 'stopped', cause: 'exit', message: 'The sandbox was closed.' });
    await this.#exited;
  }

  async #ask(message: Request, body?: Buffer): Promise<Frame<Response> | Stopped> {
    if (this.#gone !== undefined) return this.#gone;
    const clock = this.#clock;
    clock?.run(() => this.#kill(timeoutOf(clock)));
    this.#channel.write(packFrame(message, body));
    const answer = await this.#next();
    clock?.pause();
    if ('header' in answer && answer.header.id !== message.id) return this.#violated();
    return answer;
  }

  #next(): Promise<Frame<Response> | Stopped> {
    if (this.#gone !== undefined) return Promise.resolve(this.#gone);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#deliver();
    });
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > MAX_FRAME) {
      this.#kill({
        kind: 'stopped',
        cause: 'memory',
        message: `The result is larger than ${MAX_FRAME / 1024 / 1024} MiB.`,
      });
    } else this.#deliver();
  }

  /** Hands the first whole frame to whoever waits; what comes unasked waits until its id is found wrong. */
  #deliver(): void {
    if (this.#waiting === undefined || this.#receivedBytes < 8) return;
    const head = this.#received[0];
    const bytes = head !== undefined && head.length >= 8 ? head : Buffer.concat(this.#received);
    // Joined once: a head of a few bytes would else be joined to all that follows with every chunk.
    if (bytes !== head) this.#received = [bytes];
    const length = frameLength(bytes);
    if (length === undefined) return;
    if (length > MAX_FRAME) {
      this.#violated();
      return;
    }
    if (this.#receivedBytes < length) return;
    const all = Buffer.concat(this.#received);
    const rest = all.subarray(length);
    this.#received = rest.length > 0 ? [rest] : [];
    this.#receivedBytes = rest.length;
    try {
      this.#settle(unpackFrame(all.subarray(0, length), response));
    } catch {
      this.#violated();
    }
  }

  #settle(answer: Frame<Response> | Stopped): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }

  #violated(): Stopped {
    return this.#kill({
      kind: 'stopped',
      cause: 'exit',
      message: 'Your code wrote into the grader’s own channel, so its process was stopped.',
    });
  }

  #memoryText(): string {
    return `Your code took more than the ${this.#memoryMb} MiB of memory it may use.`;
  }

  #describeExit(): Stopped {
    if (/heap out of memory|Array buffer allocation failed|FatalProcessOutOfMemory/.test(this.#stderr)) {
      return { kind: 'stopped', cause: 'memory', message: this.#memoryText() };
    }
    return {
      kind: 'stopped',
      cause: 'exit',
      message: 'Your code ended the process it runs in before it gave a result.',
    };
  }

  /** The first reason counts. */
  #end(reason: Stopped): void {
    const gone = this.#gone ?? reason;
    this.#gone = gone;
    this.#settle(gone);
  }

  #kill(reason: Stopped): Stopped {
    this.#end(reason);
    const { pid } = this.#process;
    if (pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      try {
        // The whole group. Inside bubblewrap, the end of its first process ends all others.
        process.kill(-pid, 'SIGKILL');
      } catch {
        this.#process.kill('SIGKILL');
      }
    }
    this.#channel.destroy();
    return this.#gone ?? reason;
  }
}
