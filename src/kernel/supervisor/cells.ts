import type { ErrorContent, Frame, InputAnswer, WorkerEvent, WorkerRequest } from '../protocol/channel.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

/** A worker that dies this often before it is ready will not live. */
const MOST_FAILED_STARTS = 3;

/** What the worker answered to a request. */
export interface Answer {
  error?: ErrorContent;
  answer?: Record<string, unknown>;
  payload?: Record<string, unknown>[];
}

/** Events that concern the front end. */
export type OutputEvent = Exclude<WorkerEvent, { type: 'ready' | 'exit' | 'done' }>;

/** What the owner of the cells hears of them. */
export interface CellsListener {
  onText(stream: 'stdout' | 'stderr', text: string): void;
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
  #pending: { id: number; resolve: (answer: Answer) => void } | undefined;
  #isInputPending = false;
  #isClosed = false;

  constructor(listener: CellsListener) {
    this.#listener = listener;
    this.#worker = this.#start();
  }

  /** Resolves when a worker waits for requests. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  #start(): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess({
      onFrame: (frame) => this.#onFrame(frame, worker),
      onEnd: (end) => this.#onEnd(end),
    });
    return worker;
  }

  /** Asks the worker; requests go one at a time. Never rejects. */
  async request(asked: Asked<WorkerRequest>): Promise<Answer> {
    await this.ready;
    this.#lastId += 1;
    const id = this.#lastId;
    const worker = this.#worker;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#pending = { id, resolve };
    worker.request(asked.op === 'run' ? { ...asked, id, mark: worker.mark } : { ...asked, id });
    const answer = await promise;
    if (asked.op === 'run' && worker === this.#worker) await worker.descriptorsDrained();
    return answer;
  }

  /** Interrupts what runs, if something does. */
  interrupt(): void {
    if (!this.#pending) return;
    if (this.#isInputPending) this.answerInput({ interrupted: true });
    this.#worker.interrupt();
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
      this.#listener.onText(frame.stream, frame.text);
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
    if (!this.#isReady) {
      this.#failedStarts += 1;
      if (this.#failedStarts >= MOST_FAILED_STARTS) {
        this.#listener.onFatal(reasonOf(end));
        return;
      }
    }
    const error = endError(end);
    if (!this.#pending) this.#listener.onText('stderr', `${error.evalue}\n`);
    this.#isReady = false;
    this.#ready = Promise.withResolvers();
    this.#worker = this.#start();
    this.#settle({ error });
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
