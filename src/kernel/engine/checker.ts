import { join } from 'node:path';
import type ts from 'typescript6';
import { type CellNames, type DeclaredName, namesOf } from './cell-names.ts';
import { completionsAt } from './completion.ts';
import type { Completeness, Completion, Inspection } from './index.ts';
import { inspectionAt } from './inspection.ts';
import { isCompleteSource } from './is-complete.ts';
import { createService } from './language-service.ts';
import type { CellDiagnostic } from './trace.ts';
import { TypeFiles } from './type-files.ts';
import { loadTypeScript } from './typescript.ts';

/** A checked cell: what is wrong with it and, once it has run, what it offers to later cells. */
export interface CheckedCell {
  diagnostics: CellDiagnostic[];
  file: string;
  text: string;
  names: readonly DeclaredName[];
  /** the modules of earlier cells that it takes names from */
  imports: readonly string[];
}

/** The number of the module that holds the text in question; cells that ran have numbers from 1. */
const CURRENT = 0;

/**
 * What is no error in a notebook: a variable without a type gets one from its first assignment in a later cell, and
 * a package without declarations is used as it is, untyped.
 */
const TOLERATED = new Set([7005, 7034, 7016]);

/** How many texts are remembered: who runs a cell again runs a late one. */
const MOST_PASSED = 100;

