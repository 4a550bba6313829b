/** The course in a learner's own folder: notebooks are put there, and what the learner has touched stays as it is. */

import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What was done with each notebook of the course, by file name. */
export interface CourseCopy {
  /** Not there before. */
  readonly added: readonly string[];
  /** Replaced by the course's new version: the learner had not changed the old one. */
  readonly updated: readonly string[];
  /** The learner's own version, or one that is current. */
  readonly kept: readonly string[];
}

/** SHA-256 of each notebook as it was put there, by file name. */
const records = z.record(z.string(), z.string());

/**
 * Puts the notebooks of the folder `course` into `home`. A notebook that the learner has changed in any way is never
 * written to; one that is as it was put there follows the course.
 *
 * @param record a file that remembers what was put there; damaged or missing, everything there counts as the learner's
 * @throws what the file system says, for example of a full disk. Nothing is left half written.
 */
export async function copyCourse(course: string, home: string, record: string): Promise<CourseCopy> {
  const before = await readRecords(record);
  const names = (await readdir(course)).filter((name) => name.endsWith('.ipynb')).sort();
  await mkdir(home, { recursive: true });
  const copy = { added: [] as string[], updated: [] as string[], kept: [] as string[] };
  const after = { ...before };
  try {
    for (const name of names) {
      const wanted = await readFile(join(course, name));
      const there = await present(join(home, name));
      const untouched = there instanceof Uint8Array && hashOf(there) === before[name];
      if (there !== undefined && (!untouched || hashOf(there) === hashOf(wanted))) {
        copy.kept.push(name);
        continue;
      }
      await writeWhole(join(home, name), wanted);
      after[name] = hashOf(wanted);
      (there === undefined ? copy.added : copy.updated).push(name);
    }
  } finally {
    if (copy.added.length + copy.updated.length > 0) await writeWhole(record, JSON.stringify(after));
  }
  return copy;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A file's bytes; 'other' for what is there but no file (a folder, a link): the learner's own, too. */
async function present(path: string): Promise<Uint8Array | 'other' | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isFile() ? readFile(path) : 'other';
}

async function readRecords(path: string): Promise<Readonly<Record<string, string>>> {
  try {
    return records.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}

/** Written beside and moved: JupyterLab sees the old file or the new one. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(draft, content);
  await rename(draft, path);
}
