import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CompiledCell, compileCell } from './compile.ts';
import { createImporter } from './imports.ts';
import { createSurroundings, Interrupted, runCell, type Surroundings } from './run-cell.ts';
import { Session } from './session.ts';
import { type CellDiagnostic, type CellError, describeError } from './trace.ts';

export type { CellDiagnostic, CellError } from './trace.ts';

/** What an engine is made for. */
export interface EngineOptions {
  /** the notebook's folder: relative imports and packages resolve from it. Default: the current folder */
  cwd?: string;
  /** check types before anything runs. Default true; without it TypeScript is not even loaded */
  typeCheck?: boolean;
}

/** What running a cell gave: the value of its last expression, or its error. */
export type RunResult = { ok: true; value: unknown } | { ok: false; error: CellError };

/** Offers for a cursor: replace `[start, end)` by one of `matches`. */
export interface Completion {
  start: number;
  end: number;
  matches: { text: string; kind: string }[];
}

/** What is known about the name at a cursor: its signature or type as code, and its documentation. */
export interface Inspection {
  signature: string;
  documentation: string;
}

/** Whether a source is ready to run, needs more lines (with the indent of the next), or can never run. */
export type Completeness = { status: 'complete' | 'invalid' } | { status: 'incomplete'; indent: string };

/** Runs the cells of one notebook, one after the other, in this process. */
export interface Engine {
  /**
   * Runs one cell; cells run one at a time, in the order asked for. Never rejects.
   *
   * @param options.name how stack traces call the cell; by default `cell-1`, `cell-2` and so on
   */
  run(source: string, options?: { name?: string }): Promise<RunResult>;
  /** The present value of a variable of a cell; undefined if there is none. */
  get(name: string): unknown;
  /** The names of the variables that have a value. */
  names(): string[];
  /** Ends the wait for the running cell, which fails with `Interrupted`; false if none runs. */
  interrupt(): boolean;
  /** An error thrown by code of a cell outside of its run (a timer, say), with its frames in cells. */
  describeError(thrown: unknown): CellError;
  complete(source: string, offset: number): Promise<Completion>;
  inspect(source: string, offset: number): Promise<Inspection | undefined>;
  isComplete(source: string): Promise<Completeness>;
  /** Checks a first cell, so that the next one does not wait for the compiler. */
  warmUp(): Promise<void>;
  /** Reads the library's types ahead, in steps of milliseconds, for as long as `isIdle` says that nobody waits. */
  readAhead(isIdle: () => boolean): Promise<void>;
  /** Lets go of all variables; the engine takes no more cells. */
  dispose(): void;
}

/**
 * An engine for the cells of a notebook. The kernel and the grader both run cells through it, so that a cell means
 * the same to both.
 */
export function createEngine(options: EngineOptions = {}): Engine {
  return new NotebookEngine(resolve(options.cwd ?? process.cwd()), options.typeCheck ?? true);
}

/** Milliseconds for which a request may have to wait for what is read ahead. */
const LONGEST_STEP = 5;

type Checker = import('./checker.ts').CellChecker;

class NotebookEngine implements Engine {
  readonly #cwd: string;
  readonly #typeCheck: boolean;
  /** the way back to the sources of cells, by their names */
  readonly #cells = new Map<string, Pick<CompiledCell, 'originalPosition'>>();
  readonly #session = new Session();
  readonly #surroundings: Surroundings;
  #checker: Promise<Checker> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #interrupt: (() => void) | undefined;
  /** ends the wait for a cell whose own code can no longer end it */
  #abandon: (() => void) | undefined;
  #count = 0;
  #isDisposed = false;

  constructor(cwd: string, typeCheck: boolean) {
    this.#cwd = cwd;
    this.#typeCheck = typeCheck;
    this.#surroundings = createSurroundings(cwd, this.#session, createImporter(cwd));
  }

  run(source: string, options: { name?: string } = {}): Promise<RunResult> {
    const turn = this.#queue.then(
      () =>
        new Promise<RunResult>((resolve) => {
          this.#abandon = () => resolve(this.#failure(new Interrupted()));
          // from a turn of its own: what an interrupt unwinds, down to the event loop, must not be the caller
          setImmediate(() => void this.#run(source, options.name).then(resolve));
        }),
    );
    this.#queue = turn;
    return turn;
  }

