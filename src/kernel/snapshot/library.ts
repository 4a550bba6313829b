/** Makes the library's types for the snapshot: see ../engine/library-types.ts. It takes seconds: for the background. */
import { dirname, join, sep } from 'node:path';
import type ts from 'typescript6';
import { DISPLAY_MODULE, PACKAGE_ROOT } from '../engine/imports.ts';
import { importKey, type LibraryTypes, stampOf } from '../engine/library-types.ts';
import { TypeFiles } from '../engine/type-files.ts';
import type { KnownFiles } from '../engine/typescript.ts';

const LIBRARY = join(PACKAGE_ROOT, 'src', 'index.ts');

/** What most notebooks import. */
export const LIBRARY_IMPORTS = ['llm-lab', '@tensorflow/tfjs-core', 'tslab'];

/** A program as cells are checked with. */
function programOf(
  typescript: typeof ts,
  files: TypeFiles,
  roots: string[],
  more: { options?: ts.CompilerOptions; host?: Partial<ts.CompilerHost> } = {},
): ts.Program {
  return typescript.createProgram({
    rootNames: roots,
    options: { ...files.options, ...more.options },
    host: {
      ...files.host(),
      getSourceFile: (name, how) => files.sourceFile(name, how),
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
      writeFile: () => {},
      ...more.host,
    },
  });
}

/** `import type {} from 'x'` is there for what x adds to other types; TypeScript leaves it out of declarations. */
function emptyImports(typescript: typeof ts, file: ts.SourceFile): string[] {
  return file.statements.flatMap((one) => {
    const bindings = typescript.isImportDeclaration(one) ? one.importClause?.namedBindings : undefined;
    const isEmpty =
      bindings !== undefined && typescript.isNamedImports(bindings) && bindings.elements.length === 0;
    return isEmpty ? [one.getText(file)] : [];
  });
}

/** The sources of the library as declarations, by path. */
function declarations(typescript: typeof ts, folder: string): Map<string, string> {
  const files = new TypeFiles({ typescript, files: new Map() }, folder);
  files.useNodeTypes(); // what a source leaves to inference may be of Node
  const program = programOf(typescript, files, [...files.rootsFor(LIBRARY), DISPLAY_MODULE], {
    options: { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: folder },
  });
  const texts = new Map<string, string>();
  const take: ts.WriteFileCallback = (_name, text, _mark, _onError, sources) => {
    const source = program.getSourceFile(sources?.[0]?.fileName ?? '');
    if (source) texts.set(source.fileName, [text, ...emptyImports(typescript, source)].join('\n'));
  };
  program.emit(undefined, take, undefined, true);
  return texts;
}

/** A text of declarations without its comments; what it refers to in comments stays. */
function withoutComments(typescript: typeof ts, file: ts.SourceFile): string {
  const printer = typescript.createPrinter({ removeComments: true });
  const references = file.typeReferenceDirectives.map(
    ({ fileName }) => `/// <reference types="${fileName}" />\n`,
  );
  const text = printer.printFile(file);
  return references.join('') + (text.includes('`') ? text : text.replace(/^ +/gm, ''));
}

/**
 * The types of the library as it is now.
 *
 * @param cell the path of a cell whose imports of the library are to be known too
 */
export function libraryTypes(typescript: typeof ts, cell: string): LibraryTypes {
  const folder = dirname(cell);
  const declared = declarations(typescript, folder);
  const snapshots: KnownFiles = new Map(
    [...declared].map(([path, text]) => [
      path,
      { version: 'declared', snapshot: typescript.ScriptSnapshot.fromString(text) },
    ]),
  );
  const files = new TypeFiles({ typescript, files: snapshots }, folder);
  files.setCell(cell, LIBRARY_IMPORTS.map((name) => `import '${name}';`).join('\n'));
  const imports: LibraryTypes['imports'] = [];
  const { resolveModuleNameLiterals: resolve } = files.host();
  const program = programOf(typescript, files, files.rootsFor(cell), {
    host: {
      resolveModuleNameLiterals: (literals, containingFile) => {
        const resolved = resolve(literals, containingFile);
        literals.forEach(({ text }, i) => {
          imports.push([importKey(text, containingFile), fileOf(resolved[i]?.resolvedModule)]);
        });
        return resolved;
      },
    },
  });
  const isStandard = (name: string) => name.includes(`${sep}typescript6${sep}`) || name === cell;
  const isGlobal = new Set(files.rootsFor(cell));
  const used = program
    .getSourceFiles()
    .filter(({ fileName }) => !isStandard(fileName) && !isGlobal.has(fileName));
  return {
    // a source that is only read to infer the types of others counts too
    sources: [...declared.keys(), ...manifests(used)].map(stampOf),
    texts: used.map((file) => [file.fileName, withoutComments(typescript, file)]),
    imports: [...new Map(imports.map((one) => [one[0], one])).values()],
  };
}

/** The package.json of each package that files are of: another version of it has other types. */
function manifests(files: readonly ts.SourceFile[]): Set<string> {
  const paths = files.flatMap(({ fileName }) => {
    const folder = /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(fileName)?.[0];
    return folder === undefined ? [] : [join(folder, 'package.json')];
  });
  return new Set(paths);
}

function fileOf(module: ts.ResolvedModuleFull | undefined): LibraryTypes['imports'][number][1] {
  if (!module) return null;
  const { resolvedFileName, extension, isExternalLibraryImport, packageId } = module;
  return {
    resolvedFileName,
    extension,
    ...(isExternalLibraryImport === undefined ? {} : { isExternalLibraryImport }),
    ...(packageId === undefined ? {} : { packageId }),
  };
}
