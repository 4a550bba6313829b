/**
 * The script whose heap becomes the worker's snapshot: TypeScript, loaded, with its standard declarations read. It
 * runs as a plain script in `node --build-snapshot`, where only Node's own modules can be required; its types are
 * erased before. Its one argument is a file with an `EntryInput` as JSON.
 */
import type ts from 'typescript6';

/** Leaves TypeScript and its files where processes find them; tells where their modules are cached. */
function fill(): string {
  const { readFileSync } = require('node:fs');
  const { dirname, sep } = require('node:path');
  const vm = require('node:vm');
  const input: import('./index.ts').EntryInput = JSON.parse(readFileSync(process.argv.at(-1) ?? '', 'utf8'));

  const isTypeScript = (value: object): value is typeof ts => 'createProgram' in value;
  const load = (): typeof ts => {
    const module: { exports: object } = { exports: {} };
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
    const define = vm.compileFunction(input.script, parameters, { filename: input.typescript });
    define(module.exports, require, module, input.typescript, dirname(input.typescript));
    if (!isTypeScript(module.exports)) throw new Error(`${input.typescript} is not TypeScript`);
    return module.exports;
  };
  const typescript = load();

  const cell = input.cell;
  const libraryTexts = new Map(input.library.texts);
  const libraryImports = new Map(input.library.imports);
  /** As `importKey` in ../engine/library-types.ts, which a plain script cannot import. */
  const importKey = (name: string, from: string): string =>
    `${from.includes(`${sep}node_modules${sep}`) ? from : dirname(from)}\0${name}`;
  const files: import('../engine/typescript.ts').KnownFiles = new Map();
  /** Of the standard declarations more than half is comments, which are looked up where they are asked for. */
  const withoutComments = (name: string): string =>
    readFileSync(name, 'utf8').replace(/\/\*[*!][\s\S]*?\*\//g, '');
  const read = (name: string, options: ts.CreateSourceFileOptions | ts.ScriptTarget) => {
    const text = name === cell ? input.sample : (libraryTexts.get(name) ?? withoutComments(name));
    const snapshot = typescript.ScriptSnapshot.fromString(text);
    const mode = { jsDocParsingMode: typescript.JSDocParsingMode.ParseNone };
    const how = typeof options === 'object' ? { ...options, ...mode } : options;
    const version = libraryTexts.has(name) ? input.libraryVersion : 'snapshot';
    const source = typescript.createLanguageServiceSourceFile(name, snapshot, how, version, false);
    return { version, snapshot, source };
  };
  const { sys } = typescript;
  const program = typescript.createProgram({
    rootNames: [...input.globals, cell],
    options: input.options,
    host: {
      getSourceFile: (name, options) => {
        const known = files.get(name) ?? read(name, options);
        if (name !== cell) files.set(name, known);
        return known.source;
      },
      getDefaultLibFileName: (options) => typescript.getDefaultLibFilePath(options),
      getCurrentDirectory: () => input.folder,
      useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
      fileExists: (name) => name === cell || sys.fileExists(name),
      readFile: (name) => sys.readFile(name),
      writeFile: () => {},
      resolveModuleNameLiterals: (literals, from) =>
        literals.map(({ text }) => ({
          resolvedModule: libraryImports.get(importKey(text, from)) ?? undefined,
        })),
    },
  });
  // a check binds the files, and compiles the functions that every check calls
  const found = program.getSemanticDiagnostics(program.getSourceFile(cell));
  if (found.length > 0)
    throw new Error(typescript.formatDiagnostics(found, typescript.createCompilerHost({})));

  // what only editors ask for: two of the forty megabytes that the files are
  const none = { identifiers: new Map(), classifiableNames: new Set() };
  for (const { source } of files.values()) if (source) Object.assign(source, none);

  Reflect.set(globalThis, Symbol.for('llm-lab.typescript'), { typescript, files, library: input.library });
  return `${input.folder}/modules`;
}

/** In a function of its own: what a process begins with holds nothing but this. */
function begin(modules: string): void {
  const { startupSnapshot } = require('node:v8');
  startupSnapshot.setDeserializeMainFunction(() => {
    // what V8 compiles in a process from a snapshot it takes in no other, and the other way round
    require('node:module').enableCompileCache(modules);
    // a process that a cell forks inherits the options of this one: the snapshot is not for it
    const at = process.execArgv.indexOf('--snapshot-blob');
    if (at >= 0) process.execArgv.splice(at, 2);
    const main: string = process.argv[1] ?? '';
    const vm = require('node:vm');
    const script = new vm.Script('(specifier) => import(specifier)', {
      filename: main,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    const { pathToFileURL } = require('node:url');
    script.runInThisContext()(pathToFileURL(main).href);
  });
}

begin(fill());
