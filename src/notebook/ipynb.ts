/** Notebooks (nbformat 4.5) from chapter masters: as released to learners, or solved. */

import { BASE_LANGUAGE, HINT, type Master, type MasterCell } from './master.ts';

/** A JSON value: what a notebook's metadata may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface NotebookCell {
  cell_type: 'markdown' | 'code';
  id: string;
  metadata: { [key: string]: Json };
  source: string[];
  execution_count?: null;
  outputs?: Json[];
}

export interface Notebook {
  cells: NotebookCell[];
  metadata: { [key: string]: Json };
  nbformat: 4;
  nbformat_minor: 5;
}

/** `released`: answers are stubs. `solved`: answers are there. */
export type Variant = 'released' | 'solved';

/** The words that the generator itself puts into a notebook. */
const WORDS: Readonly<
  Record<string, { hints: readonly string[]; difficulty: string; minutes: (n: number) => string }>
> = {
  en: {
    hints: ['Hint 1: a nudge', 'Hint 2: the shapes', 'Hint 3: the formula and its source'],
    difficulty: 'difficulty',
    minutes: (n) => `about ${n} minutes`,
  },
  de: {
    hints: ['Hinweis 1: ein Anstoß', 'Hinweis 2: die Formen', 'Hinweis 3: die Formel und ihre Quelle'],
    difficulty: 'Schwierigkeit',
    minutes: (n) => `etwa ${n} Minuten`,
  },
};

/** The languages that a notebook can be generated in; prose without a translation stays in English. */
export const LANGUAGES: readonly string[] = Object.keys(WORDS);

/** The notebook of a master, without outputs. The same master always gives the same notebook, cell ids included. */
export function notebookOf(
  master: Master,
  { variant = 'released', language = BASE_LANGUAGE }: { variant?: Variant; language?: string } = {},
): Notebook {
  const ids = new Set<string>();
  const cells = master.cells.map((cell) => {
    const id = cellId(cell, ids);
    const source = sourceLines(textOf(cell, variant, language));
    if (cell.kind === 'markdown' || cell.kind === 'exercise') {
      const metadata: NotebookCell['metadata'] =
        cell.kind === 'exercise' ? { lab: { exercise: cell.exercise.id, kind: 'task' } } : {};
      return { cell_type: 'markdown' as const, id, metadata, source };
    }
    const metadata: NotebookCell['metadata'] =
      cell.kind === 'answer' ? { lab: { exercise: cell.exercise, kind: 'answer' } } : {};
    return { cell_type: 'code' as const, execution_count: null, id, metadata, outputs: [], source };
  });
  return {
    cells,
    metadata: {
      kernelspec: { display_name: 'TypeScript (LLM Lab)', language: 'typescript', name: 'llm-lab' },
      lab: { chapter: master.name, language },
      language_info: { file_extension: '.ts', mimetype: 'text/typescript', name: 'typescript' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
}

/** The notebook's file: indented by one, keys sorted, a line break at the end, as Jupyter itself saves it. */
export function serializeNotebook(notebook: Notebook): string {
  const sorted = (_key: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return `${JSON.stringify(notebook, sorted, 1)}\n`;
}

function textOf(cell: MasterCell, variant: Variant, language: string): string {
  switch (cell.kind) {
    case 'code':
      return cell.source;
    case 'answer':
      return cell[variant];
    case 'markdown':
      return inLanguage(cell.text, language);
    case 'exercise':
      return exerciseText(cell, language);
  }
}

function inLanguage(text: ReadonlyMap<string, string>, language: string): string {
  return text.get(language) ?? text.get(BASE_LANGUAGE) ?? '';
}

/** The task with its label under the heading, and the hints folded. */
function exerciseText(cell: MasterCell & { kind: 'exercise' }, language: string): string {
  const words = WORDS[cell.text.has(language) ? language : BASE_LANGUAGE] ?? WORDS[BASE_LANGUAGE];
  const { id, difficulty, minutes } = cell.exercise;
  const [task = '', ...hints] = inLanguage(cell.text, language).split(new RegExp(`^${HINT}$`, 'm'));
  const [heading = '', ...rest] = task.trim().split('\n');
  const dots = '●'.repeat(difficulty) + '○'.repeat(5 - difficulty);
  const label = `\`${id}\` · ${words?.difficulty} ${dots} · ${words?.minutes(minutes)}`;
  const folded = hints.map(
    (hint, index) => `<details><summary>${words?.hints[index]}</summary>\n\n${hint.trim()}\n\n</details>`,
  );
  return [heading, '', label, ...rest, '', folded.join('\n\n')].join('\n');
}

/** An id from what the cell is for or begins with, so that it survives edits elsewhere and most edits in the cell. */
function cellId(cell: MasterCell, taken: Set<string>): string {
  const slug = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 40)
      .replace(/^-+|-+$/g, '');
  const name =
    cell.kind === 'answer'
      ? `answer-${slug(cell.exercise)}`
      : cell.kind === 'exercise'
        ? `task-${slug(cell.exercise.id)}`
        : slug(
            (cell.kind === 'code' ? cell.source : inLanguage(cell.text, BASE_LANGUAGE)).split('\n')[0] ?? '',
          ) || cell.kind;
  let id = name;
  for (let count = 2; taken.has(id); count++) id = `${name}-${count}`;
  taken.add(id);
  return id;
}

/** nbformat's way to store text: one string a line, each with its line break but the last. */
function sourceLines(text: string): string[] {
  const lines = text.split('\n');
  return lines
    .map((line, index) => (index < lines.length - 1 ? `${line}\n` : line))
    .filter((line) => line !== '');
}
