import { join } from 'node:path';
import type ts from 'typescript6';
import { PACKAGE_ROOT } from './imports.ts';

/** What every cell sees: `prompt`, and a few globals of Node until all of Node's declarations are read. */
export const GLOBALS = join(import.meta.dirname, 'globals.d.ts');
export const LIGHT_GLOBALS = join(import.meta.dirname, 'globals-light.d.ts');

/** How cells are checked: strictly, as modules of their own. */
export function compilerOptions(typescript: typeof ts): ts.CompilerOptions {
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
    types: [],
    typeRoots: [join(PACKAGE_ROOT, 'node_modules', '@types')],
  };
}
