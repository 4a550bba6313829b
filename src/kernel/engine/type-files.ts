import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type ts from 'typescript6';
import { compilerOptions, GLOBALS, LIGHT_GLOBALS } from './compiler-options.ts';
import { ImportResolution } from './import-resolution.ts';
import { isOwnPath, PACKAGE_ROOT } from './imports.ts';
import { isUnchanged, LIBRARY_VERSION, type LibraryTypes } from './library-types.ts';
import type { KnownFile, LoadedTypeScript } from './typescript.ts';

/**
 * The files TypeScript sees: real ones, and the cells of one notebook, which exist only here. Whatever cannot
 * change while a notebook runs (packages, this library) is read, parsed and resolved once.
 */
export class TypeFiles {
  readonly #ts: typeof ts;
  readonly #files: Map<string, KnownFile>;
  readonly #cells = new Set<string>();
  /** files of the person, looked at since the last refresh */
  readonly #looked = new Set<string>();
  #options: ts.CompilerOptions;
  #hasNodeTypes = false;
  #edition = 0;
  readonly #imports: ImportResolution;
  /** the library's types that were made ahead, until something is imported */
  #unusedLibrary: LibraryTypes | undefined;
  #library: LibraryTypes | undefined;

  /** @param folder where the cells stand: their imports resolve from there, then from this package */
  constructor({ typescript, files, library }: LoadedTypeScript, folder: string) {
    this.#ts = typescript;
    this.#files = new Map(files);
    this.#options = compilerOptions(typescript);
    this.#unusedLibrary = library;
    const isCell = (file: string) => this.#cells.has(file);
    this.#imports = new ImportResolution(typescript, folder, isCell, () => this.#options);
  }

  /** Changes when a file may have: what was computed from an older edition is stale. */
  get edition(): number {
    return this.#edition;
  }

  get options(): ts.CompilerOptions {
    return this.#options;
  }

  /** Whether Node's declarations are in: a notebook starts without them, for speed. */
  get hasNodeTypes(): boolean {
    return this.#hasNodeTypes;
  }

  useNodeTypes(): void {
    if (this.#hasNodeTypes) return;
    this.#hasNodeTypes = true;
    this.#edition += 1;
    this.#options = { ...this.#options, types: ['node'] };
  }

  /** The files a program starts from, for a check of one cell. */
  rootsFor(cell: string): string[] {
    return this.#hasNodeTypes ? [GLOBALS, cell] : [GLOBALS, LIGHT_GLOBALS, cell];
  }

  setCell(file: string, text: string): void {
    this.#edition += 1;
    this.#cells.add(file);
    this.#files.set(file, {
      version: String(this.#edition),
      snapshot: this.#ts.ScriptSnapshot.fromString(text),
    });
  }

  dropCell(file: string): void {
    this.#cells.delete(file);
    this.#files.delete(file);
  }

  /** Looks again at files of the person before the next check: they may have been edited. */
  refresh(): void {
    this.#edition += 1;
    this.#looked.clear();
    this.#imports.refresh();
  }

