/** Server-sent events: one connection that stays open and is written to. */

import type { FastifyReply, FastifyRequest } from 'fastify';

/** Often enough that proxies and browsers keep the connection. */
const HEARTBEAT = 15_000;
/** What may wait for a client that does not read. Beyond it the client is cut off; it comes back and gets all anew. */
const MOST_BUFFERED = 4 * 1024 * 1024;

export interface Channel {
  /** Sends an event; `id` is what the client last saw when it comes back. */
  send(data: unknown, id?: number): void;
  close(): void;
}

/** Opens the connection. `onClose` is called once, whoever ends it. */
export function openChannel(request: FastifyRequest, reply: FastifyReply, onClose: () => void): Channel {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  raw.write(':\n\n');
  const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT);
  let open = true;
  const closed = (): void => {
    if (!open) return;
    open = false;
    clearInterval(heartbeat);
    onClose();
  };
  request.raw.on('close', closed);
  raw.on('close', closed);
  raw.on('error', closed);
  return {
    send(data, id) {
      if (!open) return;
      raw.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
      if (raw.writableLength > MOST_BUFFERED) raw.destroy();
    },
    close() {
      closed();
      raw.end();
    },
  };
}

/** The open connections of each somebody, the oldest ended when there are too many: a browser that reconnects a thousand times holds a few. */
export class Channels<Key> {
  readonly #open = new Map<Key, Set<Channel>>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(key: Key, channel: Channel): void {
    const channels = this.#open.get(key) ?? new Set();
    this.#open.set(key, channels);
    channels.add(channel);
    const [oldest] = channels;
    if (channels.size > this.#most && oldest !== undefined) oldest.close();
  }

  delete(key: Key, channel: Channel): void {
    const channels = this.#open.get(key);
    channels?.delete(channel);
    if (channels?.size === 0) this.#open.delete(key);
  }

  has(key: Key): boolean {
    return this.#open.has(key);
  }

  of(key: Key): Iterable<Channel> {
    return [...(this.#open.get(key) ?? [])];
  }

  *all(): Iterable<Channel> {
    for (const key of [...this.#open.keys()]) yield* this.of(key);
  }

  /** Ends all: those of one, or of everybody. */
  close(key?: Key): void {
    const keys = key === undefined ? [...this.#open.keys()] : [key];
    for (const one of keys) for (const channel of this.of(one)) channel.close();
  }
}
