/** Reads comma-separated values as RFC 4180 writes them, strictly. */

/** The rows of cells. @throws if a quote stands where none may, a row does not end in CRLF, or the text ends inside a cell. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) throw new Error('the text ends inside a quoted cell');
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') cell += text[at++];
        else break;
      }
      at++;
    } else {
      const end = /[,\r\n"]|$/.exec(text.slice(at))?.index ?? 0;
      cell = text.slice(at, at + end);
      at += end;
    }
    row.push(cell);
    if (text[at] === ',') at++;
    else if (text.startsWith('\r\n', at)) {
      at += 2;
      rows.push(row);
      row = [];
    } else throw new Error(`a cell is followed by ${JSON.stringify(text[at])}`);
  }
  if (row.length > 0) throw new Error('the last row has no end');
  return rows;
}
