import { setTimeout as delay } from 'node:timers/promises';
import { Reply, Router, XPublisher } from 'zeromq';
import { z } from 'zod';
import { kernelInfo } from '../info.ts';
import { addressOf, type Connection } from '../protocol/connection.ts';
import { fromCodePoints, toCodePoints } from '../protocol/text.ts';
import { type Message, Wire } from '../protocol/wire.ts';
import { Cells, type OutputEvent } from './cells.ts';
import { History, historyRequestSchema } from './history.ts';
import { IoPub } from './iopub.ts';
import { Outbox } from './outbox.ts';

const executeSchema = z.looseObject({
  code: z.string(),
  silent: z.boolean().default(false),
  store_history: z.boolean().optional(),
  user_expressions: z.record(z.string(), z.string()).nullish(),
  allow_stdin: z.boolean().default(false),
  stop_on_error: z.boolean().default(true),
});

const cursorSchema = z.looseObject({ code: z.string(), cursor_pos: z.number().int().optional() });
const codeSchema = z.looseObject({ code: z.string() });
const commInfoSchema = z.looseObject({ target_name: z.string().optional() });
const shutdownSchema = z.looseObject({ restart: z.boolean().default(false) });

const completionSchema = z.object({
  start: z.number(),
  end: z.number(),
  matches: z.array(z.object({ text: z.string(), kind: z.string() })),
});
const inspectionSchema = z.object({ signature: z.string(), documentation: z.string() });

type Content = Record<string, unknown>;

/** A message and the milliseconds at which it was read. */
interface Received {
  message: Message;
  time: number;
}

/** The kernel as its clients see it: five sockets that always answer, whatever the cells do. */
export class Kernel {
  readonly #connection: Connection;
  readonly #wire: Wire;
  readonly #cells: Cells;
  readonly #history = new History();
  readonly #shell = new Router();
  readonly #control = new Router();
  readonly #stdin = new Router();
  readonly #heartbeat = new Reply();
  readonly #publisher = new XPublisher({ sendHighWaterMark: 0 }); // no output is ever dropped
  readonly #iopub: IoPub;
  readonly #outboxes: Record<'shell' | 'control' | 'stdin', Outbox>;
  readonly #queue: Received[] = [];
  /** the last failure that stops what its client had asked for before it */
  #failure: { session: string; time: number; clockOffset: number } | undefined;
  #isWorking = false;
  /** when the request in work was read */
  #readTime = 0;
  #executionCount = 0;
  /** the execute request that runs, for the input requests of its cell */
  #executing: { message: Message; allowsInput: boolean; isSilent: boolean } | undefined;
  #onExit: (code: number) => void = () => {};

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#wire = new Wire(connection.key);
    this.#publisher.verbosity = 'allSubs';
    this.#iopub = new IoPub(this.#wire, this.#publisher);
    this.#outboxes = {
      shell: new Outbox(this.#shell),
      control: new Outbox(this.#control),
      stdin: new Outbox(this.#stdin),
    };
    this.#cells = new Cells({
      onText: (stream, text) => {
        if (!this.#executing?.isSilent) this.#iopub.stream(stream, text);
      },
      onEvent: (event) => this.#onEvent(event),
      onFatal: (reason) => {
        console.error(`llm-lab kernel: cells cannot run: ${reason}`);
        this.#exit(1);
      },
    });
  }

  /** Answers until it is shut down; resolves to the exit code. */
  async serve(): Promise<number> {
    const exit = new Promise<number>((resolve) => {
      this.#onExit = resolve;
    });
    await Promise.all([
      this.#shell.bind(addressOf(this.#connection, 'shell')),
      this.#control.bind(addressOf(this.#connection, 'control')),
      this.#stdin.bind(addressOf(this.#connection, 'stdin')),
      this.#heartbeat.bind(addressOf(this.#connection, 'hb')),
      this.#publisher.bind(addressOf(this.#connection, 'iopub')),
    ]);
    void this.#iopub.greet();
    this.#iopub.status('starting', {});
    void this.#echoHeartbeats();
    void this.#readShell();
    void this.#readControl();
    void this.#readStdin();
    return await exit;
  }

  interrupt(): void {
    this.#cells.interrupt();
  }

  /** Ends the kernel from outside, as when its parent is gone. */
  stop(): void {
    this.#exit(0);
  }

