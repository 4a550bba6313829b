/**
 * Chapter masters: one TypeScript module a chapter, in the percent format, from which the notebooks are made.
 *
 * A line `// %% [kind] …` begins a cell; `// %%` alone begins a code cell. Kinds and their attributes:
 *
 *     // %% [markdown]                              prose, every line behind `//`
 *     // %% [markdown] lang=de                      a translation of the prose just before it
 *     // %% [exercise] bert/pooler difficulty=2 minutes=15
 *                                                   the task, then three hints, each after a line `// <!-- hint -->`
 *     // %% [answer] bert/pooler                    code in which the learner's part stands between markers
 *
 * In an answer cell the solution stands between `// BEGIN SOLUTION` and `// END SOLUTION`; the lines that take its
 * place in the released notebook follow it as `//| …` comments. So both stand side by side, and the module still
 * type-checks, lints and runs as the solved chapter.
 */

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { InputError, messageOf } from '../errors.ts';

export interface ExerciseLabel {
  id: string;
  /** 1 (a line or two) to 5 (an evening). */
  difficulty: number;
  minutes: number;
}

/** Prose in English and, by language code, in others. */
export type Translated = ReadonlyMap<string, string>;

export type MasterCell =
  | { kind: 'markdown'; line: number; text: Translated }
  | { kind: 'exercise'; line: number; text: Translated; exercise: ExerciseLabel }
  | { kind: 'code'; line: number; source: string }
  | { kind: 'answer'; line: number; exercise: string; solved: string; released: string };

export interface Master {
  /** The file's name without its ending, for example `03-bert`. */
  name: string;
  cells: readonly MasterCell[];
}

/** Between the task and its hints, and between one hint and the next. */
export const HINT = '<!-- hint -->';
/** How many hints every exercise has: a nudge, the shape trace, the formula with its source. */
export const HINTS = 3;
/** The language the course is written in. */
export const BASE_LANGUAGE = 'en';

const MARKER = /^\/\/ %%(?:\s|$)/;
const HEADER = /^\/\/ %%(?: \[(?<kind>[a-z]+)\])?(?<rest>.*)$/;
const EXERCISE_ID = /^[a-z0-9]+\/[a-z0-9]+(?:-[a-z0-9]+)*$/;
const LANGUAGE = /^[a-z]{2}$/;
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  code: [],
  markdown: ['lang'],
  exercise: ['lang', 'difficulty', 'minutes'],
  answer: [],
};

/** Reads a master from disk. An InputError names the file, the line and the reason. */
export async function loadMaster(path: string): Promise<Master> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw new InputError(`cannot read the master ${path}: ${messageOf(error)}`);
  }
  return parseMaster(text, basename(path));
}

/** The cells of a master. `file` is its name, for messages and for `Master.name`. */
export function parseMaster(text: string, file: string): Master {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const starts = lines.flatMap((line, index) => (MARKER.test(line) ? [index] : []));
  const fail = (line: number, reason: string): never => {
    throw new InputError(`${file}:${line + 1}: ${reason}`);
  };
  const first = starts[0] ?? fail(0, 'a master needs at least one cell, begun by a line "// %%"');
  const stray = lines.slice(0, first).findIndex((line) => line.trim() !== '' && !isComment(line));
  if (stray >= 0) fail(stray, 'code stands before the first cell; begin a cell with a line "// %%"');

  const cells: MasterCell[] = [];
  for (const [index, start] of starts.entries()) {
    const body = trimBlank(lines.slice(start + 1, starts[index + 1] ?? lines.length));
    const header = parseHeader(lines[start] ?? '', (reason) => fail(start, reason));
    const failHere = (reason: string): never => fail(start, reason);
    if (header.language !== undefined) addTranslation(cells, header, prose(body, start, fail), failHere);
    else if (header.kind === 'code') {
      const marker = body.findIndex((line) => markerOf(line) !== undefined);
      if (marker >= 0) failHere(`${markerOf(body[marker] ?? '')} stands outside an [answer] cell`);
      cells.push({ kind: 'code', line: start + 1, source: body.join('\n') });
    } else if (header.kind === 'answer') {
      cells.push({
        kind: 'answer',
        line: start + 1,
        exercise: header.id,
        ...variants(body, start + 1, fail),
      });
    } else {
      const english = new Map([[BASE_LANGUAGE, prose(body, start, fail)]]);
      if (header.kind === 'markdown') cells.push({ kind: 'markdown', line: start + 1, text: english });
      else cells.push({ kind: 'exercise', line: start + 1, text: english, exercise: header.exercise });
    }
  }
  for (const cell of cells) checkCell(cell, cells, fail);
  return { name: file.replace(/\.ts$/, ''), cells };
}

