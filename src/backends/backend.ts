/** What a backend is to the rest of the library: a name, a way to look whether it is there, and a way to start it. */

export const BACKEND_NAMES = ['wasm', 'tensorflow', 'cuda', 'webgpu', 'cpu'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

/** The backend in use. */
export interface BackendInfo {
  readonly name: BackendName;
  /** Why this one: chosen by whom, or what speaks for it. */
  readonly reason: string;
  /** What computes, for example `2 threads, relaxed SIMD` or the name of a GPU. */
  readonly device: string;
}

/** Whether a backend can be used on this machine. */
export interface BackendProbe {
  readonly name: BackendName;
  readonly available: boolean;
  /** What is there, or what is missing. */
  readonly detail: string;
  /** How to get it, where something can be done about it. */
  readonly mend?: string;
}

export interface Backend {
  readonly name: BackendName;
  /** Looks without starting anything. */
  probe(): Promise<BackendProbe>;
  /**
   * Makes it TensorFlow.js' backend and returns the device. Only called when `probe` found it available.
   *
   * @throws Error when it does not start; the message says why.
   */
  start(): Promise<string>;
}

export function isBackendName(name: string): name is BackendName {
  return BACKEND_NAMES.some((known) => known === name);
}
