/** A replacement of source text between two offsets. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A place in a text: line from 1, column from 1. */
export interface Position {
  line: number;
  column: number;
}

/** A column where generated and original part, and whether inserted text follows there. */
type Shift = readonly [generated: number, original: number, isInserted: boolean];

/** Text after edits, and the way back from a place in it to the place in the source. */
export interface EditedText {
  text: string;
  originalPosition(position: Position): Position;
}

/**
 * Applies edits that keep every line break where it was, so that lines keep their numbers and only columns move.
 *
 * @param edits not overlapping, in any order; at the same offset insertions come first, in the order given
 */
export function applyEdits(source: string, edits: readonly Edit[]): EditedText {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let text = '';
  let at = 0;
  const lineStarts = [0];
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) lineStarts.push(i + 1);
  // by line
  const shifts = new Map<number, Shift[]>();
  let line = 0;
  let generatedLineStart = 0;
  const advanceTo = (offset: number) => {
    text += source.slice(at, offset);
    at = offset;
    while (line + 1 < lineStarts.length && (lineStarts[line + 1] ?? 0) <= offset) {
      line += 1;
      generatedLineStart = text.length - (offset - (lineStarts[line] ?? 0));
    }
  };
  for (const edit of sorted) {
    advanceTo(edit.start);
    const points = shifts.get(line) ?? [];
    shifts.set(line, points);
    points.push([text.length - generatedLineStart, edit.start - (lineStarts[line] ?? 0), true]);
    text += edit.text;
    const isMultiline = source.slice(edit.start, edit.end).includes('\n');
    if (isMultiline) {
      // the text keeps its line breaks: nothing moves after them
      at = edit.end;
      while (line + 1 < lineStarts.length && (lineStarts[line + 1] ?? 0) <= edit.end) line += 1;
      generatedLineStart = text.length - (edit.end - (lineStarts[line] ?? 0));
    } else {
      at = edit.end;
      // V8 places a call of anything but a plain name after its callee: that place is the name's too
      const past = edit.end > edit.start ? 1 : 0;
      points.push([
        text.length - generatedLineStart + past,
        edit.end - (lineStarts[line] ?? 0) + past,
        false,
      ]);
    }
  }
  advanceTo(source.length);

  return { text, originalPosition: wayBack(shifts) };
}

/** From generated to original positions. A function of its own, so that it keeps none of the texts alive. */
function wayBack(shifts: ReadonlyMap<number, readonly Shift[]>): (position: Position) => Position {
  return (position) => {
    const column = position.column - 1;
    let shift: Shift = [0, 0, false];
    for (const point of shifts.get(position.line - 1) ?? []) if (point[0] <= column) shift = point;
    const [generated, original, isInserted] = shift;
    return { line: position.line, column: (isInserted ? original : original + column - generated) + 1 };
  };
}

/** Spaces in place of text, with its line breaks kept. */
export function blank(text: string): string {
  return text.replace(/[^\n\r]/g, ' ');
}
