/**
 * The script whose heap becomes the worker's snapshot: TypeScript, loaded, with its standard declarations read. It
 * runs as a plain script in `node --build-snapshot`, where only Node's own modules can be required; its types are
 * erased before. Its one argument is a file with an `EntryInput` as JSON.
 */
import type ts from 'typescript6';

(() => {
  const { readFileSync } = require('node:fs');
  const { dirname } = require('node:path');
  const vm = require('node:vm');
  const { startupSnapshot } = require('node:v8');
  const input: import('./index.ts').EntryInput = JSON.parse(readFileSync(process.argv.at(-1) ?? '', 'utf8'));

  const isTypeScript = (value: object): value is typeof ts => 'createProgram' in value;
  const load = (): typeof ts => {
    const module: { exports: object } = { exports: {} };
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
    const text = readFileSync(input.typescript, 'utf8');
    const define = vm.compileFunction(text, parameters, { filename: input.typescript });
    define(module.exports, require, module, input.typescript, dirname(input.typescript));
    if (!isTypeScript(module.exports)) throw new Error(`${input.typescript} is not TypeScript`);
    return module.exports;
  };
  const typescript = load();

  const cell = `${input.folder}/cell.ts`;
  const files: import('../engine/typescript.ts').KnownFiles = new Map();
  const read = (name: string, options: ts.CreateSourceFileOptions | ts.ScriptTarget) => {
    const text = name === cell ? input.sample : readFileSync(name, 'utf8');
    const snapshot = typescript.ScriptSnapshot.fromString(text);
    const mode = { jsDocParsingMode: typescript.JSDocParsingMode.ParseNone };
    const how = typeof options === 'object' ? { ...options, ...mode } : options;
    const version = 'snapshot';
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
    },
  });
  // a check binds the files, and compiles the functions that every check calls
  const found = program.getSemanticDiagnostics(program.getSourceFile(cell));
  if (found.length > 0)
    throw new Error(typescript.formatDiagnostics(found, typescript.createCompilerHost({})));

  Reflect.set(globalThis, Symbol.for('llm-lab.typescript'), { typescript, files, library: input.library });
  startupSnapshot.setDeserializeMainFunction(() => {
    // what V8 compiles in a process from a snapshot it takes in no other, and the other way round
    require('node:module').enableCompileCache(`${input.folder}/modules`);
    // a process that a cell forks inherits the options of this one: the snapshot is not for it
    const at = process.execArgv.indexOf('--snapshot-blob');
    if (at >= 0) process.execArgv.splice(at, 2);
    const main: string = process.argv[1] ?? '';
    const script = new vm.Script('(specifier) => import(specifier)', {
      filename: main,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    const { pathToFileURL } = require('node:url');
    script.runInThisContext()(pathToFileURL(main).href);
  });
})();
