/**
 * The few globals of Node that most cells use, for as long as a notebook gets by with them: Node's own declarations
 * are the larger part of what TypeScript has to read before it can check anything.
 */

interface Console {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  clear(): void;
}

declare var console: Console;

declare var performance: { now(): number };

declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;
