/** Where code that is not a cell's own (a training loop of the library) learns that the person interrupted. */
const INTERRUPT_SIGNAL = Symbol.for('llm-lab.interruptSignal');

/** Installs a function that gives the signal of the next interrupt; returns what raises it. */
export function installInterruptSignal(): () => void {
  let controller = new AbortController();
  Reflect.set(globalThis, INTERRUPT_SIGNAL, () => controller.signal);
  return () => {
    const raised = controller;
    controller = new AbortController();
    raised.abort();
  };
}
