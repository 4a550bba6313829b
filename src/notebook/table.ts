/** A table of a few rows, as HTML and as text. */

import { type Displayable, JUPYTER_DISPLAY } from '../plots/chart.ts';
import { escapeMarkup, number } from '../plots/text.ts';

export type TableCell = string | number | boolean;

/** Rows as records: their keys, in the order of the first row, are the head of the table. */
export function table(rows: readonly Readonly<Record<string, TableCell>>[], title?: string): Displayable {
  const columns = Object.keys(rows[0] ?? {});
  const cell = (value: TableCell | undefined): string =>
    typeof value === 'number' ? number(value) : String(value ?? '');
  const body = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...body.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((value, index) => value.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const text = [...(title === undefined ? [] : [title]), line(columns), ...body.map(line)].join('\n');
  const tag = (name: string, cells: readonly string[]): string =>
    `<tr>${cells.map((value) => `<${name} style="text-align:left">${escapeMarkup(value)}</${name}>`).join('')}</tr>`;
  const caption =
    title === undefined ? '' : `<caption style="text-align:left">${escapeMarkup(title)}</caption>`;
  const html = `<table>${caption}<thead>${tag('th', columns)}</thead><tbody>${body.map((row) => tag('td', row)).join('')}</tbody></table>`;
  return { [JUPYTER_DISPLAY]: () => ({ 'text/html': html, 'text/plain': text }) };
}
