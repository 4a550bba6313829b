/** Sandboxes started ahead, so that no submission waits for Node to start. Each is used once. */
import type { Confinement } from './confine.ts';
import { Sandbox, type SandboxOptions } from './sandbox.ts';

export class SandboxPool {
  readonly #options: SandboxOptions;
  readonly #ahead: number;
  readonly #ready: Sandbox[] = [];
  readonly #used = new Set<Sandbox>();
  #closed = false;

  /** @param ahead how many to keep ready */
  constructor(options: SandboxOptions, ahead: number) {
    this.#options = options;
    this.#ahead = ahead;
  }

  get confinement(): Confinement {
    return this.#options.confinement;
  }

  /** A fresh sandbox, ready. The caller gives it back with `discard`. */
  async take(): Promise<Sandbox> {
    if (this.#closed) throw new Error('the pool of sandboxes is closed');
    const sandbox = this.#ready.shift() ?? new Sandbox(this.#options);
    this.#used.add(sandbox);
    while (this.#ready.length < this.#ahead) this.#ready.push(new Sandbox(this.#options));
    await sandbox.started();
    return sandbox;
  }

  async discard(sandbox: Sandbox): Promise<void> {
    await sandbox.stop();
    this.#used.delete(sandbox);
  }

  /** Ends every sandbox. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#ready, ...this.#used].map((sandbox) => sandbox.stop()));
  }
}
