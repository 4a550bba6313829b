/** What people read in the repository, as plain Markdown: the prose of the masters, the pages, the cards. */
import { glob, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { loadMasters, NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Page {
  /** From the root of the repository. */
  path: string;
  /** The folder that its relative links start from. */
  folder: string;
  /** The cells of a chapter, captions and quizzes in its code among them, or the whole page without its code. */
  parts: string[];
}

const PAGES = ['*.md', 'docs/*.md', 'grader/*.md', 'notebooks/*.md', 'datasets/**/*.md'];

/** Fenced and inline code: what stands there is no link and no citation. */
const withoutCode = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

export async function readPages(): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const path of glob(PAGES, { cwd: ROOT })) {
    const text = await readFile(join(ROOT, path), 'utf8');
    pages.push({ path, folder: join(ROOT, path, '..'), parts: [withoutCode(text)] });
  }
  for (const master of await loadMasters()) {
    const parts = master.cells.map((cell) => {
      if (cell.kind === 'markdown' || cell.kind === 'exercise') return withoutCode(cell.text.get('en') ?? '');
      return cell.kind === 'code' ? cell.source : '';
    });
    pages.push({
      path: relative(ROOT, join(NOTEBOOKS_FOLDER, 'source', `${master.name}.ts`)),
      folder: NOTEBOOKS_FOLDER,
      parts,
    });
  }
  return pages.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
