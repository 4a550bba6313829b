/** Matrices as pictures: attention maps, masks, heat maps. */

import { InputError } from '../errors.ts';
import { type Chart, chart } from './chart.ts';
import { number } from './text.ts';

/** Rows of numbers, all of one length. */
export type Matrix = readonly (readonly number[])[];

/** The flat numbers of a matrix as rows of `width`. */
export function rowsOf(values: ArrayLike<number>, width: number): number[][] {
  if (!(width > 0) || values.length % width !== 0) {
    throw new InputError(`${values.length} numbers do not make rows of ${width}`);
  }
  const all = Array.from(values);
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
}

export interface HeatmapOptions {
  title: string;
  /** What the rows and the columns are. */
  rows: string;
  columns: string;
  rowNames?: readonly string[];
  columnNames?: readonly string[];
  /** The number of the first row and column, 1 unless given. */
  countFrom?: 0 | 1;
  /** The ends of the colour scale; the smallest and the largest value unless given. */
  domain?: readonly [number, number];
  /** Edge of a cell in pixels. */
  cell?: number;
  /** How many matrices stand in a row. Default 4. */
  perRow?: number;
}

/** Matrices side by side, by name, in one colour scale (cividis: even in lightness, safe for all colour vision). */
export function heatmap(matrices: Readonly<Record<string, Matrix>>, options: HeatmapOptions): Chart {
  const { title, rows, columns, cell = 26, countFrom } = options;
  const values = Object.entries(matrices).flatMap(([name, matrix]) =>
    matrix.flatMap((line, row) =>
      line.map((value, column) => ({
        name,
        row: label(options.rowNames, row, countFrom),
        column: label(options.columnNames, column, countFrom),
        value: Number(value.toPrecision(4)),
      })),
    ),
  );
  const first = Object.values(matrices)[0];
  const height = first?.length ?? 0;
  const width = first?.[0]?.length ?? 0;
  if (height === 0 || width === 0) throw new InputError(`the heat map "${title}" has no values`);
  const several = Object.keys(matrices).length > 1;
  const numbers = values.map(({ value }) => value);
  const domain = options.domain ?? [Math.min(...numbers), Math.max(...numbers)];
  return chart(
    {
      title,
      data: { values },
      width: cell * width,
      height: cell * height,
      mark: { type: 'rect', tooltip: true },
      encoding: {
        ...(several
          ? {
              facet: {
                field: 'name',
                type: 'nominal',
                title: null,
                sort: Object.keys(matrices),
                columns: options.perRow ?? 4,
              },
            }
          : {}),
        x: {
          field: 'column',
          type: 'nominal',
          title: columns,
          sort: null,
          axis: { labelAngle: -45, orient: 'bottom' },
        },
        y: { field: 'row', type: 'nominal', title: rows, sort: null },
        color: {
          field: 'value',
          type: 'quantitative',
          title: null,
          scale: { scheme: 'cividis', domain: [...domain] },
        },
      },
    },
    describe(matrices, options),
  );
}

export interface AttentionOptions {
  title: string;
  /** The tokens that look, and those that are looked at (the same unless given). */
  queries: readonly string[];
  keys?: readonly string[];
}

/** Attention probabilities of one sequence, one map a head. @param heads [H][T][S] */
export function attentionMap(
  heads: readonly Matrix[],
  { title, queries, keys = queries }: AttentionOptions,
): Chart {
  return heatmap(Object.fromEntries(heads.map((matrix, head) => [`head ${head + 1}`, matrix])), {
    title,
    rows: 'query',
    columns: 'key',
    rowNames: queries,
    columnNames: keys,
    domain: [0, 1],
    cell: 16,
    perRow: 2,
  });
}

export interface MaskOptions {
  title: string;
  queries?: readonly string[];
  keys?: readonly string[];
}

/**
 * Masks by name, 1 where a query may look and 0 where it may not. The two differ in lightness and in a mark, so that
 * neither colour nor its absence alone says it.
 */
export function maskChart(
  masks: Readonly<Record<string, Matrix>>,
  { title, queries, keys }: MaskOptions,
): Chart {
  const values = Object.entries(masks).flatMap(([name, matrix]) =>
    matrix.flatMap((line, row) =>
      line.map((value, column) => ({
        name,
        row: label(queries, row),
        column: label(keys ?? queries, column),
        seen: value > 0 ? 'may look' : 'hidden',
        mark: value > 0 ? '●' : '×',
      })),
    ),
  );
  const first = Object.values(masks)[0] ?? [];
  const x = { field: 'column', type: 'nominal' as const, title: 'key', sort: null, axis: { labelAngle: 0 } };
  const y = { field: 'row', type: 'nominal' as const, title: 'query', sort: null };
  return chart(
    {
      title,
      data: { values },
      facet: { field: 'name', type: 'nominal', title: null, sort: Object.keys(masks) },
      columns: 3,
      spec: {
        width: 26 * (first[0]?.length ?? 1),
        height: 26 * Math.max(1, first.length),
        layer: [
          {
            mark: { type: 'rect', stroke: '#757575', strokeWidth: 0.5 },
            encoding: {
              x,
              y,
              color: {
                field: 'seen',
                type: 'nominal',
                title: null,
                scale: { domain: ['may look', 'hidden'], range: ['#0072b2', '#dddddd'] },
              },
            },
          },
          {
            mark: { type: 'text', fontSize: 12 },
            encoding: {
              x,
              y,
              text: { field: 'mark' },
              color: { condition: { test: "datum.mark === '×'", value: '#444444' }, value: '#ffffff' },
            },
          },
        ],
      },
    },
    `${title}. ${Object.entries(masks)
      .map(
        ([name, matrix]) =>
          `${name}: ${matrix.map((line, row) => `query ${row + 1} sees ${list(line)}`).join(', ')}`,
      )
      .join('; ')}.`,
  );
}

/** "keys 1, 2, 4" or "nothing". */
function list(line: readonly number[]): string {
  const seen = line.flatMap((value, column) => (value > 0 ? [column + 1] : []));
  return seen.length === 0 ? 'nothing' : `keys ${seen.join(', ')}`;
}

/** Names may repeat (a word comes twice), axes may not: the place goes before the name. */
function label(names: readonly string[] | undefined, index: number, from = 1): string {
  const name = names?.[index];
  return name === undefined ? String(index + from) : `${index + from} ${name}`;
}

function describe(matrices: Readonly<Record<string, Matrix>>, options: HeatmapOptions): string {
  const each = Object.entries(matrices).map(([name, matrix]) => {
    let best = { row: 0, column: 0, value: Number.NEGATIVE_INFINITY };
    for (const [row, line] of matrix.entries()) {
      for (const [column, value] of line.entries()) if (value > best.value) best = { row, column, value };
    }
    const { rowNames, columnNames, countFrom } = options;
    const place = `${label(rowNames, best.row, countFrom)} / ${label(columnNames, best.column, countFrom)}`;
    return `${name}: ${matrix.length} by ${matrix[0]?.length ?? 0}, largest ${number(best.value)} at ${place}`;
  });
  return `${options.title}. Heat map. ${each.join('; ')}.`;
}
