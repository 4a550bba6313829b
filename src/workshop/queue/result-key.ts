/** What identifies a result: the submission, the exercises, the seed and the limits. With the same of all, grading again gives the same. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Whatever decides about a verdict. */
const DECIDING = [
  'grader',
  'notebooks/source',
  'src/core',
  'src/models',
  'src/objectives',
  'package-lock.json',
];

/** A name for the exercises of this checkout: two machines with one name judge alike. */
export function exerciseSet(): string {
  const hash = createHash('sha256');
  for (const file of DECIDING.flatMap((name) => filesIn(path.join(root, name)))) {
    hash.update(`${path.relative(root, file).replaceAll(path.sep, '/')}\n`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function filesIn(at: string): string[] {
  const found = statSync(at, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return [at];
  return readdirSync(at)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => filesIn(path.join(at, name)));
}

/** @param seed of this submission's inputs */
export function resultKey(given: {
  readonly notebook: Uint8Array;
  readonly exercises: string;
  readonly seed: string;
  readonly settings: object;
}): string {
  const digest = createHash('sha256').update(given.notebook).digest('hex');
  const parts = [digest, given.exercises, given.seed, JSON.stringify(given.settings)];
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}
