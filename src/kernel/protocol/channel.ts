import { writeSync } from 'node:fs';

/**
 * What supervisor and worker say to each other. Requests are lines of JSON on a pipe. Answers and outputs are frames
 * on another, written synchronously: what a cell wrote has left the worker when the call returns, in order, whatever
 * becomes of the worker next.
 */
export const FD = { frames: 3, requests: 4, input: 5, interrupts: 6 } as const;

/** What a cell writes to. */
export type StreamName = 'stdout' | 'stderr';

/** The first byte of a frame. */
const KIND = { stdout: 1, stderr: 2, json: 3 } as const;
const HEADER_BYTES = 5;

/** A frame: text a cell wrote, or an event. */
export type Frame = { stream: StreamName; text: string } | { event: WorkerEvent };

/** A request to the worker; each is answered by one `done` event of its id. */
export type WorkerRequest = { id: number } & (
  | {
      op: 'run';
      code: string;
      name: string;
      silent: boolean;
      expressions: Record<string, string>;
      mark: string;
    }
  | { op: 'complete' | 'inspect'; code: string; offset: number }
  | { op: 'isComplete'; code: string }
  | {
      op: 'comm';
      type: string;
      content: Record<string, unknown>;
      metadata: Record<string, unknown>;
      buffers: string[];
    }
  | { op: 'commInfo'; target?: string }
);

/** An error as the protocol sends it. */
export interface ErrorContent {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** An event from the worker. */
export type WorkerEvent =
  | { type: 'ready' }
  | { type: 'exit'; code: number }
  | {
      type: 'done';
      id: number;
      error?: ErrorContent;
      answer?: Record<string, unknown>;
      /** what the protocol calls payloads: pages for the front end's pager */
      payload?: Record<string, unknown>[];
      /** the descriptors that carry the mark of this request, after all that was written to them for it */
      marked?: StreamName[];
    }
  | { type: 'result'; id: number; data: Record<string, unknown>; metadata: Record<string, unknown> }
  | {
      type: 'display';
      data: Record<string, unknown>;
      metadata: Record<string, unknown>;
      displayId?: string;
      update: boolean;
    }
  | { type: 'clear'; wait: boolean }
  | { type: 'input'; prompt: string; password: boolean }
  | { type: 'comm'; message: string; content: Record<string, unknown>; buffers: string[] };

/** The answer to an `input` event, on a pipe of its own, since the worker waits for it without an event loop. */
export type InputAnswer = { value: string } | { refused: true } | { interrupted: true };

/** Writes to a pipe until all is written. @throws if the pipe is closed */
export function writeAll(fd: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') continue;
      throw error;
    }
  }
}

/** Sends a frame to the supervisor. */
export function writeFrame(frame: Frame): void {
  const [kind, text] =
    'event' in frame ? [KIND.json, JSON.stringify(frame.event)] : [KIND[frame.stream], frame.text];
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + size);
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt8(kind, 4);
  bytes.write(text, HEADER_BYTES);
  writeAll(FD.frames, bytes);
}

/** Puts the chunks of a pipe together to frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;

  /** Takes a chunk; returns the frames it completes. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Frame[] = [];
    let buffer: Buffer | undefined;
    let at = 0;
    while (this.#size - at >= HEADER_BYTES) {
      buffer ??= this.#joined();
      const size = buffer.readUInt32LE(at);
      if (buffer.length - at < HEADER_BYTES + size) break;
      const kind = buffer.readUInt8(at + 4);
      const text = buffer.toString('utf8', at + HEADER_BYTES, at + HEADER_BYTES + size);
      if (kind === KIND.json) frames.push({ event: JSON.parse(text) });
      else frames.push({ stream: kind === KIND.stdout ? 'stdout' : 'stderr', text });
      at += HEADER_BYTES + size;
    }
    if (buffer) {
      this.#chunks = at < buffer.length ? [buffer.subarray(at)] : [];
      this.#size -= at;
    }
    return frames;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    const joined = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
