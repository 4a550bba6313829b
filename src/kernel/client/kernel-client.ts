import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../protocol/connection.ts';
import type { Message } from '../protocol/wire.ts';
import { findKernel, type KernelSpec } from './kernel-specs.ts';
import { ClientSession } from './session.ts';

/** How to start a kernel. */
export interface StartOptions {
  /** a kernel's name or its specification; default: this package's */
  kernel?: string | KernelSpec;
  /** the folder cells run in; default: the current one */
  cwd?: string;
  /** milliseconds to wait for its first answer; default 60 000 */
  timeout?: number;
  env?: Record<string, string>;
}

/** A message a cell caused, in the order the kernel sent it. */
export type CellMessage = Pick<Message, 'header' | 'content' | 'metadata'>;

/** How an execution went. */
export interface Execution {
  /** content of the execute_reply */
  reply: Record<string, unknown>;
  /** the broadcast messages of the cell, without its status messages and its own input */
  messages: CellMessage[];
  /** it ran longer than allowed and was interrupted */
  isTimedOut: boolean;
}

/** How to execute a cell. */
export interface ExecuteOptions {
  /** milliseconds until it is interrupted; default: never */
  timeout?: number;
  silent?: boolean;
  storeHistory?: boolean;
  stopOnError?: boolean;
  userExpressions?: Record<string, string>;
  /** answers questions of the cell; without it, the kernel is told that nobody can */
  onInput?: (prompt: string) => string | Promise<string>;
  onMessage?: (message: CellMessage) => void;
}

/** Milliseconds a kernel has to stop a cell after an interrupt, and to end after a shutdown. */
const GRACE = 10_000;

