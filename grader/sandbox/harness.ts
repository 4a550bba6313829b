/**
 * What runs inside the sandbox: it loads a learner's cells and answers calls, one at a time, over file descriptor 3. It holds no
 * expected value, no hidden input before it is asked, and no verdict: whatever the learner's code does to this process, it
 * can only change what this process answers.
 */
import { readSync, writeSync } from 'node:fs';
import { createEngine } from '../../src/kernel/engine/index.ts';
import { startJudgeBackend } from '../backend.ts';
import { decodeValue, encodeValue } from '../codec.ts';
import { type Answerer, differentiate, evaluate, type Outcome, thrownText } from '../evaluate.ts';
import { frameLength, packFrame, type Request, type Response, request, unpackFrame } from './frames.ts';
import { withhold } from './withhold.ts';

const CHANNEL = 3;

/** Waits for the next request. Blocking on purpose: between calls nothing of the learner's runs. */
function receive(): { header: Request; body: Buffer } {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const length = frameLength(bytes);
    if (length !== undefined && bytes.length >= length)
      return unpackFrame(bytes.subarray(0, length), request);
    const chunk = Buffer.alloc(Math.max(65_536, (length ?? 0) - bytes.length));
    const read = readSync(CHANNEL, chunk);
    // The grader has closed the pipe: the work is done.
    if (read === 0) process.exit(0);
    bytes = Buffer.concat([bytes, chunk.subarray(0, read)]);
  }
}

function send(header: Response, body?: Buffer): void {
  const bytes = packFrame(header, body);
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(CHANNEL, bytes, sent);
}

function answer(id: number, outcome: Outcome): void {
  if (outcome.kind === 'returned') {
    const { leaked, changed } = outcome;
    send({ kind: 'returned', id, leaked, changed: changed.slice(0, 100) }, encodeValue(outcome.value));
  } else {
    send({ kind: 'threw', id, message: outcome.message.slice(0, 4000) });
  }
}

/** Runs the cells in a new engine; the entry's function, or why there is none. */
async function load(
  message: Request & { op: 'load' },
): Promise<Answerer | { message: string; cell: string }> {
  const engine = createEngine({ cwd: process.cwd(), typeCheck: false });
  withhold(message.entry);
  for (const { name, source } of message.cells) {
    const result = await engine.run(source, { name });
    if (!result.ok) return { cell: name, message: `${result.error.name}: ${result.error.message}` };
  }
  const entry: unknown = engine.get(message.entry);
  const cell = message.cells.at(-1)?.name ?? '';
  if (typeof entry !== 'function') {
    const what =
      entry === undefined
        ? `declares no ${message.entry}`
        : `declares ${message.entry}, but it is no function`;
    return { cell, message: `the answer cell ${what}` };
  }
  return { answer: (...args) => Reflect.apply(entry, undefined, args) };
}

/** Signals reach beyond this process where there is no namespace around it, and Node's permission model lets them. */
function takeAwaySignals(): void {
  for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd']) {
    Object.defineProperty(process, name, {
      value: () => {
        throw new Error('processes cannot be signalled here');
      },
      configurable: false,
      writable: false,
    });
  }
}

takeAwaySignals();
await startJudgeBackend();
send({ kind: 'started', id: 0 });
let loaded: Answerer | undefined;
let parameters: readonly string[] = [];
for (;;) {
  const { header, body } = receive();
  const { id } = header;
  try {
    if (header.op === 'load') {
      loaded = undefined;
      parameters = header.parameters;
      const result = await load(header);
      if ('answer' in result) {
        loaded = result;
        send({ kind: 'loaded', id });
      } else send({ kind: 'refused', id, cell: result.cell, message: result.message.slice(0, 4000) });
    } else {
      if (loaded === undefined) throw new Error('nothing is loaded');
      const args = decodeValue(body);
      const items = args.kind === 'list' ? args.items : [];
      answer(
        id,
        header.op === 'call'
          ? await evaluate(loaded, items)
          : await differentiate(loaded, items, parameters, header.seed),
      );
    }
  } catch (error) {
    send({ kind: 'threw', id, message: thrownText(error).slice(0, 4000) });
  }
}