  #exit(code: number): void {
    void this.#cells.close().then(() => this.#onExit(code));
  }

  async #echoHeartbeats(): Promise<void> {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames);
  }

  async #readShell(): Promise<void> {
    for await (const frames of this.#shell) {
      const message = this.#wire.decode(frames);
      if (!message) continue;
      this.#queue.push({ message, time: Date.now() });
      void this.#work();
    }
  }

  async #readControl(): Promise<void> {
    for await (const frames of this.#control) {
      const message = this.#wire.decode(frames);
      if (message) await this.#answer('control', message);
    }
  }

  async #readStdin(): Promise<void> {
    for await (const frames of this.#stdin) {
      const message = this.#wire.decode(frames);
      if (message?.header.msg_type !== 'input_reply') continue;
      this.#cells.answerInput({ value: String(message.content.value ?? '') });
    }
  }

  /** Shell requests are answered one after the other, in order. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { message } = next;
      this.#iopub.setParent(message.header);
      if (this.#isStopped(message)) this.#abort(message);
      else {
        this.#readTime = next.time;
        await this.#answer('shell', message);
      }
    }
    this.#isWorking = false;
  }

  async #answer(channel: 'shell' | 'control', message: Message): Promise<void> {
    const type = message.header.msg_type;
    this.#iopub.status('busy', message.header);
    let content: Content | undefined;
    try {
      content = await this.#contentFor(channel, message);
    } catch (error) {
      const evalue = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      content = { status: 'error', ename: 'ProtocolError', evalue, traceback: [] };
    }
    if (content) {
      const reply = this.#wire.message(type.replace(/_request$/, '_reply'), content, {
        parent: message.header,
        identities: message.identities,
      });
      this.#outboxes[channel].send(this.#wire.encode(reply));
    }
    this.#iopub.status('idle', message.header);
    if (type === 'shutdown_request') await this.#shutDown(message, content ?? {});
  }

  /** The content of the reply to a request; undefined for messages without a reply. */
  async #contentFor(channel: 'shell' | 'control', message: Message): Promise<Content | undefined> {
    const { content } = message;
    switch (message.header.msg_type) {
      case 'kernel_info_request':
        await Promise.race([this.#cells.ready, delay(10_000, undefined, { ref: false })]);
        return kernelInfo();
      case 'execute_request':
        return await this.#execute(message);
      case 'complete_request':
        return await this.#complete(cursorSchema.parse(content));
      case 'inspect_request':
        return await this.#inspect(cursorSchema.parse(content));
      case 'is_complete_request': {
        const { answer } = await this.#cells.request({
          op: 'isComplete',
          code: codeSchema.parse(content).code,
        });
        return answer ?? { status: 'unknown' };
      }
      case 'history_request':
        return { status: 'ok', history: this.#history.find(historyRequestSchema.parse(content)) };
      case 'comm_info_request': {
        const { target_name: target } = commInfoSchema.parse(content);
        const { answer } = await this.#cells.request({
          op: 'commInfo',
          ...(target === undefined ? {} : { target }),
        });
        return { status: 'ok', comms: {}, ...answer };
      }
      case 'comm_open':
      case 'comm_msg':
      case 'comm_close': {
        const { error } = await this.#cells.request({
          op: 'comm',
          type: message.header.msg_type,
          content,
          metadata: message.metadata,
          buffers: message.buffers.map((one) => one.toString('base64')),
        });
        if (error) this.#iopub.stream('stderr', `${error.traceback.join('\n')}\n`);
        return undefined;
      }
      case 'interrupt_request':
        this.interrupt();
        return { status: 'ok' };
      case 'shutdown_request':
        return { status: 'ok', restart: shutdownSchema.parse(content).restart };
      default: {
        const evalue = `this kernel does not know ${message.header.msg_type} on its ${channel} channel`;
        return { status: 'error', ename: 'UnknownRequest', evalue, traceback: [] };
      }
    }
  }

  async #execute(message: Message): Promise<Content> {
    const request = executeSchema.parse(message.content);
    const { code, silent } = request;
    const isStored = !silent && (request.store_history ?? true);
    if (isStored) {
      this.#executionCount += 1;
      this.#history.add(this.#executionCount, code);
    }
    const count = this.#executionCount;
    if (!silent) this.#iopub.send('execute_input', { code, execution_count: count });
    this.#executing = { message, allowsInput: request.allow_stdin, isSilent: silent };
    const {
      error,
      answer = {},
      payload = [],
    } = await this.#cells.request({
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
    if (request.stop_on_error) this.#noteFailure(message);
    if (!silent) this.#iopub.send('error', { ...error });
    return { status: 'error', execution_count: count, ...error, payload: [], user_expressions: {} };
  }

  #noteFailure({ header: { session, date } }: Message): void {
    const clockOffset = this.#readTime - Date.parse(date);
    if (Number.isFinite(clockOffset)) this.#failure = { session, time: Date.now(), clockOffset };
  }

  /**
   * Whether a cell was asked for before one of the same client failed: such a cell does not run, one asked for
   * later does. Only the sending time tells: a message may still be on its way when a cell fails at once. The
   * failed request tells how the client's clock differs from ours.
   */
  #isStopped({ header }: Message): boolean {
    const failure = this.#failure;
    if (!failure || header.msg_type !== 'execute_request' || header.session !== failure.session) return false;
    return Date.parse(header.date) + failure.clockOffset < failure.time;
  }

  #abort(message: Message): void {
    this.#iopub.status('busy', message.header);
    const content = {
      status: 'aborted',
      execution_count: this.#executionCount,
      payload: [],
      user_expressions: {},
    };
    const { header, identities } = message;
    const reply = this.#wire.message('execute_reply', content, { parent: header, identities });
    this.#outboxes.shell.send(this.#wire.encode(reply));
    this.#iopub.status('idle', header);
  }

  async #complete({ code, cursor_pos }: z.infer<typeof cursorSchema>): Promise<Content> {
    const offset = cursor_pos === undefined ? code.length : fromCodePoints(code, cursor_pos);
    const { answer, error } = await this.#cells.request({ op: 'complete', code, offset });
    if (!answer || error) return { status: 'error', ...error };
    const { start, end, matches } = completionSchema.parse(answer);
    const cursorStart = toCodePoints(code, start);
    const cursorEnd = toCodePoints(code, end);
    return {
      status: 'ok',
      matches: matches.map(({ text }) => text),
      cursor_start: cursorStart,
      cursor_end: cursorEnd,
      metadata: {
        _jupyter_types_experimental: matches.map(({ text, kind }) => ({
          text,
          type: kind,
          start: cursorStart,
          end: cursorEnd,
        })),
      },
    };
  }

  async #inspect({ code, cursor_pos }: z.infer<typeof cursorSchema>): Promise<Content> {
    const offset = cursor_pos === undefined ? code.length : fromCodePoints(code, cursor_pos);
    const { answer, error } = await this.#cells.request({ op: 'inspect', code, offset });
    if (error) return { status: 'error', ...error };
    const found = inspectionSchema.safeParse(answer);
    if (!found.success) return { status: 'ok', found: false, data: {}, metadata: {} };
    const { signature, documentation } = found.data;
    const data = {
      'text/plain': documentation === '' ? signature : `${signature}\n\n${documentation}`,
      'text/markdown': `\`\`\`typescript\n${signature}\n\`\`\`\n\n${documentation}`.trimEnd(),
    };
    return { status: 'ok', found: true, data, metadata: {} };
  }

  #onEvent(event: OutputEvent): void {
    if (this.#executing?.isSilent && event.type !== 'input') return;
    switch (event.type) {
      case 'result': {
        const { data, metadata } = event;
        this.#iopub.send('execute_result', { execution_count: this.#executionCount, data, metadata });
        const text = data['text/plain'];
        if (typeof text === 'string') this.#history.setOutput(this.#executionCount, text);
        break;
      }
      case 'display': {
        const { data, metadata, displayId, update } = event;
        const transient = displayId === undefined ? {} : { display_id: displayId };
        this.#iopub.send(update ? 'update_display_data' : 'display_data', { data, metadata, transient });
        break;
      }
      case 'clear':
        this.#iopub.send('clear_output', { wait: event.wait });
        break;
      case 'comm':
        this.#iopub.send(event.message, event.content, {
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
      this.#cells.answerInput({ refused: true });
      return;
    }
    this.#iopub.flush(); // what was printed before the question shows before it
    const { identities, header } = executing.message;
    const request = this.#wire.message('input_request', { prompt, password }, { parent: header, identities });
    this.#outboxes.stdin.send(this.#wire.encode(request));
  }

  async #shutDown(message: Message, content: Content): Promise<void> {
    this.#iopub.send('shutdown_reply', content, { parent: message.header });
    await Promise.all([
      this.#iopub.flushed(),
      this.#outboxes.control.flushed(),
      this.#outboxes.shell.flushed(),
    ]);
    await delay(50); // ZeroMQ's own thread puts it on the wire
    this.#exit(0);
  }
}
