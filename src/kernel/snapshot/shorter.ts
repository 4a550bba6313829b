import { parse } from 'acorn';

/** A piece of a script that is no code: a comment to leave out, or a text to keep as it is. */
interface Piece {
  start: number;
  end: number;
  isComment: boolean;
}

/**
 * A script without its comments and indents. A process from a snapshot holds the text of what was loaded into it
 * twice, once in the snapshot and once in its heap, and of TypeScript's nine megabytes a fifth is neither code nor text.
 */
export function shorterScript(source: string): string {
  const pieces: Piece[] = [];
  parse(source, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    onComment: (_isBlock, _text, start, end) => pieces.push({ start, end, isComment: true }),
    onToken: ({ type, start, end }) => {
      const isText = type.label === 'template' || type.label === 'string';
      if (isText && source.slice(start, end).includes('\n')) pieces.push({ start, end, isComment: false });
    },
  });
  pieces.sort((a, b) => a.start - b.start);
  const code = (start: number, end: number) => source.slice(start, end).replace(/\n\s+/g, '\n');
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, isComment } of pieces) {
    const piece = source.slice(start, end);
    // a comment of more than a line ends a statement, as a line break does
    parts.push(code(at, start), isComment ? (piece.includes('\n') ? '\n' : ' ') : piece);
    at = end;
  }
  parts.push(code(at, source.length));
  return parts.join('');
}
