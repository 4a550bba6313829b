import type { ChildProcess } from 'node:child_process';
import { z } from 'zod';
import type { Message } from '../protocol/wire.ts';
import { Cells, type OutputEvent } from './cells.ts';
import type { History } from './history.ts';
import type { Sockets } from './sockets.ts';
import type { StopOnError } from './stop-on-error.ts';

const executeSchema = z.looseObject({
  code: z.string(),
  silent: z.boolean().default(false),
  store_history: z.boolean().optional(),
  user_expressions: z.record(z.string(), z.string()).nullish(),
  allow_stdin: z.boolean().default(false),
  stop_on_error: z.boolean().default(true),
});

/** What cells are run with. */
export interface ExecutorParts {
  sockets: Sockets;
  history: History;
  stopOnError: StopOnError;
  /** a worker that has been started already */
  worker: ChildProcess;
  /** no worker can be started */
  onFatal: (reason: string) => void;
}

/** Runs cells, counts them, and sends what they show to all who listen. */
export class Executor {
  readonly cells: Cells;
  readonly #parts: ExecutorParts;
  #count = 0;
  /** the request that runs, for the questions of its cell */
  #executing: { message: Message; allowsInput: boolean; isSilent: boolean } | undefined;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    const listener = {
      onText: (stream: 'stdout' | 'stderr', text: string) => {
        if (!this.#executing?.isSilent) this.#parts.sockets.iopub.stream(stream, text);
      },
      onEvent: (event: OutputEvent) => this.#onEvent(event),
      onFatal: parts.onFatal,
    };
    this.cells = new Cells(listener, parts.worker);
  }

  /**
   * Runs the cell of an execute_request; returns the content of the reply.
   *
   * @param readTime the milliseconds at which the request was read
   */
  async execute(message: Message, readTime: number): Promise<Record<string, unknown>> {
    const { sockets, history, stopOnError } = this.#parts;
    const request = executeSchema.parse(message.content);
    const { code, silent } = request;
    const isStored = !silent && (request.store_history ?? true);
    if (isStored) {
      this.#count += 1;
      history.add(this.#count, code);
    }
    const count = this.#count;
    if (!silent) sockets.iopub.send('execute_input', { code, execution_count: count });
    this.#executing = { message, allowsInput: request.allow_stdin, isSilent: silent };
    const {
      error,
      answer = {},
      payload = [],
    } = await this.cells.request({
      op: 'run',
      code,
      name: isStored ? `In[${count}]` : `In[${count}, not counted]`,
      silent,
      expressions: request.user_expressions ?? {},
    });
    this.#executing = undefined;
    if (!error) {
      return { status: 'ok', execution_count: count, payload, user_expressions: answer };
    }
    // a front end asks silently on its own behalf: the person's cells go on
    if (request.stop_on_error && !silent) stopOnError.note(message, readTime);
    if (!silent) sockets.iopub.send('error', { ...error });
    return { status: 'error', execution_count: count, ...error, payload: [], user_expressions: {} };
  }

  /** The content of the reply to a cell that does not run. */
  aborted(): Record<string, unknown> {
    return { status: 'aborted', execution_count: this.#count, payload: [], user_expressions: {} };
  }

  #onEvent(event: OutputEvent): void {
    if (this.#executing?.isSilent && event.type !== 'input') return;
    const { iopub } = this.#parts.sockets;
    switch (event.type) {
      case 'result': {
        const { data, metadata } = event;
        iopub.send('execute_result', { execution_count: this.#count, data, metadata });
        const text = data['text/plain'];
        if (typeof text === 'string') this.#parts.history.setOutput(this.#count, text);
        break;
      }
      case 'display': {
        const { data, metadata, displayId, update } = event;
        const transient = displayId === undefined ? {} : { display_id: displayId };
        iopub.send(update ? 'update_display_data' : 'display_data', { data, metadata, transient });
        break;
      }
      case 'clear':
        iopub.send('clear_output', { wait: event.wait });
        break;
      case 'comm':
        iopub.send(event.message, event.content, {
          buffers: event.buffers.map((one) => Buffer.from(one, 'base64')),
        });
        break;
      case 'input':
        this.#requestInput(event.prompt, event.password);
    }
  }

  #requestInput(prompt: string, password: boolean): void {
    const executing = this.#executing;
    if (!executing?.allowsInput) {
      this.cells.answerInput({ refused: true });
      return;
    }
    const { sockets } = this.#parts;
    sockets.iopub.flush(); // what was printed before the question shows before it
    sockets.reply('stdin', 'input_request', { prompt, password }, executing.message);
  }
}