type Fail = (line: number, reason: string) => never;

type Header =
  | { kind: 'code'; language?: never }
  | { kind: 'markdown'; language?: string }
  | { kind: 'exercise'; exercise: ExerciseLabel; language?: string }
  | { kind: 'answer'; id: string; language?: never };

function parseHeader(line: string, fail: (reason: string) => never): Header {
  const groups = HEADER.exec(line)?.groups;
  const kind = groups?.kind ?? 'code';
  const allowed = ATTRIBUTES[kind] ?? fail(`unknown kind of cell [${kind}]; ${kindList()}`);
  const words = (groups?.rest ?? '').split(/\s+/).filter((word) => word !== '');
  const attributes = new Map<string, string>();
  const free: string[] = [];
  for (const word of words) {
    const [name, value] = word.split('=', 2);
    if (name === undefined || value === undefined) free.push(word);
    else if (allowed.includes(name)) attributes.set(name, value);
    else fail(`unknown attribute "${word}" of a [${kind}] cell`);
  }
  const language = attributes.get('lang');
  if (language !== undefined && (!LANGUAGE.test(language) || language === BASE_LANGUAGE)) {
    fail(`lang must be a two-letter code other than "${BASE_LANGUAGE}", got "${language}"`);
  }
  const translation = language === undefined ? {} : { language };
  if (kind === 'code' || kind === 'markdown') {
    if (free.length > 0) fail(`unexpected "${free.join(' ')}" after the kind of the cell`);
    return kind === 'code' ? { kind } : { kind, ...translation };
  }
  const id = free[0] ?? fail(`a cell [${kind}] needs the exercise's id, for example bert/embeddings`);
  if (free.length > 1 || !EXERCISE_ID.test(id)) {
    fail(`expected one exercise id such as bert/embeddings, got "${free.join(' ')}"`);
  }
  if (kind === 'answer') return { kind, id };
  const number = (name: string, most: number): number => {
    const value = Number(attributes.get(name) ?? (language === undefined ? Number.NaN : 1));
    return Number.isInteger(value) && value >= 1 && value <= most
      ? value
      : fail(`${name}= must be a whole number from 1 to ${most}, got "${attributes.get(name) ?? 'nothing'}"`);
  };
  const exercise = { id, difficulty: number('difficulty', 5), minutes: number('minutes', 240) };
  return { kind: 'exercise', exercise, ...translation };
}

function kindList(): string {
  return `a cell is ${Object.keys(ATTRIBUTES).join(', ')}`;
}

/** Adds a translation to the cell before it, which must be prose of the same kind and not yet have that language. */
function addTranslation(
  cells: MasterCell[],
  header: Header,
  text: string,
  fail: (reason: string) => never,
): void {
  const language = header.language ?? fail('a translation needs lang=');
  const original = cells.at(-1);
  if (original === undefined || original.kind !== header.kind || !('text' in original)) {
    fail(`a translation (lang=${language}) must follow the [${header.kind}] cell that it translates`);
    return;
  }
  if (original.text.has(language)) fail(`this cell already has a translation into "${language}"`);
  cells[cells.length - 1] = { ...original, text: new Map([...original.text, [language, text]]) };
}

/** Prose from comment lines. */
function prose(body: readonly string[], start: number, fail: Fail): string {
  return body
    .map((line, index) => {
      if (line.trim() === '') return '';
      if (!isComment(line)) fail(start + 1 + index, 'every line of prose must begin with "//"');
      return line.replace(/^\/\/ ?/, '');
    })
    .join('\n')
    .trim();
}

