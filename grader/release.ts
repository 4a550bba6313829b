/** What an instructor hands out: notebooks with nbgrader's metadata, and an autograder for Gradescope. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json, Notebook } from '../src/notebook/ipynb.ts';
import type { Exercise } from './define.ts';
import { writeZip, type ZipInput } from './zip.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface NbgraderCell {
  readonly grade: boolean;
  readonly solution: boolean;
  readonly locked: boolean;
  readonly grade_id: string;
  readonly points?: number;
}

/** Python's `str()` of a float, for the numbers of points there are. */
const pythonFloat = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);
const pythonBool = (value: boolean): string => (value ? 'True' : 'False');

/**
 * nbgrader's checksum of a cell (`nbgrader.utils.compute_checksum`): MD5 over source, type, the flags as Python prints them, the id,
 * and the points of a graded cell. A solution cell counts as not locked, a graded one as locked.
 */
export function nbgraderChecksum(source: string, cellType: string, cell: NbgraderCell): string {
  const locked = cell.solution ? false : cell.grade ? true : cell.locked;
  const hash = createHash('md5').update(source).update(cellType);
  hash
    .update(pythonBool(cell.grade))
    .update(pythonBool(cell.solution))
    .update(pythonBool(locked))
    .update(cell.grade_id);
  if (cell.grade) hash.update(pythonFloat(cell.points ?? 0));
  return hash.digest('hex');
}

/**
 * A released notebook with nbgrader metadata, version 3: answers are solution cells, the `check` after each is a graded, locked test
 * worth the exercise's points, everything else is locked.
 */
export function withNbgrader(notebook: Notebook, exercises: ReadonlyMap<string, Exercise>): Notebook {
  const claimed = new Set<string>();
  const cells = notebook.cells.map((cell) => {
    const source = cell.source.join('');
    const answer = answerOf(cell.metadata);
    const tested =
      cell.cell_type === 'code' && answer === undefined ? testedBy(source, exercises, claimed) : undefined;
    if (tested !== undefined) claimed.add(tested.id);
    const flags: NbgraderCell = {
      grade: tested !== undefined,
      solution: answer !== undefined,
      locked: answer === undefined,
      grade_id: cell.id,
      ...(tested === undefined ? {} : { points: tested.points }),
    };
    const nbgrader: { [key: string]: Json } = {
      ...flags,
      schema_version: 3,
      task: false,
      cell_type: cell.cell_type,
      checksum: nbgraderChecksum(source, cell.cell_type, flags),
    };
    return { ...cell, metadata: { ...cell.metadata, nbgrader } };
  });
  return { ...notebook, cells };
}

function answerOf(metadata: { readonly [key: string]: Json }): string | undefined {
  const { lab } = metadata;
  if (typeof lab !== 'object' || lab === null || !('exercise' in lab) || !('kind' in lab)) return undefined;
  return lab.kind === 'answer' ? String(lab.exercise) : undefined;
}

/** The exercise that a cell checks, unless an earlier cell does. */
function testedBy(
  source: string,
  exercises: ReadonlyMap<string, Exercise>,
  claimed: ReadonlySet<string>,
): Exercise | undefined {
  const id = /\bcheck\(\s*['"]([a-z0-9/-]+)['"]/.exec(source)?.[1];
  return id === undefined || claimed.has(id) ? undefined : exercises.get(id);
}

/** What the autograder needs of this repository. */
const PARTS = [
  'src',
  'grader',
  'notebooks/source',
  'datasets',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
];

const SETUP = `#!/usr/bin/env bash
# Runs once, when Gradescope builds the autograder's image.
set -euo pipefail
apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates curl xz-utils
if ! command -v node >/dev/null || [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" != true ]; then
  curl -fsSL https://nodejs.org/dist/v24.21.0/node-v24.21.0-linux-x64.tar.xz | tar -xJ -C /usr/local --strip-components=1
fi
cd /autograder/source
npm ci --ignore-scripts
node src/cli/bootstrap.mjs exercises --json > /dev/null
`;

const runScript = (chapter: string): string => `#!/usr/bin/env bash
# Runs for every submission. Without results.json, which a broken machine leaves, Gradescope reports an error and no mark.
set -uo pipefail
cd /autograder/source
out=$(mktemp -d)
node src/cli/bootstrap.mjs grade /autograder/submission --out "$out" --chapter ${chapter} --jobs 1 --format gradescope
status=$?
mkdir -p /autograder/results
if [ -f "$out/results.json" ]; then
  cp "$out/results.json" /autograder/results/results.json
elif [ "$status" -eq 2 ]; then
  echo '{"score": 0, "output": "There is no notebook (.ipynb) in this submission."}' > /autograder/results/results.json
fi
rm -rf "$out"
`;

/** Gradescope's autograder for a chapter, as the bytes of a zip: setup.sh, run_autograder and what they run. */
export async function gradescopeZip(chapter: string): Promise<Buffer> {
  const files: ZipInput[] = [
    { name: 'setup.sh', bytes: Buffer.from(SETUP), executable: true },
    { name: 'run_autograder', bytes: Buffer.from(runScript(chapter)), executable: true },
  ];
  for (const part of PARTS) {
    const at = path.join(ROOT, part);
    const entries = await readdir(at, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const paths =
      entries === undefined
        ? [at]
        : entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    for (const file of paths.sort()) {
      files.push({ name: path.relative(ROOT, file).replaceAll(path.sep, '/'), bytes: readFileSync(file) });
    }
  }
  return writeZip(files);
}
