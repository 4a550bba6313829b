/** Sandboxes started ahead, so that no submission waits for Node to start. Each is used once. */
import type { Confinement } from './confine.ts';
import { Sandbox, type SandboxOptions } from './sandbox.ts';
export declare class SandboxPool {
  #private;
  /** @param ahead how many to keep ready */
  constructor(options: SandboxOptions, ahead: number);
  get confinement(): Confinement;
  /** A fresh sandbox, ready. The caller gives it back with `discard`. */
  take(): Promise<Sandbox>;
  discard(sandbox: Sandbox): Promise<void>;
  /** Ends every sandbox. */
  close(): Promise<void>;
}
