import type { XPublisher } from 'zeromq';
import type { Message, Wire } from '../protocol/wire.ts';
import { Outbox } from './outbox.ts';

/**
 * Text of one stream is sent at the latest after this many milliseconds, or when this much of it waits. The delay
 * doubles while a request goes on printing: thousands of small messages are slow to show and to save.
 */
const FIRST_STREAM_DELAY = 20;
const LAST_STREAM_DELAY = 160;
const STREAM_SIZE = 1 << 20;

/** The broadcast channel: everything a kernel shows, and whether it is busy. */
export class IoPub {
  readonly #wire: Wire;
  readonly #socket: XPublisher;
  readonly #outbox: Outbox;
  #parent: Message['parent'] = {};
  #stream: { name: string; texts: string[]; size: number; parent: Message['parent'] } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delay = FIRST_STREAM_DELAY;

  constructor(wire: Wire, socket: XPublisher) {
    this.#wire = wire;
    this.#socket = socket;
    this.#outbox = new Outbox(socket);
  }

  /** Says welcome to every new subscriber, so that it knows that it misses nothing from then on. */
  async greet(): Promise<void> {
    for await (const [frame] of this.#socket) {
      if (frame?.[0] !== 1) continue;
      const subscription = frame.subarray(1);
      const welcome = this.#wire.message(
        'iopub_welcome',
        { subscription: subscription.toString() },
        { identities: [subscription] },
      );
      this.#outbox.send(this.#wire.encode(welcome));
    }
  }

  /** Output from now on belongs to the request with this header. */
  setParent(parent: Message['parent']): void {
    this.flush();
    this.#parent = parent;
    this.#delay = FIRST_STREAM_DELAY;
  }

  send(
    type: string,
    content: Record<string, unknown>,
    options: { parent?: Message['parent']; buffers?: Buffer[] } = {},
  ): void {
    this.flush();
    const { parent = this.#parent, buffers = [] } = options;
    const topic = Buffer.from(`kernel.${this.#wire.session}.${type}`);
    const message = this.#wire.message(type, content, { parent, buffers, identities: [topic] });
    this.#outbox.send(this.#wire.encode(message));
  }

  status(state: 'busy' | 'idle' | 'starting', parent: Message['parent']): void {
    this.send('status', { execution_state: state }, { parent });
  }

  /** Text of a cell; small pieces of the same stream leave together. */
  stream(name: string, text: string): void {
    if (this.#stream && this.#stream.name !== name) this.flush();
    this.#stream ??= { name, texts: [], size: 0, parent: this.#parent };
    this.#stream.texts.push(text);
    this.#stream.size += text.length;
    if (this.#stream.size >= STREAM_SIZE) this.flush();
    else this.#timer ??= setTimeout(() => this.#flushLate(), this.#delay);
  }

  #flushLate(): void {
    this.#delay = Math.min(2 * this.#delay, LAST_STREAM_DELAY);
    this.flush();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const stream = this.#stream;
    if (!stream) return;
    this.#stream = undefined;
    this.send('stream', { name: stream.name, text: stream.texts.join('') }, { parent: stream.parent });
  }

  async flushed(): Promise<void> {
    this.flush();
    await this.#outbox.flushed();
  }
}
