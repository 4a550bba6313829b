import { readSync } from 'node:fs';
import { Interrupted } from '../engine/run-cell.ts';
import { FD, type InputAnswer, writeFrame } from '../protocol/channel.ts';

/** Reads one line from the pipe of answers, waiting for it. */
function readLine(): string {
  const bytes: Buffer[] = [];
  const byte = Buffer.alloc(1);
  for (;;) {
    if (readSync(FD.input, byte, 0, 1, null) === 0) throw new Error('the kernel is ending');
    if (byte[0] === 0x0a) return Buffer.concat(bytes).toString('utf8');
    bytes.push(Buffer.from(byte));
  }
}

/**
 * `prompt()` as in a browser: asks the person for a line, and waits.
 *
 * @throws if the front end takes no input, as when a notebook is executed from the command line
 */
export function installPrompt(): void {
  const prompt = (message = '', defaultValue = ''): string => {
    writeFrame({ event: { type: 'input', prompt: String(message), password: false } });
    const answer: InputAnswer = JSON.parse(readLine());
    if ('interrupted' in answer) throw new Interrupted();
    if ('refused' in answer) throw new Error('prompt() needs a person, and this front end takes no input');
    return answer.value === '' ? String(defaultValue) : answer.value;
  };
  Reflect.set(globalThis, 'prompt', prompt);
}
