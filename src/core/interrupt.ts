/** Interrupts from outside, for the loops of the library that take long. */

/** A signal from the program that runs us, if it offers one: our Jupyter kernel gives a fresh one for each interrupt. */
export function hostInterrupt(): AbortSignal | undefined {
  const source: unknown = Reflect.get(globalThis, Symbol.for('llm-lab.interruptSignal'));
  const signal: unknown = typeof source === 'function' ? source() : undefined;
  return signal instanceof AbortSignal ? signal : undefined;
}
