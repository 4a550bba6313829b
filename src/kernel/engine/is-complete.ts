import type ts from 'typescript6';
import type { Completeness } from './index.ts';

/** Errors of something that was opened and not closed: more lines may close it. */
const UNTERMINATED = new Set([
  1002, // unterminated string: only when a backslash continues it
  1010, // '*/' expected
  1160, // unterminated template literal
]);

/** Whether a source is ready to run, could become so with more lines, or never can. */
export function isCompleteSource(typescript: typeof ts, source: string): Completeness {
  const { diagnostics = [] } = typescript.transpileModule(source, {
    reportDiagnostics: true,
    fileName: 'cell.ts',
    compilerOptions: { target: typescript.ScriptTarget.ESNext, module: typescript.ModuleKind.ESNext },
  });
  const errors = diagnostics.filter(({ category }) => category === typescript.DiagnosticCategory.Error);
  if (errors.length === 0) return { status: 'complete' };
  const end = source.trimEnd().length;
  const first = errors[0];
  const isOpen = errors.some(({ code, start = 0 }) => {
    if (code === 1002) return source.trimEnd().endsWith('\\');
    return UNTERMINATED.has(code) || start >= end;
  });
  // an error before the end stays one whatever follows; unless the end itself is what breaks the parse
  const isFirstAtEnd = first !== undefined && ((first.start ?? 0) >= end || UNTERMINATED.has(first.code));
  if (isOpen && isFirstAtEnd) return { status: 'incomplete', indent: indentAfter(source) };
  return { status: 'invalid' };
}

/** The indent of the last line, deeper after an opening bracket. */
function indentAfter(source: string): string {
  const lines = source.split('\n').filter((line) => line.trim() !== '');
  const last = lines.at(-1) ?? '';
  const indent = /^\s*/.exec(last)?.[0] ?? '';
  return /[{([]\s*$|=>\s*$/.test(last) ? `${indent}  ` : indent;
}
