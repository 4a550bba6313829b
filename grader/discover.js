var __rewriteRelativeImportExtension =
  (this && this.__rewriteRelativeImportExtension) ||
  ((path, preserveJsx) => {
    if (typeof path === 'string' && /^\.\.?\//.test(path)) {
      return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, (m, tsx, d, ext, cm) =>
        tsx
          ? preserveJsx
            ? '.jsx'
            : '.js'
          : d && (!ext || !cm)
            ? m
            : d + ext + '.' + cm.toLowerCase() + 'js',
      );
    }
    return path;
  });

/** Finding exercises: every `exercises/<chapter>/<name>.ts` whose default export is one. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../src/errors.js';

const FOLDER = fileURLToPath(new URL('./exercises', import.meta.url));
let loading;
/** All exercises, in the order of chapters as folders name them and of files within. Loaded once. */
export function allExercises() {
  loading ??= load(FOLDER);
  return loading;
}
/** The exercise of the id. @throws InputError if there is none, naming the nearest. */
export async function findExercise(id) {
  const exercises = await allExercises();
  const found = exercises.find((exercise) => exercise.id === id);
  if (found !== undefined) return found;
  const [family] = id.split('/');
  const near = exercises
    .filter((exercise) => exercise.id.startsWith(`${family}/`))
    .map((exercise) => exercise.id);
  throw new InputError(
    `there is no exercise '${id}'; expected one of ${(near.length > 0 ? near : exercises.map((e) => e.id)).join(', ')}`,
  );
}
async function load(folder) {
  const exercises = [];
  for (const file of await exerciseFiles(folder)) {
    const module = await import(__rewriteRelativeImportExtension(pathToFileURL(file).href));
    // A file without a default export is a helper of its neighbours.
    if (module.default === undefined) continue;
    if (!isExercise(module.default))
      throw new Error(`${file} must have a default export made by defineExercise`);
    const { id } = module.default;
    if (exercises.some((exercise) => exercise.id === id))
      throw new Error(`two files define exercise ${id}; the second is ${file}`);
    exercises.push(module.default);
  }
  return exercises;
}
async function exerciseFiles(folder) {
  const chapters = await readdir(folder, { withFileTypes: true });
  const files = await Promise.all(
    chapters
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) =>
        (await readdir(path.join(folder, name))).map((file) => path.join(folder, name, file)),
      ),
  );
  return files
    .flat()
    .filter((file) => /(?<!\.d)\.[tj]s$/.test(path.basename(file)))
    .sort();
}
function isExercise(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    'mutants' in value &&
    'reference' in value &&
    'cases' in value
  );
}