/** Both variants of an answer cell. Every solution is followed by the stub lines that replace it. */
function variants(body: readonly string[], start: number, fail: Fail): { solved: string; released: string } {
  const solved: string[] = [];
  const released: string[] = [];
  let state: 'shared' | 'solution' | 'stub' = 'shared';
  let solutions = 0;
  let stubLines = 0;
  for (const [index, line] of body.entries()) {
    const at = start + index;
    const marker = markerOf(line);
    if (marker === 'BEGIN SOLUTION') {
      if (state === 'solution') fail(at, 'BEGIN SOLUTION inside a solution');
      if (state === 'stub' && stubLines === 0) fail(at, 'the solution before has no stub lines ("//| …")');
      state = 'solution';
      solutions++;
      stubLines = 0;
    } else if (marker === 'END SOLUTION') {
      if (state !== 'solution') fail(at, 'END SOLUTION without BEGIN SOLUTION');
      state = 'stub';
    } else if (marker === 'stub') {
      if (state !== 'stub') fail(at, 'a stub line ("//| …") must follow END SOLUTION');
      released.push(line.replace(/\/\/\| ?/, '').trimEnd());
      stubLines++;
    } else {
      if (state === 'stub' && stubLines === 0)
        fail(at, 'END SOLUTION must be followed by stub lines ("//| …")');
      if (state === 'stub') state = 'shared';
      solved.push(line);
      if (state !== 'solution') released.push(line);
    }
  }
  if (state === 'solution') fail(start + body.length - 1, 'BEGIN SOLUTION is never closed by END SOLUTION');
  if (state === 'stub' && stubLines === 0)
    fail(start + body.length - 1, 'the solution has no stub lines ("//| …")');
  if (solutions === 0) fail(start - 1, 'an [answer] cell needs a solution between BEGIN and END SOLUTION');
  return { solved: solved.join('\n'), released: released.join('\n') };
}

function markerOf(line: string): 'BEGIN SOLUTION' | 'END SOLUTION' | 'stub' | undefined {
  const trimmed = line.trim();
  if (trimmed === '// BEGIN SOLUTION') return 'BEGIN SOLUTION';
  if (trimmed === '// END SOLUTION') return 'END SOLUTION';
  return trimmed.startsWith('//|') ? 'stub' : undefined;
}

/** What can only be said once all cells are known. */
function checkCell(cell: MasterCell, cells: readonly MasterCell[], fail: Fail): void {
  const at = cell.line - 1;
  if (cell.kind === 'exercise') {
    for (const [language, text] of cell.text) {
      const hints = text.split('\n').filter((line) => line.trim() === HINT).length;
      if (hints !== HINTS)
        fail(at, `an exercise needs ${HINTS} hints, this one has ${hints} in "${language}"`);
    }
    const answers = cells.filter((other) => other.kind === 'answer' && other.exercise === cell.exercise.id);
    if (answers.length !== 1) {
      fail(at, `the exercise ${cell.exercise.id} needs exactly one [answer] cell, found ${answers.length}`);
    }
    const twin = cells.find((other) => other.kind === 'exercise' && other.exercise.id === cell.exercise.id);
    if (twin !== cell) fail(at, `the exercise ${cell.exercise.id} stands here a second time`);
  }
  if (cell.kind === 'answer') {
    const task = cells.find((other) => other.kind === 'exercise' && other.exercise.id === cell.exercise);
    if (task === undefined) fail(at, `the answer cell ${cell.exercise} has no [exercise] cell`);
  }
  if ((cell.kind === 'markdown' || cell.kind === 'exercise') && cell.text.get(BASE_LANGUAGE) === '') {
    fail(at, 'this cell of prose is empty');
  }
}

function isComment(line: string): boolean {
  return line.startsWith('//');
}

function trimBlank(lines: readonly string[]): string[] {
  const used = lines.map((line) => line.trimEnd());
  const first = used.findIndex((line) => line !== '');
  if (first < 0) return [];
  return used.slice(first, used.findLastIndex((line) => line !== '') + 1);
}
