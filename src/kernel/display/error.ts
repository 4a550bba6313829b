import type { CellError } from '../engine/index.ts';
import type { ErrorContent } from '../protocol/channel.ts';

const RED = '\u001b[31m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

const CONTEXT_LINES = 2;

/**
 * An error as a notebook shows it: what went wrong, the lines around the place in the cell, and the frames.
 *
 * @param sources sources of cells, by the names their frames bear
 */
export function formatError(error: CellError, sources: ReadonlyMap<string, string>): ErrorContent {
  const [first = '', ...frames] = error.stack.split('\n');
  const traceback = [`${RED}${first}${PLAIN}`];
  if (!error.diagnostics) {
    const excerpt = excerptOf(frames, sources);
    if (excerpt) traceback.push(excerpt);
  }
  traceback.push(...frames);
  return { ename: error.name, evalue: error.message, traceback };
}

/** The lines around the innermost place that lies in a cell. */
function excerptOf(frames: readonly string[], sources: ReadonlyMap<string, string>): string | undefined {
  for (const frame of frames) {
    const match = /(?:\(|at )([^()]+):(\d+):(\d+)\)?$/.exec(frame);
    const source = match?.[1] === undefined ? undefined : sources.get(match[1]);
    if (!match || source === undefined) continue;
    const line = Number(match[2]);
    const lines = source.split('\n');
    const from = Math.max(1, line - CONTEXT_LINES);
    const to = Math.min(lines.length, line + CONTEXT_LINES);
    const width = String(to).length;
    const shown: string[] = [];
    for (let number = from; number <= to; number++) {
      const text = `${String(number).padStart(width)} | ${lines[number - 1] ?? ''}`;
      shown.push(number === line ? `${RED}>${PLAIN} ${text}` : `  ${DIM}${text}${PLAIN}`);
      if (number === line)
        shown.push(`  ${' '.repeat(width)} | ${' '.repeat(Number(match[3]) - 1)}${RED}^${PLAIN}`);
    }
    return shown.join('\n');
  }
  return undefined;
}
