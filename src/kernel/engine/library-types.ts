/**
 * The types of the library as declarations. Its sources, TensorFlow.js and zod are what a first import of the library
 * makes TypeScript read: 1.8 megabytes of text. Their declarations without comments are a third of that. They are made
 * ahead, kept, read and bound, in the snapshot that workers start from, and used in the place of the sources (under their names, so that
 * a type is one and the same however a cell comes to it) until a source is edited.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import type ts from 'typescript6';

/** A file as it was when something was made of it. */
export interface FileStamp {
  path: string;
  modified: number;
  size: number;
  hash: string;
}

/** What an import means: a file, with what TypeScript wants to know of it. */
export type ResolvedFile = Pick<
  ts.ResolvedModuleFull,
  'resolvedFileName' | 'extension' | 'isExternalLibraryImport' | 'packageId'
>;

/** The library's types, made ahead. */
export interface LibraryTypes {
  /** what they were made of */
  sources: FileStamp[];
  /** by path: declarations without comments */
  texts: [path: string, text: string][];
  /** what the imports of these files mean, by `importKey`; null where they are to stay unknown */
  imports: [key: string, file: ResolvedFile | null][];
}

/** The version of the files that are made of these texts. */
export const LIBRARY_VERSION = 'library';

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** What tells a file from its later versions. */
export function stampOf(path: string): FileStamp {
  const { mtimeMs, size } = statSync(path);
  return { path, modified: mtimeMs, size, hash: hashOf(path) };
}

/** Whether a file has the content that it had; one that was merely written again has. */
export function isUnchanged({ path, modified, size, hash }: FileStamp): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.size !== size) return false;
  return stat.mtimeMs === modified || hashOf(path) === hash;
}

/** One key for all imports of a name that mean the same: those of a folder, and in packages those of a file. */
export function importKey(name: string, containingFile: string): string {
  const isPackage = containingFile.includes(`${sep}node_modules${sep}`);
  return `${isPackage ? containingFile : dirname(containingFile)}\0${name}`;
}
