import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { CompiledCell } from './compile.ts';
import type { Importer } from './imports.ts';
import type { Binding, Session } from './session.ts';

/** Thrown into a cell that waits when it is interrupted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('the cell was interrupted');
  }
}

/** What cells of one notebook share besides their variables. */
export interface Surroundings {
  session: Session;
  importModule: Importer;
  /** how often the session was interrupted */
  interrupts: number;
  meta: { url: string; dirname: string; filename: string; resolve(specifier: string): string };
}

/** Surroundings of cells whose relative imports resolve from `folder`. */
export function createSurroundings(folder: string, session: Session, importModule: Importer): Surroundings {
  const filename = join(folder, 'notebook.ts');
  const require = createRequire(filename);
  session.define({
    require: [() => require],
    __dirname: [() => folder],
    __filename: [() => filename],
  });
  const resolve = (specifier: string) => pathToFileURL(require.resolve(specifier)).href;
  const meta = { url: pathToFileURL(filename).href, dirname: folder, filename, resolve };
  return { session, importModule, interrupts: 0, meta };
}

/** How a cell ended, and the names it brought to life. */
export type CellOutcome = { names: string[] } & (
  | { ok: true; value: unknown }
  | { ok: false; thrown: unknown }
);

/** A CommonJS module's exports are looked for in its default export too, as bundlers and TypeScript do. */
function withDefaultMembers(
  specifier: string,
  module: Record<string, unknown>,
  names: readonly string[],
  needed: readonly string[],
): Record<string, unknown> {
  const missing = names.filter((name) => name !== '*' && !(name in module));
  if (missing.length === 0) return module;
  const fallback = module.default;
  const members: Record<string, unknown> =
    (typeof fallback === 'object' && fallback !== null) || typeof fallback === 'function'
      ? { ...fallback }
      : {};
  const absent = missing.find((name) => needed.includes(name) && !(name in members));
  if (absent !== undefined) {
    throw new SyntaxError(`the module '${specifier}' does not provide an export named '${absent}'`);
  }
  return { ...members, ...module };
}

/**
 * Runs a compiled cell. It starts from the event loop, so that ending the execution from outside (an interrupt of
 * an endless loop) takes down the cell's calls and not the caller's.
 *
 * @param name how stack traces call the cell
 * @param onStart gets a function that ends the wait for the cell
 */
export async function runCell(
  cell: CompiledCell,
  name: string,
  surroundings: Surroundings,
  onStart: (interrupt: () => void) => void,
): Promise<CellOutcome> {
  const { session } = surroundings;
  session.expect(cell.unknownNames);
  let before = new Map<string, PropertyDescriptor | undefined>();
  const context = {
    scope: session.scope,
    meta: surroundings.meta,
    result: undefined,
    get interrupts() {
      return surroundings.interrupts;
    },
    resume(interrupts: number, value: unknown) {
      if (interrupts !== surroundings.interrupts) throw new Interrupted();
      return value;
    },
    import: (specifier: unknown, options?: ImportCallOptions) =>
      surroundings.importModule(String(specifier), options),
    async importModule(
      specifier: string,
      attributes: Record<string, string>,
      names: readonly string[],
      needed: readonly string[],
    ) {
      const module = await surroundings.importModule(specifier, { with: { ...attributes } });
      return withDefaultMembers(specifier, module, names, needed);
    },
    define(bindings: Readonly<Record<string, Binding>>) {
      before = session.define(bindings);
    },
  };
  const failed = (thrown: unknown): CellOutcome => ({
    ok: false,
    thrown,
    names: session.restoreUnreached(before),
  });
  let run: (session: typeof context) => Promise<void>;
  try {
    run = new vm.Script(cell.code, { filename: name, lineOffset: -1 }).runInThisContext();
  } catch (error) {
    return failed(error);
  }
  return await new Promise<CellOutcome>((resolve) => {
    const { interrupts } = surroundings;
    onStart(() => resolve(failed(new Interrupted())));
    setImmediate(() => {
      if (interrupts !== surroundings.interrupts) return; // it ended before it began
      run(context).then(
        () => resolve({ ok: true, value: context.result, names: cell.names }),
        (thrown) => resolve(failed(thrown)),
      );
    });
  });
}
