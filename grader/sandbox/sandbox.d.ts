import type { Candidate, Outcome } from '../evaluate.ts';
import { type Confinement } from './confine.ts';
export interface SandboxOptions {
  readonly confinement: Confinement;
  /** Most memory, in MiB, of everything in the sandbox together. */
  readonly memoryMb: number;
  /** Compiled code to start from. */
  readonly cache?: string;
}
/** A cell to run, with the name that errors call it by. */
export interface SourceCell {
  readonly name: string;
  readonly source: string;
}
export type LoadResult =
  | {
      readonly kind: 'loaded';
    }
  /** A cell failed or the entry is missing. */
  | {
      readonly kind: 'refused';
      readonly cell: string;
      readonly message: string;
    }
  | (Outcome & {
      readonly kind: 'stopped';
    });
export declare class Sandbox {
  #private;
  constructor({ confinement, memoryMb, cache }: SandboxOptions);
  /** Resolves once the harness is ready. @throws EnvironmentFault if it does not start: that is never the learner's fault. */
  started(): Promise<void>;
  /** From now on, everything asked of the sandbox together may take this long. */
  allow(limitMs: number): void;
  /** Whether it can still answer. */
  get alive(): boolean;
  /** Runs the cells afresh and takes the entry. */
  load(cells: readonly SourceCell[], entry: string, parameters: readonly string[]): Promise<LoadResult>;
  /** The loaded entry as something that can be judged. */
  candidate(): Candidate;
  /** Kills everything in the sandbox and waits until it is gone. */
  stop(): Promise<void>;
}
