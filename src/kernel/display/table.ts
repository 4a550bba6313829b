import { inspectValue } from './format.ts';
import { escapeHtml } from './html.ts';
import type { MimeBundle } from './publish.ts';

const MOST_ROWS = 50;
const MOST_COLUMNS = 20;

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isCell(value: unknown): boolean {
  return (
    value === null || value instanceof Date || (typeof value !== 'object' && typeof value !== 'function')
  );
}

/** Two or more plain objects with mostly the same keys and simple values: rows of a table. */
function rowsOf(value: object): { rows: Record<string, unknown>[]; columns: string[] } | undefined {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isRecord)) return undefined;
  const columns = [...new Set(value.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0 || columns.length > MOST_COLUMNS) return undefined;
  const filled = value.reduce((sum, row) => sum + Object.keys(row).length, 0);
  if (filled < (columns.length * value.length) / 2) return undefined;
  return value.every((row) => Object.values(row).every(isCell)) ? { rows: value, columns } : undefined;
}

function cellText(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return value instanceof Date ? value.toISOString() : String(value);
}

/** An array of records as a table; undefined for anything else. */
export function tableDisplay(value: object): MimeBundle | undefined {
  const table = rowsOf(value);
  if (!table) return undefined;
  const { rows, columns } = table;
  const cell = (content: unknown) => {
    const align = typeof content === 'number' ? 'right' : 'left';
    return `<td style="text-align:${align}">${escapeHtml(cellText(content))}</td>`;
  };
  const head = columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('');
  const body = rows
    .slice(0, MOST_ROWS)
    .map((row, index) => `<tr><th>${index}</th>${columns.map((name) => cell(row[name])).join('')}</tr>`)
    .join('');
  const more = rows.length > MOST_ROWS ? `<p>${rows.length - MOST_ROWS} more of ${rows.length} rows</p>` : '';
  return {
    'text/html': `<table><thead><tr><th></th>${head}</tr></thead><tbody>${body}</tbody></table>${more}`,
    'text/plain': inspectValue(rows),
  };
}
