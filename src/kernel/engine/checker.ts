import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript6';
import { type CellNames, type DeclaredName, namesOf } from './cell-names.ts';
import { completionsAt } from './completion.ts';
import type { Completeness, Completion, Inspection } from './index.ts';
import { inspectionAt } from './inspection.ts';
import { isCompleteSource } from './is-complete.ts';
import type { CellDiagnostic } from './trace.ts';
import { createHost, type VirtualHost } from './virtual-host.ts';

const require = createRequire(import.meta.url);

/** A checked cell: what is wrong with it and, once it has run, what it offers to later cells. */
export interface CheckedCell {
  diagnostics: CellDiagnostic[];
  file: string;
  names: readonly DeclaredName[];
}

/** A variable without a type gets one from its first assignment in a notebook's next cell: no error here. */
const IMPLICIT_ANY_VARIABLE = new Set([7005, 7034]);

/**
 * Checks cells with TypeScript. Every cell is a module of its own: what it uses of earlier cells it imports from the
 * modules that last declared it, so a type is inferred once, where it is declared, and a redeclared name simply
 * comes from a later module.
 */
export class CellChecker {
  readonly #ts: typeof ts = require('typescript6');
  readonly #folder: string;
  readonly #host: VirtualHost;
  #service: ts.LanguageService;
  /** for each name, the module that declares it and how */
  readonly #declared = new Map<string, { file: string; name: DeclaredName }>();
  /** modules that add to the global scope: every later cell sees them */
  readonly #augmenting: string[] = [];
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#host = createHost(this.#ts, folder);
    this.#service = this.#ts.createLanguageService(this.#host, this.#host.registry);
  }

  /** Checks a cell against the cells committed so far. */
  check(source: string): CheckedCell {
    this.#count += 1;
    const file = this.#cellFile(this.#count);
    const names = namesOf(this.#ts, source);
    this.#host.setCell(file, this.#moduleText(source, names));
    this.#host.refresh();
    const syntactic = this.#service.getSyntacticDiagnostics(file);
    const found = syntactic.length > 0 ? syntactic : this.#service.getSemanticDiagnostics(file);
    const diagnostics = found
      .filter(
        ({ category, code }) =>
          category === this.#ts.DiagnosticCategory.Error && !IMPLICIT_ANY_VARIABLE.has(code),
      )
      .map((one) => this.#describe(one, source));
    return { diagnostics, file, names: names.declared };
  }

  /**
   * Offers a cell that ran to later cells.
   *
   * @param alive of a cell that failed, the names that got a value; types always count
   */
  commit(cell: CheckedCell, alive?: readonly string[]): void {
    const offered = cell.names.filter(({ name, kind }) => !alive || kind === 'type' || alive.includes(name));
    for (const name of offered) this.#declared.set(name.name, { file: cell.file, name });
    if (/\bdeclare\s+(global|module)\b/.test(this.#host.cellText(cell.file) ?? ''))
      this.#augmenting.push(cell.file);
  }

  /** Starts over with what is known of files and cells, after a check was cut short. */
  recover(): void {
    this.#service = this.#ts.createLanguageService(this.#host, this.#host.registry);
  }

  complete(source: string, offset: number): Completion {
    const file = this.#scratch(source);
    return completionsAt(this.#ts, this.#service, file, source, offset);
  }

  inspect(source: string, offset: number): Inspection | undefined {
    const file = this.#scratch(source);
    return inspectionAt(this.#ts, this.#service, file, source, offset);
  }

  isComplete(source: string): Completeness {
    return isCompleteSource(this.#ts, source);
  }

  /** A module for a question about unfinished text, in which every name of the notebook is in scope. */
  #scratch(source: string): string {
    const file = this.#cellFile(0);
    const names = namesOf(this.#ts, source);
    const used = new Set([...names.used, ...this.#declared.keys()]);
    this.#host.setCell(file, this.#moduleText(source, { ...names, used }));
    this.#host.refresh();
    return file;
  }

  #cellFile(count: number): string {
    return join(this.#folder, `__lab_cell_${count}.ts`);
  }

  /** The cell's own text first, so that its positions stay; imports and exports after it. */
  #moduleText(source: string, names: CellNames): string {
    const own = new Set(names.declared.map(({ name }) => name));
    const imports: string[] = [];
    for (const used of names.used) {
      const found = own.has(used) ? undefined : this.#declared.get(used);
      if (!found) continue;
      const from = `'./${found.file.slice(this.#folder.length + 1)}'`;
      // an imported name cannot be assigned, a declared variable can
      imports.push(
        found.name.kind === 'variable'
          ? `declare let ${used}: typeof import(${from}).${used};`
          : `import { ${used} } from ${from};`,
      );
    }
    const exported = names.declared.filter((one) => !one.isExported).map(({ name }) => name);
    const augmentations = this.#augmenting.map(
      (file) => `import './${file.slice(this.#folder.length + 1)}';`,
    );
    return `${source}\n;${imports.join('')}${augmentations.join('')}export { ${exported.join(', ')} };`;
  }

  #describe(diagnostic: ts.Diagnostic, source: string): CellDiagnostic {
    const message = this.#ts
      .flattenDiagnosticMessageText(diagnostic.messageText, '\n')
      .replace(/import\("[^"]*__lab_cell_\d+(?:\.ts)?"\)\./g, '');
    const start = Math.min(diagnostic.start ?? 0, source.length);
    const end = Math.min(start + (diagnostic.length ?? 1), source.length);
    const from = lineAndColumn(source, start);
    const to = lineAndColumn(source, end);
    return {
      code: diagnostic.code,
      message,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
    };
  }
}

function lineAndColumn(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
