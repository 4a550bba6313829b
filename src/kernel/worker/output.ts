import { StringDecoder } from 'node:string_decoder';
import { PUBLISH, type Publish } from '../display/publish.ts';
import { writeFrame } from '../protocol/channel.ts';

/** At most this much text in one frame: a message of any size reaches the screen in pieces. */
const LARGEST_TEXT = 1 << 20;

function send(stream: 'stdout' | 'stderr', text: string): void {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + LARGEST_TEXT, text.length);
    // never between the halves of a surrogate pair
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end -= 1;
    writeFrame({ stream, text: text.slice(at, end) });
    at = end;
  }
}

function capture(stream: 'stdout' | 'stderr'): void {
  const decoder = new StringDecoder('utf8');
  const write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    if (typeof chunk === 'string') {
      const isText = typeof encoding !== 'string' || encoding === 'utf8' || encoding === 'utf-8';
      send(
        stream,
        isText || !Buffer.isEncoding(encoding) ? chunk : decoder.write(Buffer.from(chunk, encoding)),
      );
    } else if (chunk instanceof Uint8Array) send(stream, decoder.write(Buffer.from(chunk)));
    else throw new TypeError('a stream takes text or bytes');
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  process[stream].write = write;
}

/** Sends what cells print and display to the supervisor, in order and at once. */
export function captureOutput(): void {
  capture('stdout');
  capture('stderr');
  const publish: Publish = (data, options = {}) => {
    const { displayId, update = false, metadata = {} } = options;
    writeFrame({
      event: { type: 'display', data, metadata, update, ...(displayId === undefined ? {} : { displayId }) },
    });
  };
  Reflect.set(globalThis, PUBLISH, publish);
  console.clear = () => writeFrame({ event: { type: 'clear', wait: false } });
}
