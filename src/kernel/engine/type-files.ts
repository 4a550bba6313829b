import { readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type ts from 'typescript6';
import { compilerOptions, GLOBALS, LIGHT_GLOBALS } from './compiler-options.ts';
import { DISPLAY_MODULE, isOwnPath, PACKAGE_ROOT } from './imports.ts';
import type { KnownFile, LoadedTypeScript } from './typescript.ts';

/** Where a module of this package would stand: what a notebook's folder does not offer is looked for from here. */
const PACKAGE_MODULE = join(PACKAGE_ROOT, 'package.ts');

function memoized<T>(compute: (key: string) => T, isStable: (key: string) => boolean): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!isStable(key)) return compute(key);
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

/**
 * The files TypeScript sees: real ones, and the cells of one notebook, which exist only here. Whatever cannot
 * change while a notebook runs (packages, this library) is read, parsed and resolved once.
 */
export class TypeFiles {
  readonly #ts: typeof ts;
  readonly #folder: string;
  readonly #files: Map<string, KnownFile>;
  readonly #cells = new Set<string>();
  readonly #resolutions = new Map<string, ts.ResolvedModuleWithFailedLookupLocations>();
  readonly #typeDirectives = new Map<string, ts.ResolvedTypeReferenceDirectiveWithFailedLookupLocations>();
  /** files of the person, looked at since the last refresh */
  readonly #looked = new Set<string>();
  #options: ts.CompilerOptions;
  #hasNodeTypes = false;
  #edition = 0;
  readonly #resolutionCache: ts.ModuleResolutionCache;
  readonly #fileExists: (file: string) => boolean;
  readonly #directoryExists: (file: string) => boolean;
  readonly #readFile: (file: string) => string | undefined;

  /** @param folder where the cells stand: their imports resolve from there, then from this package */
  constructor({ typescript, files }: LoadedTypeScript, folder: string) {
    this.#ts = typescript;
    this.#files = new Map(files);
    this.#folder = folder;
    this.#options = compilerOptions(typescript);
    this.#resolutionCache = typescript.createModuleResolutionCache(
      PACKAGE_ROOT,
      (name) => name,
      this.#options,
    );
    const { sys } = typescript;
    const isStable = (file: string) => !isOwnPath(file) && file.startsWith(PACKAGE_ROOT);
    this.#fileExists = memoized((file) => sys.fileExists(file), isStable);
    this.#directoryExists = memoized((folder) => sys.directoryExists(folder), isStable);
    this.#readFile = memoized((file) => sys.readFile(file), isStable);
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

  isCell(file: string): boolean {
    return this.#cells.has(file);
  }

