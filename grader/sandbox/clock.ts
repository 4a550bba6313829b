/** How long a learner's code may run: its own time, not what the grader does meanwhile nor what a busy machine makes it wait. */
import { waitedMs } from './processes.ts';

/** A machine that is this many times too busy is given up on. */
const MOST_PATIENCE = 10;

export class Clock {
  readonly limitMs: number;
  readonly #pid: number | undefined;
  /** How long the process had waited for the machine before. */
  readonly #before: Promise<number>;
  #leftMs: number;
  /** What was given back for waiting. */
  #givenMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;

  constructor(pid: number | undefined, limitMs: number) {
    this.limitMs = limitMs;
    this.#pid = pid;
    this.#leftMs = limitMs;
    this.#before = pid === undefined ? Promise.resolve(0) : waitedMs(pid);
  }

  /** Starts, or goes on. `ended` is called once the time is over, unless the clock is paused first. */
  run(ended: () => void): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => void this.#look(ended), this.#leftMs);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(1, this.#leftMs - (performance.now() - this.#since));
  }

  /** The time is over by the clock on the wall: what the process waited for the machine is given back. */
  async #look(ended: () => void): Promise<void> {
    const timer = this.#timer;
    const waited = this.#pid === undefined ? 0 : (await waitedMs(this.#pid)) - (await this.#before);
    // The grader may have been busy itself: an answer that is already there is read first.
    await new Promise((resolve) => setImmediate(resolve));
    if (timer === undefined || this.#timer !== timer) return;
    const back = Math.min(waited, (MOST_PATIENCE - 1) * this.limitMs) - this.#givenMs;
    if (back < 10) {
      ended();
      return;
    }
    this.#givenMs += back;
    this.#leftMs += back;
    this.#timer = setTimeout(() => void this.#look(ended), back);
  }
}
