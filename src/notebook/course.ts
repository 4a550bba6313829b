/** The course on disk: its masters in `notebooks/source/`, the released notebooks beside that folder. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, messageOf } from '../errors.ts';
import { LANGUAGES, notebookOf, serializeNotebook, type Variant } from './ipynb.ts';
import { BASE_LANGUAGE, loadMaster, type Master } from './master.ts';

/** The folder of the notebooks in this repository. */
export const NOTEBOOKS_FOLDER = fileURLToPath(new URL('../../notebooks', import.meta.url));

/** The masters of a folder in the order of their names, which is the order of the chapters. */
export async function loadMasters(folder = join(NOTEBOOKS_FOLDER, 'source')): Promise<Master[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw new InputError(`cannot read the folder of masters ${folder}: ${messageOf(error)}`);
  }
  const masters = names.filter((name) => /^\d\d-.*\.ts$/.test(name)).sort();
  if (masters.length === 0) throw new InputError(`no master (NN-name.ts) in ${folder}`);
  return Promise.all(masters.map((name) => loadMaster(join(folder, name))));
}

export interface Generation {
  /** Folder of the masters. Default: `notebooks/source` of this repository. */
  source?: string;
  /** Where the notebooks go. Default: `notebooks` of this repository. */
  out?: string;
  variant?: Variant;
  language?: string;
  /** Write nothing; only say which files are missing or out of date. */
  check?: boolean;
}

/** Whether a notebook on disk was as it should be, or what was done about it. */
export interface GeneratedNotebook {
  path: string;
  state: 'current' | 'stale' | 'written';
}

/** Writes a notebook for every master, or with `check` only compares. Files that are current are left alone. */
export async function generateNotebooks(options: Generation = {}): Promise<GeneratedNotebook[]> {
  const { variant = 'released', language = BASE_LANGUAGE, check = false } = options;
  const out = resolve(options.out ?? NOTEBOOKS_FOLDER);
  if (!LANGUAGES.includes(language)) {
    throw new InputError(`unknown language "${language}"; notebooks can be made in ${LANGUAGES.join(', ')}`);
  }
  if (variant === 'solved' && out === resolve(NOTEBOOKS_FOLDER)) {
    throw new InputError('solved notebooks would overwrite the released ones: give another folder');
  }
  if (language !== BASE_LANGUAGE && out === resolve(NOTEBOOKS_FOLDER)) {
    throw new InputError('translated notebooks would overwrite the English ones: give another folder');
  }
  const masters = await loadMasters(options.source);
  if (!check) await mkdir(out, { recursive: true });
  const results: GeneratedNotebook[] = [];
  for (const master of masters) {
    const path = join(out, `${master.name}.ipynb`);
    const text = serializeNotebook(notebookOf(master, { variant, language }));
    const current = (await readFile(path, 'utf8').catch(() => undefined)) === text;
    if (!current && !check) await writeFile(path, text);
    results.push({
      path: relative(process.cwd(), path),
      state: current ? 'current' : check ? 'stale' : 'written',
    });
  }
  return results;
}
