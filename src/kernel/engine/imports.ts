import { readFileSync, realpathSync, statSync } from 'node:fs';
import {
  type LoadFnOutput,
  type LoadHookContext,
  type ResolveFnOutput,
  type ResolveHookContext,
  registerHooks,
} from 'node:module';
import { basename, dirname, extname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { type AnyNode, parse } from 'acorn';
import { messageOf } from '../../errors.ts';
import type { Position } from './edits.ts';
import { type ErasedSource, stripTypes, transpile, withoutWarning } from './erase.ts';
import { childNodes } from './scope.ts';

/** The folder of this package: `llm-lab` and `tslab` mean this package's in every notebook, wherever it is. */
export const PACKAGE_ROOT = realpathSync(join(import.meta.dirname, '..', '..', '..'));
const PACKAGE_URL = pathToFileURL(join(PACKAGE_ROOT, 'package.json')).href;
export const DISPLAY_MODULE = join(PACKAGE_ROOT, 'src', 'kernel', 'display', 'tslab.ts');

/** The mark in the address of a file of the person: see `versionedUrl`. */
const VERSION_MARK = 'lab';
const IMPORTER = '__lab_notebook__.mts';
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'];

type Resolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput;

/** Import function whose specifiers resolve from a folder, as those of a module in it would. */
export type Importer = (specifier: string, options?: ImportCallOptions) => Promise<Record<string, unknown>>;

/** An `import()` for the cells of a notebook in `folder`. */
export function createImporter(folder: string): Importer {
  installHooks();
  const script = new vm.Script('(specifier, options) => import(specifier, options)', {
    filename: join(folder, IMPORTER),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const importFrom: Importer = script.runInThisContext();
  return (specifier, options) => withoutWarning(() => importFrom(specifier, options));
}

let areHooksInstalled = false;

function installHooks(): void {
  if (areHooksInstalled) return;
  areHooksInstalled = true;
  registerHooks({
    resolve: (specifier, context, next) => resolveForCell(specifier, context, next),
    load: (url, context, next) => loadForCell(url, context, next),
  });
}

/**
 * Loads a module. TypeScript of the person that is more than types to erase (an enum, say) is translated; what is
 * wrong with a file names the file.
 *
 * @throws {SyntaxError} with the file's name, line and column
 */
function loadForCell(
  url: string,
  context: LoadHookContext,
  next: (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput,
): LoadFnOutput {
  if (!url.includes(`?${VERSION_MARK}=`) || !/\.m?ts\?/.test(url)) return next(url, context);
  const path = fileURLToPath(url.slice(0, url.indexOf('?')));
  const source = readFileSync(path, 'utf8');
  try {
    stripTypes(source);
  } catch {
    try {
      const translated = transpile(source);
      translatedFiles.set(url, translated);
      return { format: 'module', source: translated.code, shortCircuit: true };
    } catch (error) {
      throw new SyntaxError(`${basename(path)}${placeOf(error)}: ${messageOf(error)}`);
    }
  }
  return next(url, context);
}

/** Files that were translated, by address: their lines are not those of the file. */
const translatedFiles = new Map<string, ErasedSource>();

/** The place in a file of the person that a place in its loaded module comes from. */
export function placeInFile(url: string, position: Position): Position {
  return translatedFiles.get(url)?.originalPosition(position) ?? position;
}

/** `:line:column` of an error that knows its place. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error) || !('position' in error)) return '';
  const { position } = error;
  if (typeof position !== 'object' || position === null) return '';
  return 'line' in position && 'column' in position ? `:${position.line}:${position.column}` : '';
}

/** Whether a module is of the person who wrote the notebook: not a package, not this library. */
function isOwnFile(url: string | undefined): boolean {
  return url?.startsWith('file:') === true && isOwnPath(fileURLToPath(url));
}

const LIBRARY_FOLDERS = ['src', 'grader'].map((name) => join(PACKAGE_ROOT, name) + sep);
const LIBRARY_URLS = LIBRARY_FOLDERS.map((folder) => pathToFileURL(folder).href);

/** Whether a file is neither of a package nor of this library: it may be edited while a notebook uses it. */
export function isOwnPath(path: string): boolean {
  if (path.includes(`${sep}node_modules${sep}`)) return false;
  return !LIBRARY_FOLDERS.some((folder) => path.startsWith(folder));
}

function resolveForCell(specifier: string, context: ResolveHookContext, next: Resolve): ResolveFnOutput {
  const { parentURL } = context;
  if (specifier === 'tslab' && !parentURL?.includes('/node_modules/')) {
    return { url: pathToFileURL(DISPLAY_MODULE).href, shortCircuit: true };
  }
  if (!isOwnFile(parentURL)) return libraryPart(specifier, parentURL) ?? next(specifier, context);
  if (specifier === 'llm-lab' || specifier.startsWith('llm-lab/')) {
    return next(specifier, { ...context, parentURL: PACKAGE_URL });
  }
  const resolved = resolveKindly(specifier, context, next);
  if (!isOwnFile(resolved.url)) return resolved;
  const own = { ...resolved, url: versionedUrl(resolved.url) };
  // as TypeScript has it: a .json file says what it is by its name
  return extname(fileURLToPath(resolved.url)) === '.json'
    ? { ...own, importAttributes: { type: 'json' } }
    : own;
}

/** A part of the library that another one imports by its whole name: there is nothing to look for on the disk. */
function libraryPart(specifier: string, parentURL: string | undefined): ResolveFnOutput | undefined {
  const isPart = /^\.{1,2}\/.*\.ts$/.test(specifier) && parentURL !== undefined;
  if (!isPart || !LIBRARY_URLS.some((folder) => parentURL.startsWith(folder))) return undefined;
  return { url: new URL(specifier, parentURL).href, format: 'module-typescript', shortCircuit: true };
}

/** Node's own resolution; then, as TypeScript resolves, without an extension; then from this package's folder. */
function resolveKindly(specifier: string, context: ResolveHookContext, next: Resolve): ResolveFnOutput {
  try {
    return next(specifier, context);
  } catch (error) {
    const isRelative = /^\.{0,2}\//.test(specifier);
    const attempts = isRelative
      ? [
          ...EXTENSIONS.map((extension) => specifier + extension),
          ...(extname(specifier) === '.js' ? [specifier.replace(/\.js$/, '.ts')] : []),
        ].map((candidate) => () => next(candidate, context))
      : [() => next(specifier, { ...context, parentURL: PACKAGE_URL })];
    for (const attempt of attempts) {
      try {
        return attempt();
      } catch {
        // the first error is the one to tell
      }
    }
    throw error;
  }
}

/**
 * A file's address with a mark that changes when the file, or a file it imports, is edited: modules are cached by
 * address, so an edited file is loaded anew on the next import and an unchanged one is not.
 */
function versionedUrl(url: string): string {
  const address = new URL(url);
  address.search = '';
  const stamps: string[] = [];
  collectStamps(fileURLToPath(address), new Set(), stamps);
  address.searchParams.set(VERSION_MARK, hash(stamps.sort().join('\n')));
  return address.href;
}

function hash(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  return value.toString(36);
}

interface KnownFile {
  stamp: string;
  dependencies: string[];
}

const knownFiles = new Map<string, KnownFile>();

function collectStamps(path: string, seen: Set<string>, stamps: string[]): void {
  if (seen.has(path)) return;
  seen.add(path);
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isFile()) return;
  const stamp = `${path} ${stat.mtimeNs} ${stat.size}`;
  stamps.push(stamp);
  let known = knownFiles.get(path);
  if (known?.stamp !== stamp) {
    known = { stamp, dependencies: localDependencies(path) };
    knownFiles.set(path, known);
  }
  for (const dependency of known.dependencies) collectStamps(dependency, seen, stamps);
}

function eraseTypes(source: string): string {
  try {
    return stripTypes(source).code;
  } catch {
    return transpile(source).code;
  }
}

/** The local files a file imports by relative specifiers written out in it. */
function localDependencies(path: string): string[] {
  const extension = extname(path);
  if (!['.ts', '.mts', '.js', '.mjs'].includes(extension)) return [];
  let program: AnyNode;
  try {
    const source = readFileSync(path, 'utf8');
    const code = extension.endsWith('ts') ? eraseTypes(source) : source;
    program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch {
    return []; // importing it will tell what is wrong
  }
  const found: string[] = [];
  const visit = (node: AnyNode) => {
    if ('source' in node && node.source !== null && typeof node.source === 'object') {
      const { source } = node;
      if (source.type === 'Literal' && typeof source.value === 'string' && /^\.{1,2}\//.test(source.value)) {
        const target = join(dirname(path), source.value);
        const candidates = [target, target.replace(/\.js$/, '.ts'), ...EXTENSIONS.map((one) => target + one)];
        const file = candidates.find((one) => statSync(one, { throwIfNoEntry: false })?.isFile());
        if (file !== undefined) found.push(file);
      }
    }
    for (const child of childNodes(node)) visit(child);
  };
  visit(program);
  return found;
}
