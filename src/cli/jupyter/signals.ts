/** The signals that mean "please end": Ctrl-C, a service manager, a closed terminal window. */
import { killTree, processTree } from './process-tree.ts';

/** Exit codes of a process that ended because of a signal, as shells count them. */
export const STOP_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type StopSignal = keyof typeof STOP_CODES;

/** A terminal's Ctrl-C and npm passing it on arrive within this time and are one wish. */
const SAME_WISH = 1_000;

/**
 * Calls `stop` at the first such signal. Somebody who asks again, later, is not to wait any more: then everything
 * that we started is killed. Returns a function that takes the listeners away.
 */
export function onStopSignal(stop: (signal: StopSignal) => void): () => void {
  let first: number | undefined;
  const listener = (name: NodeJS.Signals) => {
    const signal = isStopSignal(name) ? name : 'SIGTERM';
    if (first === undefined) {
      first = Date.now();
      stop(signal);
    } else if (Date.now() - first > SAME_WISH) {
      killTree(process.pid, processTree(process.pid).slice(1));
      process.exit(STOP_CODES[signal]);
    }
  };
  const signals = Object.keys(STOP_CODES).filter(isStopSignal);
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

function isStopSignal(name: string): name is StopSignal {
  return name in STOP_CODES;
}
