import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { kernelInfo } from '../info.ts';
import type { Connection } from '../protocol/connection.ts';
import type { Message } from '../protocol/wire.ts';
import { Executor } from './executor.ts';
import { History } from './history.ts';
import { questionOf } from './questions.ts';
import { Sockets } from './sockets.ts';
import { StopOnError } from './stop-on-error.ts';

const shutdownSchema = z.looseObject({ restart: z.boolean().default(false) });

type Content = Record<string, unknown>;

/** A message and the milliseconds at which it was read. */
interface Received {
  message: Message;
  time: number;
}

/** The kernel as its clients see it: five sockets that always answer, whatever the cells do. */
export class Kernel {
  readonly #sockets: Sockets;
  readonly #executor: Executor;
  readonly #history = new History();
  readonly #stopOnError = new StopOnError();
  readonly #queue: Received[] = [];
  #isWorking = false;
  #onExit: (code: number) => void = () => {};

  /** @param worker a worker that has been started already */
  constructor(connection: Connection, worker: ChildProcess) {
    this.#sockets = new Sockets(connection);
    this.#executor = new Executor({
      sockets: this.#sockets,
      history: this.#history,
      stopOnError: this.#stopOnError,
      worker,
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
    await this.#sockets.bind();
    this.#sockets.iopub.status('starting', {});
    void this.#readShell();
    void this.#readControl();
    void this.#readStdin();
    return await exit;
  }

  interrupt(): void {
    this.#executor.cells.interrupt();
  }

  /** Ends the kernel from outside, as when its parent is gone. */
  stop(): void {
    this.#exit(0);
  }

  #exit(code: number): void {
    void this.#executor.cells.close().then(() => this.#onExit(code));
  }

  async #readShell(): Promise<void> {
    for await (const message of this.#sockets.messages('shell')) {
      this.#queue.push({ message, time: Date.now() });
      void this.#work();
    }
  }

  async #readControl(): Promise<void> {
    for await (const message of this.#sockets.messages('control')) {
      await this.#answer('control', { message, time: Date.now() });
    }
  }

  async #readStdin(): Promise<void> {
    for await (const { header, content } of this.#sockets.messages('stdin')) {
      if (header.msg_type !== 'input_reply') continue;
      this.#executor.cells.answerInput({ value: String(content.value ?? '') });
    }
  }

  /** Shell requests are answered one after the other, in order. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { message } = next;
      this.#sockets.iopub.setParent(message.header);
      if (this.#stopOnError.isStopped(message)) this.#abort(message);
      else await this.#answer('shell', next);
    }
    this.#isWorking = false;
  }

  async #answer(channel: 'shell' | 'control', received: Received): Promise<void> {
    const { message } = received;
    const type = message.header.msg_type;
    this.#sockets.iopub.status('busy', message.header);
    let content: Content | undefined;
    try {
      content = await this.#contentFor(channel, received);
    } catch (error) {
      const evalue = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      content = { status: 'error', ename: 'ProtocolError', evalue, traceback: [] };
    }
    if (content) this.#sockets.reply(channel, type.replace(/_request$/, '_reply'), content, message);
    this.#sockets.iopub.status('idle', message.header);
    if (type === 'shutdown_request') await this.#shutDown(message, content ?? {});
  }

  /** The content of the reply to a request; undefined for messages without a reply. */
  async #contentFor(channel: 'shell' | 'control', { message, time }: Received): Promise<Content | undefined> {
    const { cells } = this.#executor;
    const type = message.header.msg_type;
    switch (type) {
      case 'kernel_info_request':
        await Promise.race([cells.ready, delay(10_000, undefined, { ref: false })]);
        return kernelInfo();
      case 'interrupt_request':
        this.interrupt();
        return { status: 'ok' };
      case 'shutdown_request':
        return { status: 'ok', restart: shutdownSchema.parse(message.content).restart };
    }
    // the control channel never waits for cells: an interrupt may be next
    if (channel === 'shell') {
      const question = questionOf(type);
      if (question) return await question(message.content, cells, this.#history);
      if (type === 'execute_request') return await this.#executor.execute(message, time);
      if (/^comm_(open|msg|close)$/.test(type)) {
        await this.#passComm(message);
        return undefined;
      }
    }
    const evalue = `this kernel does not know ${type} on its ${channel} channel`;
    return { status: 'error', ename: 'UnknownRequest', evalue, traceback: [] };
  }

  /** Hands a comm message to the worker; nobody waits for an answer, so an error is printed. */
  async #passComm({ header, content, metadata, buffers }: Message): Promise<void> {
    const { error } = await this.#executor.cells.request({
      op: 'comm',
      type: header.msg_type,
      content,
      metadata,
      buffers: buffers.map((one) => one.toString('base64')),
    });
    if (error) this.#sockets.iopub.stream('stderr', `${error.traceback.join('\n')}\n`);
  }

  #abort(message: Message): void {
    this.#sockets.iopub.status('busy', message.header);
    this.#sockets.reply('shell', 'execute_reply', this.#executor.aborted(), message);
    this.#sockets.iopub.status('idle', message.header);
  }

  async #shutDown(message: Message, content: Content): Promise<void> {
    this.#sockets.iopub.send('shutdown_reply', content, { parent: message.header });
    await this.#sockets.flushed();
    this.#exit(0);
  }
}
