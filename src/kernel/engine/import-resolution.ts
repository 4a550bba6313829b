import { dirname, join, sep } from 'node:path';
import type ts from 'typescript6';
import { DISPLAY_MODULE, isOwnPath, PACKAGE_ROOT } from './imports.ts';
import { importKey, type LibraryTypes } from './library-types.ts';

/** Where a module of this package would stand: what a notebook's folder does not offer is looked for from here. */
const PACKAGE_MODULE = join(PACKAGE_ROOT, 'package.ts');
const LIBRARY_SOURCES = join(PACKAGE_ROOT, 'src') + sep;

type ResolvedImport = ts.ResolvedModuleWithFailedLookupLocations;
type ResolvedTypes = ts.ResolvedTypeReferenceDirectiveWithFailedLookupLocations;

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

/** What imports mean to TypeScript. What cannot change while a notebook runs is looked for once. */
export class ImportResolution {
  readonly #ts: typeof ts;
  readonly #folder: string;
  readonly #isCell: (file: string) => boolean;
  readonly #options: () => ts.CompilerOptions;
  /** the imports of the library's own files, looked up ahead */
  #library: ReadonlyMap<string, ResolvedImport> = new Map();
  readonly #imports = new Map<string, ResolvedImport>();
  readonly #typeDirectives = new Map<string, ResolvedTypes>();
  readonly #cache: ts.ModuleResolutionCache;
  readonly #fileExists: (file: string) => boolean;
  readonly #directoryExists: (file: string) => boolean;
  readonly #readFile: (file: string) => string | undefined;

  /** @param folder where the cells stand: their imports resolve from there, then from this package */
  constructor(
    typescript: typeof ts,
    folder: string,
    isCell: (file: string) => boolean,
    options: () => ts.CompilerOptions,
  ) {
    this.#ts = typescript;
    this.#folder = folder;
    this.#isCell = isCell;
    this.#options = options;
    this.#cache = typescript.createModuleResolutionCache(PACKAGE_ROOT, (name) => name, options());
    const { sys } = typescript;
    const isStable = (file: string) => !isOwnPath(file) && file.startsWith(PACKAGE_ROOT);
    this.#fileExists = memoized((file) => sys.fileExists(file), isStable);
    this.#directoryExists = memoized((folder) => sys.directoryExists(folder), isStable);
    this.#readFile = memoized((file) => sys.readFile(file), isStable);
  }

  useLibrary({ imports }: LibraryTypes): void {
    this.#library = new Map(imports.map(([key, file]) => [key, { resolvedModule: file ?? undefined }]));
  }

  /** Looks again for what the person may have added or moved since. */
  refresh(): void {
    for (const [key, { resolvedModule }] of this.#imports) {
      if (!resolvedModule || isOwnPath(resolvedModule.resolvedFileName)) this.#imports.delete(key);
    }
  }

  /** The part of a host that compiler and language service share. */
  host() {
    const { sys } = this.#ts;
    return {
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: (settings: ts.CompilerOptions) => this.#ts.getDefaultLibFilePath(settings),
      useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
      fileExists: (file: string) => this.#isCell(file) || this.#fileExists(file),
      readFile: (file: string) => this.#readFile(file),
      directoryExists: (folder: string) => this.#directoryExists(folder),
      getDirectories: sys.getDirectories,
      readDirectory: sys.readDirectory,
      getModuleResolutionCache: () => this.#cache,
      resolveModuleNameLiterals: (literals: readonly ts.StringLiteralLike[], containingFile: string) =>
        literals.map(({ text }) => this.resolve(text, containingFile)),
      resolveTypeReferenceDirectiveReferences: <T extends ts.FileReference | string>(
        references: readonly T[],
        containingFile: string,
      ) =>
        references.map((reference) =>
          this.#resolveTypes(typeof reference === 'string' ? reference : reference.fileName, containingFile),
        ),
    };
  }

  /** Whether Node would take a file for an ES module or for CommonJS. */
  formatOf(file: string): ts.ResolutionMode {
    return this.#ts.getImpliedNodeFormatForFile(
      file,
      this.#cache.getPackageJsonInfoCache(),
      this.#resolutionHost(),
      this.#options(),
    );
  }

  #resolutionHost(): ts.ModuleResolutionHost {
    const { realpath } = this.#ts.sys;
    return { ...this.host(), ...(realpath ? { realpath } : {}) };
  }

  /** The file that an import means. */
  resolve(name: string, containingFile: string): ResolvedImport {
    if (name.startsWith('./__lab_cell_')) {
      const cell = join(this.#folder, name);
      if (this.#isCell(cell)) {
        return {
          resolvedModule: { resolvedFileName: cell, extension: '.ts', isExternalLibraryImport: false },
        };
      }
    }
    const key = importKey(name, containingFile);
    const known = this.#library.get(key) ?? this.#imports.get(key);
    if (known) return known;
    const resolution = this.#resolveAnew(name, containingFile);
    this.#imports.set(key, resolution);
    return resolution;
  }

  /**
   * What the library's sources import besides its own parts. Only what its public types are made of is read: the
   * declarations of the rest (Vega, Hugging Face's clients, backends) are larger than the library.
   */
  #isReadForLibrary(name: string): boolean {
    return /^(\.|node:|llm-lab|tslab$|zod$|@tensorflow\/tfjs-core($|\/))/.test(name);
  }

  #resolveAnew(name: string, containingFile: string): ResolvedImport {
    if (containingFile.startsWith(LIBRARY_SOURCES) && !this.#isReadForLibrary(name)) {
      return { resolvedModule: undefined };
    }
    const isPackage = containingFile.includes(`${sep}node_modules${sep}`);
    const host = this.#resolutionHost();
    const from = (file: string) => this.#ts.resolveModuleName(name, file, this.#options(), host);
    if (!isPackage && name === 'tslab') {
      return this.#ts.resolveModuleName(DISPLAY_MODULE, containingFile, this.#options(), host);
    }
    if (!isPackage && (name === 'llm-lab' || name.startsWith('llm-lab/'))) return from(PACKAGE_MODULE);
    const resolved = from(containingFile);
    if (resolved.resolvedModule || name.startsWith('.') || isPackage) return resolved;
    return from(PACKAGE_MODULE);
  }

  #resolveTypes(name: string, containingFile: string): ResolvedTypes {
    if (name.startsWith('@webgpu/')) return { resolvedTypeReferenceDirective: undefined };
    const key = `${dirname(containingFile)}\0${name}`;
    let resolution = this.#typeDirectives.get(key);
    if (!resolution) {
      const host = this.#resolutionHost();
      resolution = this.#ts.resolveTypeReferenceDirective(name, containingFile, this.#options(), host);
      this.#typeDirectives.set(key, resolution);
    }
    return resolution;
  }
}
