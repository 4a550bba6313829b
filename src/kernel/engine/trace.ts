import { inspect } from 'node:util';
import type { Position } from './edits.ts';
import { placeInFile } from './imports.ts';

/** An error of a cell, as it crosses processes. */
export interface CellError {
  name: string;
  message: string;
  /** first line `name: message`, then the frames of cells and of files of the notebook's folder */
  stack: string;
  /** for a cell refused before it ran: what is wrong, and where */
  diagnostics?: CellDiagnostic[];
}

/** Something TypeScript finds wrong with a cell. Lines and columns count from 1. */
export interface CellDiagnostic {
  code: number;
  message: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

/** The way from positions in compiled cells back to their sources, by cell name. */
export type PositionMap = ReadonlyMap<string, { originalPosition(position: Position): Position }>;

const FRAME = /^\s+at (?:(.*) \()?(.*?):(\d+):(\d+)\)?$/;

/** A frame, with positions as the person wrote them; undefined if it is none of the person's code. */
function ownFrame(line: string, cells: PositionMap): string | undefined {
  const match = FRAME.exec(line);
  if (!match) return undefined;
  const [, call, place = '', lineText, columnText] = match;
  const cell = cells.get(place.replace(/^async /, ''));
  const position = { line: Number(lineText), column: Number(columnText) };
  if (cell) {
    const { line: row, column } = cell.originalPosition(position);
    const where = `${place.replace(/^async /, '')}:${row}:${column}`;
    return call ? `    at ${call.replace('__lab$.scope.', '')} (${where})` : `    at ${where}`;
  }
  const isLocal = place.startsWith('file:') && place.includes('?lab=');
  if (!isLocal) return undefined;
  const url = place.replace(/^async /, '');
  const { line: row, column } = placeInFile(url, position);
  const where = `${decodeURIComponent(new URL(url).pathname)}:${row}:${column}`;
  return call ? `    at ${call} (${where})` : `    at ${where}`;
}

function nameOf(error: Error): string {
  try {
    return typeof error.name === 'string' && error.name !== '' ? error.name : 'Error';
  } catch {
    return 'Error';
  }
}

function messageOf(error: Error): string {
  try {
    return String(error.message);
  } catch {
    return '';
  }
}

/** Errors of other realms (a `vm` context) are errors too. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** What was thrown, as name, message and the frames that are the person's own. Never throws itself. */
export function describeError(thrown: unknown, cells: PositionMap, depth = 0): CellError {
  if (!isError(thrown)) {
    let message: string;
    try {
      message = typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 2 });
    } catch {
      message = 'a value that cannot be shown';
    }
    return { name: 'Uncaught', message, stack: `Uncaught: ${message}` };
  }
  const name = nameOf(thrown);
  const message = messageOf(thrown);
  const lines = [message === '' ? name : `${name}: ${message}`];
  try {
    const stack = String(thrown.stack ?? '');
    for (const line of stack.split('\n')) {
      const frame = ownFrame(line, cells);
      if (frame !== undefined) lines.push(frame);
    }
    const causes = [
      ...(thrown instanceof AggregateError ? thrown.errors : []),
      ...(thrown.cause === undefined ? [] : [thrown.cause]),
    ];
    if (depth < 3) {
      for (const cause of causes.slice(0, 4)) {
        lines.push(`  caused by ${describeError(cause, cells, depth + 1).stack.replaceAll('\n', '\n  ')}`);
      }
    }
  } catch {
    // an error whose fields throw still has its name and message
  }
  return { name, message, stack: lines.join('\n') };
}
