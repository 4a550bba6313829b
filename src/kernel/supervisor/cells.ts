import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type {
  ErrorContent,
  Frame,
  InputAnswer,
  StreamName,
  WorkerEvent,
  WorkerRequest,
} from '../protocol/channel.ts';
import { renewSnapshot } from '../snapshot/index.ts';
import { spawnWorker, type WorkerEnd, WorkerProcess } from './worker-process.ts';

/** A worker that dies this often before it is ready will not live. */
const MOST_FAILED_STARTS = 3;

/** Milliseconds from the first worker's start until the snapshot is made that the next kernel should have. */
const SNAPSHOT_DELAY = 3000;

/** Signals by which a process does not end itself. */
const ENDED_FROM_OUTSIDE: ReadonlySet<NodeJS.Signals | null> = new Set([
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
]);

/** What the worker answered to a request. */
export interface Answer {
  error?: ErrorContent;
  answer?: Record<string, unknown>;
  payload?: Record<string, unknown>[];
  marked?: StreamName[];
}

/** Events that concern the front end. */
export type OutputEvent = Exclude<WorkerEvent, { type: 'ready' | 'exit' | 'done' }>;

/** A request without its answer; it waits here while a worker starts. */
interface Pending {
  id: number;
  isSent: boolean;
  resolve: (answer: Answer) => void;
}

const INTERRUPTED: ErrorContent = {
  ename: 'Interrupted',
  evalue: 'the cell was interrupted before it began',
  traceback: ['Interrupted: the cell was interrupted before it began'],
};

/** What the owner of the cells hears of them. */
export interface CellsListener {
  onText(stream: StreamName, text: string): void;
  onEvent(event: OutputEvent): void;
  /** no worker can be started */
  onFatal(reason: string): void;
}

/** A request without what this class adds to it. */
type Asked<T> = T extends WorkerRequest ? Omit<T, 'id' | 'mark'> : never;

/** The worker and its requests. A worker that ends is replaced, and the cell that ended it says so. */
export class Cells {
  readonly #listener: CellsListener;
  #worker: WorkerProcess;
  #ready = Promise.withResolvers<void>();
  #isReady = false;
  #failedStarts = 0;
  #exitCode: number | undefined;
  #lastId = 0;
  #pending: Pending | undefined;
  #isInputPending = false;
  #isClosed = false;

  /** @param started the first worker, which may have been started before anything else was loaded */
  constructor(listener: CellsListener, started: ChildProcess = spawnWorker()) {
    this.#listener = listener;
    this.#worker = this.#listenTo(started);
    setTimeout(renewSnapshot, SNAPSHOT_DELAY).unref();
  }

  /** Resolves when a worker waits for requests. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  #listenTo(started: ChildProcess): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(
      {
        onFrame: (frame) => this.#onFrame(frame, worker),
        onEnd: (end) => this.#onEnd(end),
      },
      started,
    );
    return worker;
  }

  /** Asks the worker; requests go one at a time. Never rejects. */
  async request(asked: Asked<WorkerRequest>): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const pending: Pending = { id, isSent: false, resolve };
    this.#pending = pending;
    await Promise.race([this.ready, promise]);
    if (this.#pending !== pending) return await promise; // it was interrupted before a worker was ready
    const worker = this.#worker;
    pending.isSent = true;
    worker.request(asked.op === 'run' ? { ...asked, id, mark: worker.mark } : { ...asked, id });
    const answer = await promise;
    if (worker === this.#worker) await worker.descriptorsDrained(answer.marked ?? []);
    return answer;
  }

  /** Interrupts what runs, if something does. */
  interrupt(): void {
    if (!this.#pending) return;
    if (!this.#pending.isSent) this.#settle({ error: INTERRUPTED });
    else {
      if (this.#isInputPending) this.answerInput({ interrupted: true });
      this.#worker.interrupt(this.#pending.id);
    }
  }

  answerInput(answer: InputAnswer): void {
    if (!this.#isInputPending) return;
    this.#isInputPending = false;
    this.#worker.answerInput(answer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker.kill();
  }

  #onFrame(frame: Frame, from: WorkerProcess): void {
    if ('stream' in frame) {
      // what Node says of a damaged snapshot is no output of a cell
      if (this.#isReady || from.snapshot === undefined) this.#listener.onText(frame.stream, frame.text);
      return;
    }
    const { event } = frame;
    if (event.type === 'ready') {
      if (from !== this.#worker) return;
      this.#isReady = true;
      this.#failedStarts = 0;
      this.#ready.resolve();
    } else if (event.type === 'exit') this.#exitCode = event.code;
    else if (event.type === 'done') {
      if (event.id === this.#pending?.id) this.#settle(event);
    } else {
      if (event.type === 'input') this.#isInputPending = true;
      this.#listener.onEvent(event);
    }
  }

  #settle(answer: Answer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#isInputPending = false;
    pending?.resolve(answer);
  }

  #onEnd(processEnd: WorkerEnd): void {
    if (this.#isClosed) return;
    const end =
      this.#exitCode === undefined ? processEnd : { ...processEnd, code: this.#exitCode, signal: null };
    this.#exitCode = undefined;
    const { snapshot } = this.#worker;
    if (!this.#isReady && snapshot !== undefined) {
      // damaged, unless somebody ended the worker: the next kernel has a new one made
      if (!ENDED_FROM_OUTSIDE.has(end.signal)) rmSync(snapshot, { force: true });
      this.#worker = this.#listenTo(spawnWorker({}));
      return;
    }
    if (!this.#isReady) {
      this.#failedStarts += 1;
      if (this.#failedStarts >= MOST_FAILED_STARTS) {
        this.#listener.onFatal(reasonOf(end));
        return;
      }
    }
    const error = endError(end);
    if (!this.#pending?.isSent) this.#listener.onText('stderr', `${error.evalue}\n`);
    if (this.#isReady) this.#ready = Promise.withResolvers();
    this.#isReady = false;
    this.#worker = this.#listenTo(spawnWorker());
    if (this.#pending?.isSent) this.#settle({ error });
  }
}

function reasonOf({ code, signal, isOutOfMemory }: WorkerEnd): string {
  if (isOutOfMemory) return 'the memory for JavaScript ran out';
  return signal === null ? `process.exit(${code}) was called` : `the process was ended by ${signal}`;
}

/** What the cell says that took the worker down. */
function endError(end: WorkerEnd): ErrorContent {
  const ename = end.isOutOfMemory ? 'OutOfMemory' : 'WorkerEnded';
  const evalue = `${reasonOf(end)}; all variables are gone, and the kernel goes on with a fresh worker`;
  return { ename, evalue, traceback: [`\u001b[31m${ename}\u001b[0m: ${evalue}`] };
}
