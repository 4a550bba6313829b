/** The table of docs/references.md, and the citations in a text. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './prose.ts';

export interface Reference {
  /** Surnames; `et al.` at the end where the table does not name them all. */
  authors: string[];
  year: string;
  title: string;
  /** The table's last column as it stands. */
  where: string;
}

export async function readReferences(): Promise<Reference[]> {
  const text = await readFile(join(ROOT, 'docs/references.md'), 'utf8');
  return text.split('\n').flatMap((line) => {
    const [authors, year, title, where] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (authors === undefined || year === undefined || title === undefined || where === undefined) return [];
    return /^\d{4}$/.test(year) ? [{ authors: authorsOf(authors), year, title, where }] : [];
  });
}

/** "A, B and C" and "A et al." as lists. */
export function authorsOf(text: string): string[] {
  return text
    .replace(/ et al\.?$/, ', et al.')
    .split(/, | and /)
    .map((name) => name.trim());
}

/** Titles compared without capitals and punctuation. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Whether a text is the title, or the title up to its colon or question mark, as in "BERT". */
export function isTitle(text: string, title: string): boolean {
  const [short = title] = title.split(/[:?(]/);
  return plain(text) === plain(title) || plain(text) === plain(short);
}

export interface Citation {
  authors: string[];
  year: string;
  text: string;
  /** What stands in italics, in quotation marks or as a link right behind it. */
  title: string | undefined;
}

const NAME = "\\p{Lu}[\\p{L}’'-]+";
const CITATION = new RegExp(
  `(?<![\\p{L}])(${NAME}(?:(?:, ${NAME})* and ${NAME}| et al\\.)?)(?:, | \\(|, \\[?|\\s)((?:18|19|20)\\d\\d)(?!\\d)`,
  'gu',
);
const TITLE = /^[),]* ?(?:\*((?:\\\*|[^*])+)\*|"([^"]+)"|\[([^\]]+)\]\()/;
/** Not people: months, words that begin a sentence, and names of models with their year. */
const NOT_NAMES = /^(In|Since|Before|For|From|Until|ES|ELMo|GPT(-\d)?|BERT|RoBERTa|Node|Of|By|The)$/;

export function citationsIn(part: string): Citation[] {
  const text = part.replace(/\s+/g, ' ');
  return [...text.matchAll(CITATION)].flatMap((match) => {
    const [whole, names = '', year = ''] = match;
    if (NOT_NAMES.test(names)) return [];
    const found = TITLE.exec(text.slice(match.index + whole.length));
    return [{ authors: authorsOf(names), year, text: whole, title: found?.[1] ?? found?.[2] ?? found?.[3] }];
  });
}

/** The references that a citation may mean: those of its year whose authors it names, in full or by the first. */
export function meantBy({ authors, year }: Citation, references: readonly Reference[]): Reference[] {
  return references.filter((reference) => {
    if (reference.year !== year || reference.authors[0] !== authors[0]) return false;
    const count = reference.authors.length;
    if (authors.at(-1) === 'et al.') return count > 2 || reference.authors.at(-1) === 'et al.';
    if (reference.authors.at(-1) === 'et al.') return false;
    return authors.length === count && authors.every((name, i) => name === reference.authors[i]);
  });
}
