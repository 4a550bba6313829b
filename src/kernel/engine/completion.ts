import type ts from 'typescript6';
import type { Completion } from './index.ts';

/** Global names of little use in a notebook come last: what cells declared and what is imported come first. */
const ORDER = ['10', '11', '12', '13', '14', '15', '16'];

/** What may stand at an offset of a cell's text. */
export function completionsAt(
  typescript: typeof ts,
  service: ts.LanguageService,
  file: string,
  source: string,
  offset: number,
): Completion {
  const info = service.getCompletionsAtPosition(file, offset, {
    includeCompletionsForModuleExports: false,
    includeCompletionsWithInsertText: false,
  });
  const word = /[\p{ID_Continue}$]*$/u.exec(source.slice(0, offset))?.[0] ?? '';
  const fallback = { start: offset - word.length, end: offset };
  if (!info) return { ...fallback, matches: [] };
  const span = info.optionalReplacementSpan;
  const start = span ? span.start : fallback.start;
  const end = offset;
  const typed = source.slice(start, offset);
  const matches = info.entries
    .filter(({ name }) => !name.startsWith('__lab_cell_') && !name.startsWith('./__lab_cell_'))
    .filter(({ name, kind }) => startsLike(name, typed) && kind !== typescript.ScriptElementKind.warning)
    .sort(
      (a, b) =>
        Number(!a.name.startsWith(typed)) - Number(!b.name.startsWith(typed)) ||
        ORDER.indexOf(a.sortText.slice(0, 2)) - ORDER.indexOf(b.sortText.slice(0, 2)) ||
        (a.name < b.name ? -1 : 1),
    )
    .map(({ name, kind }) => ({ text: name, kind: String(kind) }));
  return { start, end, matches };
}

function startsLike(name: string, typed: string): boolean {
  return name.toLowerCase().startsWith(typed.toLowerCase());
}
