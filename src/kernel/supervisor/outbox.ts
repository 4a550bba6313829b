import type { Writable } from 'zeromq';

/** Sends on a socket one message after the other: a ZeroMQ socket takes one at a time. */
export class Outbox {
  readonly #socket: Writable<Buffer[]>;
  readonly #waiting: Buffer[][] = [];
  #sending: Promise<void> | undefined;

  constructor(socket: Writable<Buffer[]>) {
    this.#socket = socket;
  }

  send(frames: Buffer[]): void {
    this.#waiting.push(frames);
    this.#sending ??= this.#drain();
  }

  /** Resolves when all that was sent so far is with ZeroMQ. */
  async flushed(): Promise<void> {
    await this.#sending;
  }

  async #drain(): Promise<void> {
    for (let frames = this.#waiting.shift(); frames; frames = this.#waiting.shift()) {
      try {
        await this.#socket.send(frames);
      } catch {
        // a client that is gone cannot be written to; the others can
      }
    }
    this.#sending = undefined;
  }
}
