/** Submissions for tests, made from a chapter's master: solved, released, or with other text in an answer. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadMasters } from '../../src/notebook/course.ts';
import { type Notebook, notebookOf, type Variant } from '../../src/notebook/ipynb.ts';

/** The tiny chapter that most tests grade. */
export const COURSE = path.join(import.meta.dirname, 'course');
export const HOSTILE = path.join(import.meta.dirname, 'hostile');

/** A notebook of the tiny chapter, with the answers of the given exercises replaced. */
export async function tinyNotebook(
  variant: Variant,
  answers: Readonly<Record<string, string>> = {},
): Promise<Notebook> {
  const [master] = await loadMasters(COURSE);
  if (master === undefined) throw new Error('the tiny chapter is missing');
  const notebook = notebookOf(master, { variant });
  for (const cell of notebook.cells) {
    const { lab } = cell.metadata;
    if (
      typeof lab !== 'object' ||
      lab === null ||
      !('kind' in lab) ||
      lab.kind !== 'answer' ||
      !('exercise' in lab)
    )
      continue;
    const text = answers[String(lab.exercise)];
    if (text !== undefined) cell.source = [text];
  }
  return notebook;
}

/** A hostile answer to bert/pooler, with what its head says of it. */
export interface HostileAnswer {
  readonly name: string;
  readonly source: string;
  /** The most points it may earn. */
  readonly most: number;
  /** What its feedback must say. */
  readonly says: RegExp | undefined;
}

export function hostileAnswers(): HostileAnswer[] {
  return readdirSync(HOSTILE)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((file) => {
      const source = readFileSync(path.join(HOSTILE, file), 'utf8');
      const says = /^\/\/ says: (.+)$/m.exec(source)?.[1];
      return {
        name: path.basename(file, '.ts'),
        source,
        most: Number(/^\/\/ at most: ([\d.]+)$/m.exec(source)?.[1]),
        says: says === undefined ? undefined : new RegExp(says),
      };
    });
}
