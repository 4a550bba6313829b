import { createRequire } from 'node:module';
import type ts from 'typescript6';
import type { LibraryTypes } from './library-types.ts';

/** A file as TypeScript sees it, parsed once. */
export interface KnownFile {
  version: string;
  snapshot: ts.IScriptSnapshot;
  source?: ts.SourceFile;
}

/** Files by path. */
export type KnownFiles = Map<string, KnownFile>;

/** TypeScript, and files that were read and parsed before this process began. */
export interface LoadedTypeScript {
  typescript: typeof ts;
  files: KnownFiles;
  library?: LibraryTypes;
}

/** Where the snapshot that a process was started from has left TypeScript. */
const SNAPSHOT = Symbol.for('llm-lab.typescript');

const require = createRequire(import.meta.url);

function isLoaded(value: unknown): value is LoadedTypeScript {
  return typeof value === 'object' && value !== null && 'typescript' in value && 'files' in value;
}

/** TypeScript out of the process's snapshot if it has one (see ../snapshot), else loaded now. */
export function loadTypeScript(): LoadedTypeScript {
  const ready: unknown = Reflect.get(globalThis, SNAPSHOT);
  if (isLoaded(ready)) return ready;
  const typescript: typeof ts = require('typescript6');
  return { typescript, files: new Map() };
}
