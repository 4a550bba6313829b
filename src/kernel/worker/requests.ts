import { flushCompileCache } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatError } from '../display/error.ts';
import { formatValue } from '../display/format.ts';
import type { CellError, Engine } from '../engine/index.ts';
import {
  type ErrorContent,
  type StreamName,
  type WorkerEvent,
  type WorkerRequest,
  writeFrame,
} from '../protocol/channel.ts';
import { Comms } from './comms.ts';
import type { Progress } from './interrupts.ts';

type Run = Extract<WorkerRequest, { op: 'run' }>;

/** The request being answered; what ends it first, its own end or an interrupt, is what is told. */
interface Current {
  id: number;
  mark?: string;
  /** the first error outside of the cell's own run: a timer, a promise nobody awaits */
  stray?: CellError;
  isAnswered: boolean;
}

/** Milliseconds after a cell with imports at which what they compiled is saved: the worker ends by a signal. */
const SAVE_DELAY = 2000;

type Outcome = Omit<Extract<WorkerEvent, { type: 'done' }>, 'type' | 'id'>;

/** Answers the supervisor's requests, which come one at a time. */
export class Requests {
  readonly #engine: Engine;
  readonly #comms: Comms;
  readonly #progress: Progress;
  /** writes a mark to the descriptors of standard output and error; tells which of them took it */
  readonly #writeMark: (mark: string) => StreamName[];
  /** sources of cells by name, for the excerpts in their errors */
  readonly #sources = new Map<string, string>();
  #current: Current | undefined;
  #saving: NodeJS.Timeout | undefined;

  constructor(engine: Engine, progress: Progress, writeMark: (mark: string) => StreamName[]) {
    this.#engine = engine;
    this.#progress = progress;
    this.#comms = new Comms();
    this.#writeMark = writeMark;
  }

  async warmUp(): Promise<void> {
    await this.#engine.warmUp();
    await formatValue(1);
  }

  /** Uses the time in which nobody asks for anything. */
  readAhead(): Promise<void> {
    return this.#engine.readAhead(() => this.#current === undefined || this.#current.isAnswered);
  }

  /** Answers a request with its `done` event, always. */
  async handle(request: WorkerRequest): Promise<void> {
    const current: Current = { id: request.id, isAnswered: false };
    if (request.op === 'run') current.mark = request.mark;
    this.#current = current;
    // from a turn of its own: an interrupt unwinds everything on the stack
    await nextTurn();
    this.#progress.start(request.id);
    try {
      if (request.op === 'run') await this.#run(request, current);
      else this.#finish(current, { answer: await this.#answer(request) });
    } catch (error) {
      this.#finish(current, { error: this.#errorContent(this.#engine.describeError(error)) });
    }
  }

  async #run(request: Run, current: Current): Promise<void> {
    const asked = /^\s*([\p{ID_Start}$_][\p{ID_Continue}$.]*)\?\s*$/u.exec(request.code)?.[1];
    if (asked !== undefined) {
      this.#finish(current, { payload: [await this.#help(asked)] });
      return;
    }
    this.#sources.set(request.name, request.code);
    const result = await this.#engine.run(request.code, { name: request.name });
    if (request.code.includes('import')) {
      clearTimeout(this.#saving);
      this.#saving = setTimeout(flushCompileCache, SAVE_DELAY).unref();
    }
    // a turn for rejections: Node tells of them after the promises of this one
    await nextTurn();
    if (current.isAnswered) return;
    if (!result.ok || current.stray) {
      const error = result.ok ? current.stray : result.error;
      if (error) this.#finish(current, { error: this.#errorContent(error) });
      return;
    }
    if (result.value !== undefined && !request.silent) {
      const shown = await formatValue(result.value);
      if (current.isAnswered) return;
      const isEmpty = Object.keys(shown.data).length === 0;
      if (!isEmpty) writeFrame({ event: { type: 'result', id: request.id, ...shown } });
    }
    const answer: Record<string, unknown> = {};
    for (const [key, expression] of Object.entries(request.expressions)) {
      answer[key] = await this.#evaluate(expression);
    }
    this.#finish(current, { answer });
  }

  /** `name?` asks what is known of a name, as in IPython; it is shown in the front end's pager. */
  async #help(name: string): Promise<Record<string, unknown>> {
    const found = await this.#engine.inspect(name, name.length);
    const text = found
      ? [found.signature, found.documentation].join('\n\n').trim()
      : `nothing is known of ${name}`;
    return { source: 'page', data: { 'text/plain': text }, start: 0 };
  }

  async #evaluate(expression: string): Promise<Record<string, unknown>> {
    const result = await this.#engine.run(expression, { name: 'user expression' });
    if (result.ok) return { status: 'ok', ...(await formatValue(result.value)) };
    return { status: 'error', ...this.#errorContent(result.error) };
  }

  async #answer(request: Exclude<WorkerRequest, Run>): Promise<Record<string, unknown>> {
    switch (request.op) {
      case 'complete':
        return { ...(await this.#engine.complete(request.code, request.offset)) };
      case 'inspect':
        return { ...(await this.#engine.inspect(request.code, request.offset)) };
      case 'isComplete':
        return { ...(await this.#engine.isComplete(request.code)) };
      case 'comm':
        await this.#comms.receive(request);
        return {};
      case 'commInfo':
        return { comms: this.#comms.list(request.target) };
    }
  }

  #finish(current: Current, outcome: Outcome): void {
    if (current.isAnswered) return;
    current.isAnswered = true;
    this.#progress.end(current.id);
    const marked = current.mark === undefined ? [] : this.#writeMark(current.mark);
    writeFrame({ event: { type: 'done', id: current.id, ...outcome, marked } });
  }

  /**
   * Ends the wait for a request; its own calls have been taken off the stack already.
   *
   * @returns false if it had been answered before
   */
  interrupt(id: number): boolean {
    const current = this.#current;
    if (current?.id !== id || current.isAnswered) return false;
    this.#engine.interrupt();
    setTimeout(() => {
      // the engine's answer comes first, where it can still give one
      if (!current.isAnswered) {
        this.#finish(current, {
          error: this.#errorContent({
            name: 'Interrupted',
            message: 'the cell was interrupted',
            stack: 'Interrupted: the cell was interrupted',
          }),
        });
      }
    }, 20);
    return true;
  }

  /** An error that no cell awaits: of the running cell if one runs, else told on stderr. */
  onStrayError(thrown: unknown): void {
    const error = this.#engine.describeError(thrown);
    const current = this.#current;
    if (current && !current.isAnswered && current.mark !== undefined) {
      if (current.stray) process.stderr.write(`${error.stack}\n`);
      current.stray ??= { ...error, stack: `${error.stack}\n(in code that the cell did not await)` };
    } else {
      process.stderr.write(`Uncaught, in code that no cell awaits: ${error.stack}\n`);
    }
  }

  #errorContent(error: CellError): ErrorContent {
    return formatError(error, this.#sources);
  }
}
