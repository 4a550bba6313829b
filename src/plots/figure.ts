/** Figures of architectures, drawn by code: boxes from the bottom up, arrows between them, shapes on the arrows. */

import { InputError } from '../errors.ts';
import { type Displayable, JUPYTER_DISPLAY } from './chart.ts';
import { escapeMarkup } from './text.ts';

/** What a box is, which decides its colour. */
export type BlockKind = 'data' | 'layer' | 'norm' | 'head' | 'loss';

export interface Block {
  label: string;
  /** A second, smaller line. */
  note?: string;
  /** The shape that leaves the box, written on the arrow above it: `[B, T, D]`. */
  shape?: string;
  kind?: BlockKind;
}

export interface FigureOptions {
  title: string;
  /** Rows from the bottom up, each with the boxes that stand side by side. */
  rows: readonly (readonly Block[])[];
  /** Frames around rows, with a label such as "× L layers". */
  groups?: readonly { from: number; to: number; label: string }[];
  /** Arrows past the boxes: from what enters row `from` to row `to`, which adds it. */
  residuals?: readonly { from: number; to: number }[];
}

export interface Figure extends Displayable {
  readonly svg: string;
  /** The figure in words. */
  readonly alternative: string;
}

const BOX = { width: 190, height: 44, gapX: 18, gapY: 40 } as const;
const MARGIN = { top: 34, side: 96, bottom: 12 } as const;
const LINE = '#757575';
/** Fills light enough for black text, which reads the same on a white and on a black page. */
const FILL: Readonly<Record<BlockKind, string>> = {
  data: '#e8e8e8',
  layer: '#bfe0f5',
  norm: '#fbe3b0',
  head: '#bfe8d9',
  loss: '#f5d3c0',
};

/** The figure of a stack of blocks. An InputError if a group or a residual names a row that is not there. */
export function architectureFigure({ title, rows, groups = [], residuals = [] }: FigureOptions): Figure {
  for (const { from, to } of [...groups, ...residuals]) {
    if (rows[from] === undefined || rows[to] === undefined || from > to) {
      throw new InputError(`figure "${title}": rows ${from} to ${to} are not among its ${rows.length} rows`);
    }
  }
  const widest = Math.max(...rows.map((row) => row.length));
  const inner = widest * BOX.width + (widest - 1) * BOX.gapX;
  const width = inner + 2 * MARGIN.side;
  const height = MARGIN.top + MARGIN.bottom + rows.length * BOX.height + (rows.length - 1) * BOX.gapY;
  const top = (row: number): number => height - MARGIN.bottom - BOX.height - row * (BOX.height + BOX.gapY);
  const center = (row: number, column: number): number => {
    const count = rows[row]?.length ?? 1;
    const used = count * BOX.width + (count - 1) * BOX.gapX;
    return MARGIN.side + (inner - used) / 2 + column * (BOX.width + BOX.gapX) + BOX.width / 2;
  };

  const parts: string[] = [];
  for (const { from, to, label } of groups) {
    const x = MARGIN.side - 14;
    const y = top(to) - 8;
    const tall = top(from) + BOX.height + 8 - y;
    parts.push(
      `<rect x="${x}" y="${y}" width="${inner + 28}" height="${tall}" rx="10" fill="none" stroke="${LINE}" stroke-dasharray="5 4"/>`,
      text(x + inner + 34, y + tall / 2, label, { anchor: 'start' }),
    );
  }
  for (const [row, blocks] of rows.entries()) {
    for (const [column, block] of blocks.entries()) {
      parts.push(box(center(row, column), top(row), block));
      const above = rows[row + 1];
      if (above === undefined) continue;
      const x = center(row, column);
      const targets = above.length === blocks.length ? [column] : above.map((_, index) => index);
      for (const target of targets)
        parts.push(arrow(x, top(row), center(row + 1, target), top(row + 1) + BOX.height));
      if (block.shape !== undefined)
        parts.push(
          shapeLabel(
            block.shape,
            x,
            top(row),
            targets.map((to) => center(row + 1, to)),
          ),
        );
    }
  }
  for (const { from, to } of residuals) {
    const start = top(from) + BOX.height + BOX.gapY / 2;
    const end = top(to) + BOX.height / 2;
    const x = center(from, 0);
    const left = Math.min(center(from, 0), center(to, 0)) - BOX.width / 2 - 22;
    parts.push(
      `<path d="M ${x} ${start} H ${left} V ${end} H ${center(to, 0) - BOX.width / 2 - 2}" fill="none" stroke="${LINE}" stroke-width="1.5" marker-end="url(#tip)"/>`,
    );
  }
  const alternative = describe({ title, rows, groups, residuals });
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" role="img" aria-label="${escapeMarkup(alternative)}">`,
    `<title>${escapeMarkup(title)}</title>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" fill="${LINE}"/></marker></defs>`,
    text(width / 2, 18, title, { size: 15, weight: 'bold' }),
    ...parts,
    '</svg>',
  ].join('\n');
  return {
    svg,
    alternative,
    [JUPYTER_DISPLAY]: () => ({ 'image/svg+xml': svg, 'text/plain': alternative }),
  };
}

function box(x: number, y: number, { label, note, kind = 'layer' }: Block): string {
  const middle = y + BOX.height / 2;
  return [
    `<rect x="${x - BOX.width / 2}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="7" fill="${FILL[kind]}" stroke="${LINE}"/>`,
    text(x, note === undefined ? middle + 5 : middle - 2, label, { colour: '#111111', size: 13 }),
    ...(note === undefined ? [] : [text(x, middle + 14, note, { colour: '#333333', size: 11 })]),
  ].join('\n');
}

function arrow(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2 + 1}" stroke="${LINE}" stroke-width="1.5" marker-end="url(#tip)"/>`;
}

/** A shape beside its arrow, on the side that the arrow does not lean to; between the arrows where they part. */
function shapeLabel(shape: string, x: number, top: number, targets: readonly number[]): string {
  const parting = targets.some((to) => to < x) && targets.some((to) => to > x);
  if (parting) return text(x, top - 24, shape, { size: 11 });
  const leansLeft = targets.every((to) => to <= x);
  return text(leansLeft ? x + 8 : x - 8, top - 13, shape, { size: 11, anchor: leansLeft ? 'start' : 'end' });
}

interface TextStyle {
  size?: number;
  colour?: string;
  anchor?: 'start' | 'middle' | 'end';
  weight?: 'normal' | 'bold';
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 12, colour = LINE, anchor = 'middle', weight = 'normal' } = style;
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${colour}" text-anchor="${anchor}" font-weight="${weight}">${escapeMarkup(content)}</text>`;
}

function describe({ title, rows, groups = [], residuals = [] }: FigureOptions): string {
  const name = (row: number): string => (rows[row] ?? []).map(({ label }) => label).join(' and ');
  const steps = rows.map((row) =>
    row
      .map(({ label, note, shape }) =>
        [label, note === undefined ? '' : ` (${note})`, shape === undefined ? '' : `, giving ${shape}`].join(
          '',
        ),
      )
      .join(', beside '),
  );
  const frames = groups.map(({ from, to, label }) => `${name(from)} up to ${name(to)}: ${label}`);
  const adds = residuals.map(({ from, to }) => `what enters ${name(from)} is added at ${name(to)}`);
  return `${title}, from the bottom up: ${[steps.join('; '), ...frames, ...adds].join('. ')}.`;
}
