/** Calls `exceeded` once if the process tree takes more than the limit. Does nothing where there is no /proc. */
export declare function watchMemory(
  pid: number,
  limitMb: number,
  ended: Promise<void>,
  exceeded: () => void,
): void;