  async #run(source: string, name?: string): Promise<RunResult> {
    if (this.#isDisposed) return this.#failure(new Error('the engine is disposed'));
    this.#count += 1;
    const cellName = name ?? `cell-${this.#count}`;
    const { interrupts } = this.#surroundings;
    try {
      const checker = this.#typeCheck ? await this.#loadChecker() : undefined;
      const checked = checker?.check(source);
      if (interrupts !== this.#surroundings.interrupts) return this.#failure(new Interrupted());
      if (checked && checked.diagnostics.length > 0) {
        return { ok: false, error: refusal(source, cellName, checked.diagnostics) };
      }
      const cell = compileCell(source, { isSessionName: (one) => this.#session.has(one) });
      this.#cells.set(cellName, { originalPosition: cell.originalPosition });
      const outcome = await runCell(cell, cellName, this.#surroundings, (interrupt) => {
        this.#interrupt = interrupt;
      });
      this.#interrupt = undefined;
      if (checked) checker?.commit(checked, outcome.ok ? undefined : outcome.names);
      return outcome.ok ? { ok: true, value: outcome.value } : this.#failure(outcome.thrown);
    } catch (error) {
      return { ok: false, error: syntaxError(error, cellName) ?? this.describeError(error) };
    } finally {
      this.#abandon = undefined;
    }
  }

  #failure(thrown: unknown): RunResult {
    return { ok: false, error: this.describeError(thrown) };
  }

  get(name: string): unknown {
    return this.#session.has(name) && this.#session.isReached(name) ? this.#session.scope[name] : undefined;
  }

  names(): string[] {
    return this.#session.names().filter((name) => this.#session.isReached(name));
  }

  interrupt(): boolean {
    this.#surroundings.interrupts += 1;
    const abandon = this.#abandon;
    this.#abandon = undefined;
    if (!abandon) return false;
    if (this.#interrupt) this.#interrupt();
    else {
      // cut short outside of the cell's code: the checker may be half way through its work
      this.#checker?.then((checker) => checker.recover());
      abandon();
    }
    return true;
  }

  describeError(thrown: unknown): CellError {
    return describeError(thrown, this.#cells);
  }

  async complete(source: string, offset: number): Promise<Completion> {
    return (await this.#loadChecker()).complete(source, offset);
  }

  async inspect(source: string, offset: number): Promise<Inspection | undefined> {
    return (await this.#loadChecker()).inspect(source, offset);
  }

  async isComplete(source: string): Promise<Completeness> {
    return (await this.#loadChecker()).isComplete(source);
  }

  async warmUp(): Promise<void> {
    if (this.#typeCheck) (await this.#loadChecker()).check('1');
    compileCell('1', { isSessionName: () => false });
  }

  async readAhead(isIdle: () => boolean): Promise<void> {
    if (!this.#typeCheck) return;
    await delay(300, undefined, { ref: false }); // the first cell may be on its way
    // Node loads its eraser of types when the first cell has some
    if (isIdle()) compileCell('const one: number = 1', { isSessionName: () => false });
    const steps = (await this.#loadChecker()).preload();
    while (!this.#isDisposed) {
      await delay(isIdle() ? 1 : 50, undefined, { ref: false });
      const end = performance.now() + LONGEST_STEP;
      while (isIdle() && performance.now() < end) if (steps.next().done) return;
    }
  }

  #loadChecker(): Promise<Checker> {
    this.#checker ??= import('./checker.ts').then(({ CellChecker }) => new CellChecker(this.#cwd));
    return this.#checker;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.interrupt();
    this.#cells.clear();
    this.#session.clear();
    this.#checker = undefined;
  }
}

function refusal(source: string, cellName: string, diagnostics: CellDiagnostic[]): CellError {
  const lines = source.split('\n');
  const reports = diagnostics.map(({ code, message, line, column, endLine, endColumn }) => {
    const text = lines[line - 1] ?? '';
    const length = Math.max(1, (endLine === line ? endColumn : text.length + 1) - column);
    const marker = ' '.repeat(Math.max(0, column - 1)) + '~'.repeat(length);
    return `${cellName}:${line}:${column} - error TS${code}: ${message}\n    ${text}\n    ${marker}`;
  });
  const isSyntax = diagnostics.some(({ code }) => code < 2000);
  const name = isSyntax ? 'SyntaxError' : 'TypeCheckError';
  const message = diagnostics.map((one) => `${one.message} (TS${one.code})`).join('\n');
  return { name, message, stack: `${name}: ${reports.join('\n')}`, diagnostics };
}

/** A syntax error found without the checker, with the place it knows. */
function syntaxError(error: unknown, cellName: string): CellError | undefined {
  if (!(error instanceof SyntaxError) || !('position' in error)) return undefined;
  const { position, message } = error;
  if (typeof position !== 'object' || position === null) return undefined;
  if (!('line' in position && 'column' in position)) return undefined;
  const stack = `SyntaxError: ${message}\n    at ${cellName}:${position.line}:${position.column}`;
  return { name: 'SyntaxError', message, stack };
}