  /** A file as it is now; undefined if there is none. */
  file(name: string): KnownFile | undefined {
    const known = this.#files.get(name);
    if (known && (this.#cells.has(name) || !isOwnPath(name) || this.#looked.has(name))) return known;
    this.#looked.add(name);
    const stat = statSync(name, { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    const version = `${stat.mtimeMs} ${stat.size}`;
    if (known?.version === version) return known;
    const file = { version, snapshot: this.#ts.ScriptSnapshot.fromString(readFileSync(name, 'utf8')) };
    this.#files.set(name, file);
    return file;
  }

  /** A parsed file, the same object as long as the file does not change. */
  sourceFile(
    name: string,
    options: ts.CreateSourceFileOptions | ts.ScriptTarget,
    kind?: ts.ScriptKind,
  ): ts.SourceFile | undefined {
    const file = this.file(name);
    if (!file) return undefined;
    file.source ??= this.#ts.createLanguageServiceSourceFile(
      name,
      file.snapshot,
      typeof options === 'object' ? { ...options, jsDocParsingMode: this.#jsDocMode(name) } : options,
      file.version,
      false,
      kind,
    );
    return file.source;
  }

  /** The comments of TypeScript's and Node's own declarations are a third of the work of reading them. */
  #jsDocMode(name: string): ts.JSDocParsingMode {
    const isStandard = /[\\/](typescript6[\\/]lib|@types[\\/]node)[\\/]/.test(name);
    return isStandard ? this.#ts.JSDocParsingMode.ParseNone : this.#ts.JSDocParsingMode.ParseAll;
  }

  /**
   * From the first import on: the types of the library that were made ahead, if its sources are still what they were
   * made of.
   */
  #useLibrary(): void {
    const library = this.#unusedLibrary;
    if (!library) return;
    this.#unusedLibrary = undefined;
    const isFresh = library.sources.every(isUnchanged);
    if (isFresh) this.#imports.useLibrary(library);
    for (const [path, text] of library.texts) {
      // the process may have begun with the file, read already
      const isRead = this.#files.get(path)?.version === LIBRARY_VERSION;
      if (!isFresh) this.#files.delete(path);
      else if (!isRead) {
        const snapshot = this.#ts.ScriptSnapshot.fromString(text);
        this.#files.set(path, { version: LIBRARY_VERSION, snapshot });
      }
    }
    if (isFresh) this.#library = library;
  }

  /**
   * Parses the library and what its types are made of, a file at a step, for the time when nobody waits: the first
   * cell of most notebooks imports the library.
   */
  *preloadLibrary(): Generator<void> {
    this.#useLibrary();
    if (!this.#library) {
      yield* this.#preloadFrom(join(PACKAGE_ROOT, 'src', 'index.ts'), (file) => !file.includes('@types'));
    }
    for (const [path] of this.#library?.texts ?? []) {
      this.#parse(path);
      yield;
    }
  }

  /** Parses Node's declarations likewise: completion knows its names. */
  preloadNodeTypes(): Generator<void> {
    const index = join(PACKAGE_ROOT, 'node_modules', '@types', 'node', 'index.d.ts');
    return this.#preloadFrom(index, (file) => file.includes('@types'));
  }

  /** Parses a file as a program would. */
  #parse(name: string): void {
    const format = this.#imports.formatOf(name);
    this.sourceFile(name, {
      languageVersion: this.#ts.ScriptTarget.ES2024,
      ...(format === undefined ? {} : { impliedNodeFormat: format }),
    });
  }

  *#preloadFrom(root: string, isWanted: (file: string) => boolean): Generator<void> {
    const waiting = [root];
    const seen = new Set(waiting);
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      this.#parse(name);
      const text = this.file(name)?.snapshot.getText(0, Number.MAX_SAFE_INTEGER) ?? '';
      const { importedFiles, referencedFiles } = this.#ts.preProcessFile(text, true, false);
      const files = [
        ...importedFiles.map(
          ({ fileName }) => this.#imports.resolve(fileName, name).resolvedModule?.resolvedFileName,
        ),
        ...referencedFiles.map(({ fileName }) => join(dirname(name), fileName)),
      ];
      for (const found of files) {
        if (found === undefined || seen.has(found) || !isWanted(found)) continue;
        seen.add(found);
        waiting.push(found);
      }
      yield;
    }
  }

  /** The part of a host that compiler and language service share. */
  host() {
    const shared = this.#imports.host();
    return {
      ...shared,
      resolveModuleNameLiterals: (literals: readonly ts.StringLiteralLike[], containingFile: string) => {
        if (literals.some(({ text }) => !text.startsWith('./__lab_cell_'))) this.#useLibrary();
        return shared.resolveModuleNameLiterals(literals, containingFile);
      },
    };
  }
}