async function freePorts(count: number): Promise<number[]> {
  // all are held until all are found: a port let go could be found again
  const servers: Server[] = [];
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address === 'object' && address) ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts a kernel and waits until it answers. */
export async function startKernel(options: StartOptions = {}): Promise<KernelClient> {
  const spec = typeof options.kernel === 'object' ? options.kernel : findKernel(options.kernel ?? 'llm-lab');
  const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
  const connection: Connection = {
    transport: 'tcp',
    ip: '127.0.0.1',
    shell_port: shell,
    iopub_port: iopub,
    stdin_port: stdin,
    control_port: control,
    hb_port: hb,
    key: randomUUID(),
    signature_scheme: 'hmac-sha256',
  };
  const folder = mkdtempSync(join(tmpdir(), 'lab-kernel-'));
  const file = join(folder, 'connection.json');
  writeFileSync(file, JSON.stringify({ ...connection, kernel_name: spec.name }), { mode: 0o600 });
  const [command = '', ...args] = spec.argv.map((part) =>
    part.replaceAll('{connection_file}', file).replaceAll('{resource_dir}', spec.folder ?? folder),
  );
  const child = spawn(command, args, {
    cwd: options.cwd ?? process.cwd(),
    env: { ...process.env, ...spec.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: process.platform !== 'win32',
  });
  const client = new KernelClient(child, connection, spec, folder);
  try {
    await client.waitUntilReady(options.timeout ?? 60_000);
  } catch (error) {
    await client.shutdown({ now: true });
    throw error;
  }
  return client;
}

/** A running kernel, and the way to use it. */
export class KernelClient {
  readonly session: ClientSession;
  readonly process: ChildProcess;
  readonly spec: KernelSpec;
  readonly connection: Connection;
  /** milliseconds from the start of its process to its first answer */
  readyAfter = Number.NaN;
  readonly #started = performance.now();
  readonly #folder: string;
  readonly #ended: Promise<void>;
  #isEnded = false;
  #stderr = '';
  readonly #killOnExit = () => this.#kill();

  constructor(child: ChildProcess, connection: Connection, spec: KernelSpec, folder: string) {
    this.process = child;
    this.spec = spec;
    this.connection = connection;
    this.#folder = folder;
    this.session = new ClientSession(connection);
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-2000);
    });
    process.on('exit', this.#killOnExit);
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#isEnded = true;
        resolve();
      };
      child.on('exit', end);
      child.on('error', (error) => {
        this.#stderr = error.message;
        end();
      });
    });
  }

  /** Resolves when the kernel's process has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Waits for the answer to a kernel_info_request, and until broadcasts arrive too. */
  async waitUntilReady(timeout: number): Promise<Message> {
    const info = this.session.request('shell', 'kernel_info_request', {}, timeout);
    const failed = this.#ended.then(() => {
      throw new Error(
        `the kernel ${this.spec.name} ended while starting: ${this.#stderr.trim() || 'no reason given'}`,
      );
    });
    const reply = await Promise.race([info, failed]);
    this.readyAfter = performance.now() - this.#started;
    // a subscription takes a moment to arrive: ask until the answer's broadcasts are heard
    const deadline = Date.now() + timeout;
    for (let isHeard = false; !isHeard; ) {
      let stop = () => {};
      const heard = new Promise<boolean>((resolve) => {
        const sent = this.session.send('shell', 'kernel_info_request', {});
        stop = this.session.listen((channel, message) => {
          if (channel === 'iopub' && message.parent.msg_id === sent.header.msg_id) resolve(true);
        });
      });
      isHeard = await Promise.race([heard, delay(500, false)]);
      stop();
      if (!isHeard && Date.now() > deadline)
        throw new Error(`the kernel ${this.spec.name} broadcasts nothing`);
    }
    return reply;
  }

  /** Executes a cell; resolves when its reply and its `idle` have come. */
  async execute(code: string, options: ExecuteOptions = {}): Promise<Execution> {
    const messages: CellMessage[] = [];
    const sent = this.session.send('shell', 'execute_request', {
      code,
      silent: options.silent ?? false,
      store_history: options.storeHistory ?? !options.silent,
      user_expressions: options.userExpressions ?? {},
      allow_stdin: options.onInput !== undefined,
      stop_on_error: options.stopOnError ?? true,
    });
    let reply: Record<string, unknown> | undefined;
    let isIdle = false;
    let isTimedOut = false;
    const done = Promise.withResolvers<void>();
    const stop = this.session.listen((channel, message) => {
      if (message.parent.msg_id !== sent.header.msg_id) return;
      const { header, content } = message;
      if (channel === 'shell') reply = content;
      else if (channel === 'stdin') void this.#answerInput(message, options);
      else if (header.msg_type === 'status') isIdle ||= content.execution_state === 'idle';
      else if (header.msg_type !== 'execute_input') {
        messages.push(message);
        options.onMessage?.(message);
      }
      if (reply && isIdle) done.resolve();
    });
    const timers: NodeJS.Timeout[] = [];
    if (options.timeout !== undefined) {
      timers.push(
        setTimeout(() => {
          isTimedOut = true;
          void this.interrupt();
          timers.push(setTimeout(() => done.reject(new Error('the cell does not stop')), GRACE));
        }, options.timeout),
      );
    }
    const ended = this.#ended.then(() => {
      throw new Error(`the kernel ended: ${this.#stderr.trim() || 'no reason given'}`);
    });
    try {
      await Promise.race([done.promise, ended]);
    } finally {
      stop();
      for (const timer of timers) clearTimeout(timer);
    }
    return { reply: reply ?? {}, messages, isTimedOut };
  }

  async #answerInput(request: Message, options: ExecuteOptions): Promise<void> {
    if (request.header.msg_type !== 'input_request') return;
    const value = await options.onInput?.(String(request.content.prompt ?? ''));
    if (value !== undefined) this.session.send('stdin', 'input_reply', { value }, request.header);
  }

  /** Interrupts what runs, by message or by signal, as the kernel wants it. */
  async interrupt(): Promise<void> {
    if (this.spec.interrupt_mode === 'message') {
      await this.session.request('control', 'interrupt_request', {}, GRACE).catch(() => undefined);
    } else this.process.kill('SIGINT');
  }

  /** Ends the kernel: by asking it, and if it does not, by force. Afterwards nothing of it is left. */
  async shutdown(options: { now?: boolean } = {}): Promise<void> {
    if (!this.#isEnded && !options.now) {
      this.session.send('control', 'shutdown_request', { restart: false });
      await Promise.race([this.#ended, delay(GRACE, undefined, { ref: false })]);
    }
    this.#kill();
    if (this.process.pid !== undefined) await this.#ended;
    this.session.close();
    process.off('exit', this.#killOnExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #kill(): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // it has ended, and all it started
    }
  }
}