  /** Looks again at files of the person before the next check: they may have been edited. */
  refresh(): void {
    this.#edition += 1;
    this.#looked.clear();
    for (const [key, { resolvedModule }] of this.#resolutions) {
      if (!resolvedModule || isOwnPath(resolvedModule.resolvedFileName)) this.#resolutions.delete(key);
    }
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
   * Parses the library and what its types are made of, a file at a step, for the time when nobody waits: the first
   * cell of most notebooks imports the library.
   */
  preloadLibrary(): Generator<void> {
    return this.#preloadFrom(join(PACKAGE_ROOT, 'src', 'index.ts'), (file) => !file.includes('@types'));
  }

  /** Parses Node's declarations likewise: completion knows its names. */
  preloadNodeTypes(): Generator<void> {
    const index = join(PACKAGE_ROOT, 'node_modules', '@types', 'node', 'index.d.ts');
    return this.#preloadFrom(index, (file) => file.includes('@types'));
  }

  *#preloadFrom(root: string, isWanted: (file: string) => boolean): Generator<void> {
    const waiting = [root];
    const seen = new Set(waiting);
    const host = this.#resolutionHost();
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const format = this.#ts.getImpliedNodeFormatForFile(
        name,
        this.#resolutionCache.getPackageJsonInfoCache(),
        host,
        this.#options,
      );
      this.sourceFile(name, {
        languageVersion: this.#ts.ScriptTarget.ES2024,
        ...(format === undefined ? {} : { impliedNodeFormat: format }),
      });
      const text = this.file(name)?.snapshot.getText(0, Number.MAX_SAFE_INTEGER) ?? '';
      const { importedFiles, referencedFiles } = this.#ts.preProcessFile(text, true, false);
      const files = [
        ...importedFiles.map(
          ({ fileName }) => this.#resolve(fileName, name).resolvedModule?.resolvedFileName,
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
    const { sys } = this.#ts;
    return {
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: (settings: ts.CompilerOptions) => this.#ts.getDefaultLibFilePath(settings),
      useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
      fileExists: (file: string) => this.#cells.has(file) || this.#fileExists(file),
      readFile: (file: string) => this.#readFile(file),
      directoryExists: (folder: string) => this.#directoryExists(folder),
      getDirectories: sys.getDirectories,
      readDirectory: sys.readDirectory,
      getModuleResolutionCache: () => this.#resolutionCache,
      resolveModuleNameLiterals: (literals: readonly ts.StringLiteralLike[], containingFile: string) =>
        literals.map(({ text }) => this.#resolve(text, containingFile)),
      resolveTypeReferenceDirectiveReferences: <T extends ts.FileReference | string>(
        references: readonly T[],
        containingFile: string,
      ) =>
        references.map((reference) =>
          this.#resolveTypes(typeof reference === 'string' ? reference : reference.fileName, containingFile),
        ),
    };
  }

  #resolutionHost(): ts.ModuleResolutionHost {
    const { realpath } = this.#ts.sys;
    return { ...this.host(), ...(realpath ? { realpath } : {}) };
  }

  #resolve(name: string, containingFile: string): ts.ResolvedModuleWithFailedLookupLocations {
    const isPackage = containingFile.includes(`${sep}node_modules${sep}`);
    if (name.startsWith('./__lab_cell_')) {
      const cell = join(this.#folder, name);
      if (this.#cells.has(cell)) {
        return {
          resolvedModule: { resolvedFileName: cell, extension: '.ts', isExternalLibraryImport: false },
        };
      }
    }
    const key = `${isPackage ? containingFile : dirname(containingFile)}\0${name}`;
    let resolution = this.#resolutions.get(key);
    if (!resolution) {
      resolution = this.#resolveAnew(name, containingFile, isPackage);
      this.#resolutions.set(key, resolution);
    }
    return resolution;
  }

  /**
   * What the library's sources import besides its own parts. Only what its public types are made of is read: the
   * declarations of the rest (Vega, Hugging Face's clients, backends) are larger than the library.
   */
  #isReadForLibrary(name: string): boolean {
    return /^(\.|node:|llm-lab|tslab$|zod$|@tensorflow\/tfjs-core($|\/))/.test(name);
  }

  #resolveAnew(
    name: string,
    containingFile: string,
    isPackage: boolean,
  ): ts.ResolvedModuleWithFailedLookupLocations {
    const isLibrary = containingFile.startsWith(join(PACKAGE_ROOT, 'src') + sep);
    if (isLibrary && !this.#isReadForLibrary(name)) return { resolvedModule: undefined };
    const host = this.#resolutionHost();
    const from = (file: string) => this.#ts.resolveModuleName(name, file, this.#options, host);
    if (!isPackage && name === 'tslab') {
      return this.#ts.resolveModuleName(DISPLAY_MODULE, containingFile, this.#options, host);
    }
    if (!isPackage && (name === 'llm-lab' || name.startsWith('llm-lab/'))) return from(PACKAGE_MODULE);
    const resolved = from(containingFile);
    if (resolved.resolvedModule || name.startsWith('.') || isPackage) return resolved;
    return from(PACKAGE_MODULE);
  }

  #resolveTypes(
    name: string,
    containingFile: string,
  ): ts.ResolvedTypeReferenceDirectiveWithFailedLookupLocations {
    if (name.startsWith('@webgpu/')) return { resolvedTypeReferenceDirective: undefined };
    const key = `${dirname(containingFile)}\0${name}`;
    let resolution = this.#typeDirectives.get(key);
    if (!resolution) {
      const host = this.#resolutionHost();
      resolution = this.#ts.resolveTypeReferenceDirective(name, containingFile, this.#options, host);
      this.#typeDirectives.set(key, resolution);
    }
    return resolution;
  }
}
