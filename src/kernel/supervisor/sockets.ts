import { setTimeout as delay } from 'node:timers/promises';
import { Reply, Router, XPublisher } from 'zeromq';
import { addressOf, type Connection } from '../protocol/connection.ts';
import { type Message, Wire } from '../protocol/wire.ts';
import { IoPub } from './iopub.ts';
import { Outbox } from './outbox.ts';

/** Channels on which a client is answered. */
export type ReplyChannel = 'shell' | 'control' | 'stdin';

/** The five sockets of a kernel, and the messages on them. */
export class Sockets {
  readonly iopub: IoPub;
  readonly #wire: Wire;
  readonly #connection: Connection;
  readonly #routers: Record<ReplyChannel, Router> = {
    shell: new Router(),
    control: new Router(),
    stdin: new Router(),
  };
  readonly #heartbeat = new Reply();
  readonly #publisher = new XPublisher({ sendHighWaterMark: 0 }); // no output is ever dropped
  readonly #outboxes: Record<ReplyChannel, Outbox>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#wire = new Wire(connection.key);
    this.#publisher.verbosity = 'allSubs';
    this.iopub = new IoPub(this.#wire, this.#publisher);
    const { shell, control, stdin } = this.#routers;
    this.#outboxes = { shell: new Outbox(shell), control: new Outbox(control), stdin: new Outbox(stdin) };
  }

  /** Binds all; heartbeats are echoed and subscribers greeted from then on. */
  async bind(): Promise<void> {
    const { shell, control, stdin } = this.#routers;
    await Promise.all([
      shell.bind(addressOf(this.#connection, 'shell')),
      control.bind(addressOf(this.#connection, 'control')),
      stdin.bind(addressOf(this.#connection, 'stdin')),
      this.#heartbeat.bind(addressOf(this.#connection, 'hb')),
      this.#publisher.bind(addressOf(this.#connection, 'iopub')),
    ]);
    void this.iopub.greet();
    void this.#echoHeartbeats();
  }

  async #echoHeartbeats(): Promise<void> {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames);
  }

  /** The messages of a channel that are signed and well formed. */
  async *messages(channel: ReplyChannel): AsyncGenerator<Message> {
    for await (const frames of this.#routers[channel]) {
      const message = this.#wire.decode(frames);
      if (message) yield message;
    }
  }

  /** Sends to whoever sent `to`, as caused by it. */
  reply(channel: ReplyChannel, type: string, content: Record<string, unknown>, to: Message): void {
    const message = this.#wire.message(type, content, { parent: to.header, identities: to.identities });
    this.#outboxes[channel].send(this.#wire.encode(message));
  }

  /** Resolves when all that was sent so far is on the wire. */
  async flushed(): Promise<void> {
    const { shell, control } = this.#outboxes;
    await Promise.all([this.iopub.flushed(), control.flushed(), shell.flushed()]);
    await delay(50); // ZeroMQ's own thread puts it there
  }
}