const TENSORS = /['"]@tensorflow\/tfjs-core['"]/;
const TENSOR_METHODS =
  "import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';";

/**
 * Checks cells with TypeScript. Every cell is a module of its own: what it uses of earlier cells it imports from the
 * modules that last declared it, so a type is inferred once, where it is declared, and a redeclared name simply
 * comes from a later module.
 */
export class CellChecker {
  readonly #ts: typeof ts;
  readonly #folder: string;
  readonly #files: TypeFiles;
  readonly #host: ts.CompilerHost;
  /** the program of the last check, whose work the next one takes over */
  #program: ts.Program | undefined;
  #service: ts.LanguageService | undefined;
  /** for each name, the module that declares it and how */
  readonly #declared = new Map<string, { file: string; name: DeclaredName }>();
  /** modules that add to the global scope: every later cell sees them */
  readonly #augmenting: string[] = [];
  /** for each module that later cells may need, those that it needs itself */
  readonly #kept = new Map<string, readonly string[]>();
  /** texts of modules without a fault, the latest */
  readonly #passed = new Set<string>();
  #usesOwnFiles = false;
  #usesLibrary = false;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
    const loaded = loadTypeScript();
    this.#ts = loaded.typescript;
    this.#files = new TypeFiles(loaded, folder);
    this.#host = {
      ...this.#files.host(),
      getSourceFile: (name, options) => this.#files.sourceFile(name, options),
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
      writeFile: () => {},
    };
  }

  /** Checks a cell against the cells committed so far. */
  check(source: string): CheckedCell {
    this.#count += 1;
    const file = this.#cellFile(this.#count);
    const names = namesOf(this.#ts, source);
    this.#usesLibrary ||= /['"]llm-lab\b/.test(source);
    const { text, imports } = this.#module(source, names);
    this.#files.refresh();
    this.#files.setCell(this.#cellFile(CURRENT), text);
    if (needsNodeTypes(source)) this.#files.useNodeTypes();
    let diagnostics = this.#passed.has(text) ? [] : this.#diagnose(source);
    if (
      diagnostics.length > 0 &&
      !this.#files.hasNodeTypes &&
      diagnostics.every(({ code }) => code >= 2000)
    ) {
      this.#files.useNodeTypes();
      diagnostics = this.#diagnose(source);
    }
    // a module's text names the modules it depends on: what passed once passes again, unless files can be edited
    this.#usesOwnFiles ||= /['"](\.{0,2}\/|[A-Za-z]:)/.test(source);
    if (this.#usesOwnFiles) this.#passed.clear();
    else if (diagnostics.length === 0) this.#notePassed(text);
    return { diagnostics, file, text, names: names.declared, imports };
  }

  #diagnose(source: string): CellDiagnostic[] {
    const current = this.#cellFile(CURRENT);
    const program = this.#ts.createProgram({
      rootNames: this.#files.rootsFor(current),
      options: this.#files.options,
      host: this.#host,
      ...(this.#program ? { oldProgram: this.#program } : {}),
    });
    this.#program = program;
    const file = program.getSourceFile(current);
    const syntactic = program.getSyntacticDiagnostics(file);
    const found = syntactic.length > 0 ? syntactic : program.getSemanticDiagnostics(file);
    const errors = found.filter(({ category }) => category === this.#ts.DiagnosticCategory.Error);
    const [first] = syntactic;
    if (first && isMarkup(this.#ts, source))
      return [{ ...this.#describe(first, source), message: NO_MARKUP }];
    return errors.filter(({ code }) => !TOLERATED.has(code)).map((one) => this.#describe(one, source));
  }

  /**
   * Offers a cell that ran to later cells.
   *
   * @param alive of a cell that failed, the names that got a value; types always count
   */
  commit(cell: CheckedCell, alive?: readonly string[]): void {
    const offered = cell.names.filter(({ name, kind }) => !alive || kind === 'type' || alive.includes(name));
    const isAugmenting = /\bdeclare\s+(global|module)\b/.test(cell.text);
    const isReplacing = offered.some(({ name }) => this.#declared.has(name));
    if (offered.length > 0 || isAugmenting) {
      this.#files.setCell(cell.file, cell.text);
      this.#kept.set(cell.file, cell.imports);
    }
    for (const name of offered) this.#declared.set(name.name, { file: cell.file, name });
    if (isAugmenting) this.#augmenting.push(cell.file);
    if (isReplacing) this.#forgetUnreachable();
  }

  /** Lets go of the modules that no name leads to any more, not even by way of others. */
  #forgetUnreachable(): void {
    const waiting = [...[...this.#declared.values()].map(({ file }) => file), ...this.#augmenting];
    const reached = new Set<string>();
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      waiting.push(...(this.#kept.get(file) ?? []));
    }
    for (const file of this.#kept.keys()) {
      if (reached.has(file)) continue;
      this.#kept.delete(file);
      this.#files.dropCell(file);
    }
  }

  #notePassed(text: string): void {
    this.#passed.add(text);
    for (const oldest of this.#passed) {
      if (this.#passed.size <= MOST_PASSED) break;
      this.#passed.delete(oldest);
    }
  }

  /** Reads ahead in steps: the library's types file by file, a check that uses them, Node's declarations. */
  *preload(): Generator<void> {
    yield* this.#files.preloadLibrary();
    this.check("import * as lab from 'llm-lab'");
    yield* this.#files.preloadNodeTypes();
  }

  /** Starts over with what is known of files and cells, after a check was cut short. */
  recover(): void {
    this.#program = undefined;
    this.#service = undefined;
  }

  complete(source: string, offset: number): Completion {
    return completionsAt(this.#ts, this.#serviceFor(source), this.#cellFile(CURRENT), source, offset);
  }

  inspect(source: string, offset: number): Inspection | undefined {
    return inspectionAt(this.#ts, this.#serviceFor(source), this.#cellFile(CURRENT), source, offset);
  }

  isComplete(source: string): Completeness {
    return isCompleteSource(this.#ts, source);
  }

  /** The service for a question about unfinished text, in which every name of the notebook is in scope. */
  #serviceFor(source: string): ts.LanguageService {
    const names = namesOf(this.#ts, source);
    const used = new Set([...names.used, ...this.#declared.keys()]);
    this.#files.useNodeTypes();
    this.#files.refresh();
    this.#files.setCell(this.#cellFile(CURRENT), this.#module(source, { ...names, used }).text);
    this.#service ??= createService(this.#ts, this.#files, () => this.#cellFile(CURRENT));
    return this.#service;
  }

  #cellFile(count: number): string {
    return join(this.#folder, `__lab_cell_${count}.ts`);
  }

  /** The cell's own text first, so that its positions stay; imports and exports after it. */
  #module(source: string, names: CellNames): { text: string; imports: string[] } {
    const own = new Set(names.declared.map(({ name }) => name));
    const imports: string[] = [];
    const files = new Set(this.#augmenting);
    for (const used of names.used) {
      const found = own.has(used) ? undefined : this.#declared.get(used);
      if (!found) continue;
      files.add(found.file);
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
    // the library gives tensors their methods: to a cell that imports TensorFlow.js alone, too
    if (this.#usesLibrary && TENSORS.test(source)) augmentations.push(TENSOR_METHODS);
    const text = `${source}\n;${imports.join('')}${augmentations.join('')}export { ${exported.join(', ')} };`;
    return { text, imports: [...files] };
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

/**
 * Whether a cell imports what may be described in Node's terms. The library and TensorFlow.js are not; where a cell
 * that imports only those fails its check, Node's declarations are read and it is checked again.
 */
function needsNodeTypes(source: string): boolean {
  if (/\brequire\b|\bimport\s*[(=]/.test(source)) return true;
  const specifiers = source.matchAll(/\b(?:from|import)\s*(['"])(.*?)\1/g);
  for (const [, , name = ''] of specifiers) {
    if (!/^(llm-lab(\/.*)?|tslab|@tensorflow\/tfjs-core)$/.test(name)) return true;
  }
  return false;
}

const NO_MARKUP =
  'Markup in code (JSX) is not TypeScript; write HTML as text and show it with display.html() of tslab';

/** Whether a source that is no TypeScript is right once elements like `<div>` may stand in it. */
function isMarkup(typescript: typeof ts, source: string): boolean {
  if (!/<\w*[\s\w]*\/?>/.test(source)) return false;
  const { diagnostics = [] } = typescript.transpileModule(source, {
    reportDiagnostics: true,
    fileName: 'cell.tsx',
    compilerOptions: { jsx: typescript.JsxEmit.Preserve, target: typescript.ScriptTarget.ESNext },
  });
  return diagnostics.length === 0;
}

function lineAndColumn(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
