import { Sandbox } from './sandbox.js';
export class SandboxPool {
  #options;
  #ahead;
  #ready = [];
  #used = new Set();
  #closed = false;
  /** @param ahead how many to keep ready */
  constructor(options, ahead) {
    this.#options = options;
    this.#ahead = ahead;
  }
  get confinement() {
    return this.#options.confinement;
  }
  /** A fresh sandbox, ready. The caller gives it back with `discard`. */
  async take() {
    if (this.#closed) throw new Error('the pool of sandboxes is closed');
    const sandbox = this.#ready.shift() ?? new Sandbox(this.#options);
    this.#used.add(sandbox);
    while (this.#ready.length < this.#ahead) this.#ready.push(new Sandbox(this.#options));
    await sandbox.started();
    return sandbox;
  }
  async discard(sandbox) {
    await sandbox.stop();
    this.#used.delete(sandbox);
  }
  /** Ends every sandbox. */
  async close() {
    this.#closed = true;
    await Promise.all([...this.#ready, ...this.#used].map((sandbox) => sandbox.stop()));
  }
}
