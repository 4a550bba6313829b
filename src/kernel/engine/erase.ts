import { SourceMap, stripTypeScriptTypes } from 'node:module';
import type { Position } from './edits.ts';
import { loadTypeScript } from './typescript.ts';

/** JavaScript, and the way back from its positions to those of the TypeScript it came from. */
export interface ErasedSource {
  code: string;
  originalPosition(position: Position): Position;
}

/** The way back where nothing has moved. */
export const samePosition = (position: Position): Position => position;

/** Node announces what it calls experimental once a process; a cell's output is no place for it. */
export function withoutWarning<T>(action: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * TypeScript to JavaScript by Node's own stripping, which keeps every position and needs no compiler.
 *
 * @throws if the source is not TypeScript or needs more than erasing (enums, namespaces, parameter properties)
 */
export function stripTypes(source: string): ErasedSource {
  const code = withoutWarning(() => stripTypeScriptTypes(source, { mode: 'strip' }));
  return { code, originalPosition: samePosition };
}

/**
 * TypeScript to JavaScript by TypeScript itself, for what cannot be erased (also decorators).
 *
 * @throws {SyntaxError} with `position` if the source is not TypeScript
 */
export function transpile(source: string): ErasedSource {
  const { typescript: ts } = loadTypeScript();
  const output = ts.transpileModule(source, {
    reportDiagnostics: true,
    fileName: 'cell.ts',
    compilerOptions: {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.Preserve,
      // imports are kept even if this cell does not use them: a later one may
      verbatimModuleSyntax: true,
      sourceMap: true,
    },
  });
  const first = output.diagnostics?.find((one) => one.category === ts.DiagnosticCategory.Error);
  if (first) {
    const error = new SyntaxError(ts.flattenDiagnosticMessageText(first.messageText, '\n'));
    if (first.file && first.start !== undefined) {
      const { line, character } = first.file.getLineAndCharacterOfPosition(first.start);
      throw Object.assign(error, { position: { line: line + 1, column: character + 1 } });
    }
    throw error;
  }
  const map = new SourceMap(JSON.parse(output.sourceMapText ?? '{}'));
  return {
    code: output.outputText.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, ''),
    originalPosition: ({ line, column }) => {
      const entry = map.findEntry(line - 1, column - 1);
      return 'originalLine' in entry
        ? { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
        : { line, column };
    },
  };
}
