import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type ts from 'typescript6';
import { DISPLAY_MODULE, isOwnPath, PACKAGE_ROOT } from './imports.ts';

/** A language service host over real files and cells that exist only in memory. */
export interface VirtualHost extends ts.LanguageServiceHost {
  readonly registry: ts.DocumentRegistry;
  /** Sets the text of a cell's module and makes it the program's root. */
  setCell(file: string, text: string): void;
  cellText(file: string): string | undefined;
  /** Forgets what is known about files outside of packages: they may have been edited. */
  refresh(): void;
}

const GLOBALS = join(import.meta.dirname, 'globals.d.ts');

function compilerOptions(typescript: typeof ts): ts.CompilerOptions {
  return {
    target: typescript.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    module: typescript.ModuleKind.Preserve,
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
    moduleDetection: typescript.ModuleDetectionKind.Force,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    customConditions: ['node'],
    types: ['node'],
    typeRoots: [join(PACKAGE_ROOT, 'node_modules', '@types')],
  };
}

/** A host whose cells stand in `folder`: their imports resolve from there, then from this package. */
export function createHost(typescript: typeof ts, folder: string): VirtualHost {
  const options = compilerOptions(typescript);
  const cells = new Map<string, { text: string; version: number; snapshot: ts.IScriptSnapshot }>();
  const resolutions = new Map<string, ts.ResolvedModuleWithFailedLookupLocations>();
  const versions = new Map<string, string>();
  let root = '';
  let version = 0;

  const moduleHost: ts.ModuleResolutionHost = {
    fileExists: typescript.sys.fileExists,
    readFile: typescript.sys.readFile,
    directoryExists: typescript.sys.directoryExists,
    getDirectories: typescript.sys.getDirectories,
    ...(typescript.sys.realpath ? { realpath: typescript.sys.realpath } : {}),
  };
  const packageCache = typescript.createModuleResolutionCache(PACKAGE_ROOT, (name) => name, options);

  const resolveName = (name: string, containingFile: string): ts.ResolvedModuleWithFailedLookupLocations => {
    const isPackage = containingFile.includes('/node_modules/');
    const from = (file: string) =>
      typescript.resolveModuleName(name, file, options, moduleHost, isPackage ? packageCache : undefined);
    if (!isPackage && (name === 'llm-lab' || name.startsWith('llm-lab/'))) {
      return from(join(PACKAGE_ROOT, 'package.ts'));
    }
    const resolved = from(containingFile);
    if (resolved.resolvedModule || name.startsWith('.') || isPackage) return resolved;
    return from(join(PACKAGE_ROOT, 'package.ts'));
  };

  const host: VirtualHost = {
    registry: createRegistry(typescript),
    setCell(file, text) {
      version += 1;
      cells.set(file, { text, version, snapshot: typescript.ScriptSnapshot.fromString(text) });
      root = file;
    },
    cellText: (file) => cells.get(file)?.text,
    refresh() {
      for (const file of versions.keys()) if (isOwnPath(file)) versions.delete(file);
      for (const [key, { resolvedModule }] of resolutions) if (!resolvedModule) resolutions.delete(key);
    },
    getCompilationSettings: () => options,
    getScriptFileNames: () => [GLOBALS, root],
    getScriptVersion(file) {
      const cell = cells.get(file);
      if (cell) return String(cell.version);
      let known = versions.get(file);
      if (known === undefined) {
        const stat = statSync(file, { throwIfNoEntry: false });
        known = stat ? `${stat.mtimeMs} ${stat.size}` : 'missing';
        versions.set(file, known);
      }
      return known;
    },
    getScriptSnapshot(file) {
      const cell = cells.get(file);
      if (cell) return cell.snapshot;
      try {
        return typescript.ScriptSnapshot.fromString(readFileSync(file, 'utf8'));
      } catch {
        return undefined;
      }
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (settings) => typescript.getDefaultLibFilePath(settings),
    fileExists: (file) => cells.has(file) || typescript.sys.fileExists(file),
    readFile: (file) => cells.get(file)?.text ?? typescript.sys.readFile(file),
    directoryExists: typescript.sys.directoryExists,
    getDirectories: typescript.sys.getDirectories,
    readDirectory: typescript.sys.readDirectory,
    useCaseSensitiveFileNames: () => typescript.sys.useCaseSensitiveFileNames,
    resolveModuleNameLiterals(literals, containingFile) {
      return literals.map(({ text: name }) => {
        if (name === 'tslab' && !containingFile.includes('/node_modules/')) {
          return typescript.resolveModuleName(DISPLAY_MODULE, containingFile, options, moduleHost);
        }
        const cell = name.startsWith('./__lab_cell_') ? join(folder, name) : undefined;
        if (cell !== undefined && cells.has(cell)) {
          return {
            resolvedModule: { resolvedFileName: cell, extension: '.ts', isExternalLibraryImport: false },
          };
        }
        const place = containingFile.includes('/node_modules/') ? containingFile : dirname(containingFile);
        const key = `${place}\0${name}`;
        let resolution = resolutions.get(key);
        if (!resolution) {
          resolution = resolveName(name, containingFile);
          resolutions.set(key, resolution);
        }
        return resolution;
      });
    },
  };
  return host;
}

/**
 * Keeps every parsed file for the life of the kernel. TypeScript's own registry lets go of a file when no cell
 * imports it any more, and the next cell that does would parse a whole library again.
 */
function createRegistry(typescript: typeof ts): ts.DocumentRegistry {
  const files = new Map<string, { version: string; file: ts.SourceFile }>();
  const acquire = (
    name: string,
    snapshot: ts.IScriptSnapshot,
    version: string,
    options: ts.CreateSourceFileOptions | ts.ScriptTarget,
    kind?: ts.ScriptKind,
  ): ts.SourceFile => {
    const known = files.get(name);
    if (known?.version === version) return known.file;
    const file = typescript.createLanguageServiceSourceFile(name, snapshot, options, version, false, kind);
    files.set(name, { version, file });
    return file;
  };
  const ofSettings = (settings: ts.CompilerOptions | ts.MinimalResolutionCacheHost): ts.ScriptTarget =>
    ('getCompilationSettings' in settings && typeof settings.getCompilationSettings === 'function'
      ? settings.getCompilationSettings().target
      : undefined) ?? typescript.ScriptTarget.ES2024;
  return {
    acquireDocument: (name, settings, snapshot, version, kind, options) =>
      acquire(name, snapshot, version, options ?? ofSettings(settings), kind),
    acquireDocumentWithKey: (name, _path, settings, _key, snapshot, version, kind, options) =>
      acquire(name, snapshot, version, options ?? ofSettings(settings), kind),
    updateDocument: (name, settings, snapshot, version, kind, options) =>
      acquire(name, snapshot, version, options ?? ofSettings(settings), kind),
    updateDocumentWithKey: (name, _path, settings, _key, snapshot, version, kind, options) =>
      acquire(name, snapshot, version, options ?? ofSettings(settings), kind),
    getKeyForCompilationSettings: () => typescript.createDocumentRegistry().getKeyForCompilationSettings({}),
    releaseDocument() {},
    releaseDocumentWithKey() {},
    reportStats: () => '',
  };
}
