import { Dealer, Request, Subscriber } from 'zeromq';
import { addressOf, type Connection } from '../protocol/connection.ts';
import { type Message, Wire } from '../protocol/wire.ts';
import { Outbox } from '../supervisor/outbox.ts';

/** Hears every message of a kernel: from `iopub` what it broadcasts, from the others what it answers. */
export type Listener = (channel: 'iopub' | 'shell' | 'control' | 'stdin', message: Message) => void;

/** A client's sockets to a kernel. */
export class ClientSession {
  readonly wire: Wire;
  readonly #shell: Dealer;
  readonly #control: Dealer;
  readonly #stdin: Dealer;
  readonly #iopub: Subscriber;
  readonly #heartbeat = new Request();
  readonly #outboxes: Record<'shell' | 'control' | 'stdin', Outbox>;
  readonly #listeners = new Set<Listener>();
  #isClosed = false;

  constructor(connection: Connection) {
    this.wire = new Wire(connection.key);
    const routingId = this.wire.session;
    this.#shell = new Dealer({ routingId });
    this.#control = new Dealer({ routingId });
    this.#stdin = new Dealer({ routingId });
    this.#iopub = new Subscriber({ receiveHighWaterMark: 0 });
    this.#outboxes = {
      shell: new Outbox(this.#shell),
      control: new Outbox(this.#control),
      stdin: new Outbox(this.#stdin),
    };
    for (const socket of [this.#shell, this.#control, this.#stdin]) socket.linger = 0;
    this.#heartbeat.linger = 0;
    this.#iopub.connect(addressOf(connection, 'iopub'));
    this.#iopub.subscribe();
    this.#shell.connect(addressOf(connection, 'shell'));
    this.#control.connect(addressOf(connection, 'control'));
    this.#stdin.connect(addressOf(connection, 'stdin'));
    this.#heartbeat.connect(addressOf(connection, 'hb'));
    void this.#read('iopub', this.#iopub);
    void this.#read('shell', this.#shell);
    void this.#read('control', this.#control);
    void this.#read('stdin', this.#stdin);
  }

  async #read(
    channel: 'iopub' | 'shell' | 'control' | 'stdin',
    socket: AsyncIterable<Buffer[]>,
  ): Promise<void> {
    try {
      for await (const frames of socket) {
        const message = this.wire.decode(frames);
        if (message) for (const listener of [...this.#listeners]) listener(channel, message);
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }

  /** Calls back on every message until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends a message; returns it, for its id. */
  send(
    channel: 'shell' | 'control' | 'stdin',
    type: string,
    content: Record<string, unknown>,
    parent: Message['parent'] = {},
  ): Message {
    const message = this.wire.message(type, content, { parent });
    this.#outboxes[channel].send(this.wire.encode(message));
    return message;
  }

  /** Sends a request and waits for its reply. */
  request(
    channel: 'shell' | 'control',
    type: string,
    content: Record<string, unknown> = {},
    timeout = 60_000,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      const sent = this.send(channel, type, content);
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`the kernel did not answer a ${type} within ${timeout / 1000} s`));
      }, timeout);
      const stop = this.listen((from, message) => {
        if (from !== channel || message.parent.msg_id !== sent.header.msg_id) return;
        clearTimeout(timer);
        stop();
        resolve(message);
      });
    });
  }

  /** Sends bytes to the heartbeat; resolves when they came back. One beat at a time. */
  async beat(): Promise<void> {
    await this.#heartbeat.send('beat');
    await this.#heartbeat.receive();
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of [this.#shell, this.#control, this.#stdin, this.#iopub, this.#heartbeat])
      socket.close();
  }
}
