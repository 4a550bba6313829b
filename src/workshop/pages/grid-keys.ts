/** Arrow keys in a table of buttons. */

/** Moves the focus from cell to cell. The table is one stop of the Tab key (WAI-ARIA Authoring Practices, grid). */
export function onGridKey(event: KeyboardEvent): void {
  const from = event.target;
  if (!(from instanceof HTMLElement)) return;
  const cell = from.closest('td, th');
  const line = cell?.parentElement;
  const table = cell?.closest('table');
  if (!cell || !(line instanceof HTMLTableRowElement) || !table) return;
  const column = [...line.cells].indexOf(cell as HTMLTableCellElement);
  const lines = [...table.rows];
  const at = lines.indexOf(line);
  const target: Record<string, [number, number]> = {
    ArrowLeft: [at, column - 1],
    ArrowRight: [at, column + 1],
    ArrowUp: [at - 1, column],
    ArrowDown: [at + 1, column],
    Home: [at, 0],
    End: [at, line.cells.length - 1],
    PageUp: [Math.max(1, at - 10), column],
    PageDown: [Math.min(lines.length - 1, at + 10), column],
  };
  const [toLine, toColumn] = target[event.key] ?? [];
  if (toLine === undefined || toColumn === undefined) return;
  event.preventDefault();
  lines[toLine]?.cells[toColumn]?.querySelector('button')?.focus();
}
