/** Running a program and listening to what it says. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { killTree } from './process-tree.ts';

export interface RunOptions {
  /** Ends the program and all that it started. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
  /** Our own folder unless given. */
  readonly cwd?: string;
  /** Give it our terminal: it prints for itself, and `output` and `onLine` get nothing. */
  readonly terminal?: boolean;
  /** Added to our own environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunResult {
  /** Exit code; 127 if the program could not be started. */
  readonly code: number;
  /** Its last lines, of both streams. */
  readonly output: readonly string[];
}

const KEPT_LINES = 40;

/** Runs a program to the end. Never rejects for what the program does, only when aborted. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = command;
  options.signal?.throwIfAborted();
  const child = spawn(program, args, {
    stdio: options.terminal ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    windowsHide: true,
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line);
      if (output.length > KEPT_LINES) output.shift();
      options.onLine?.(line);
    });
  }
  const stop = () => {
    if (child.pid !== undefined) killTree(child.pid);
  };
  options.signal?.addEventListener('abort', stop);
  try {
    const code = await new Promise<number>((resolve) => {
      child.on('error', (error) => {
        output.push(error.message);
        resolve(127);
      });
      child.on('close', (status) => resolve(status ?? 1));
    });
    options.signal?.throwIfAborted();
    return { code, output };
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}
