/** Reading a roster: a CSV file as spreadsheets, Canvas, Moodle and Gradescope write it. All of it is right, or none is taken. */
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { cleanName, nameKey } from '../store/names.ts';

export interface RosterEntry {
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly displayName: string;
  readonly email?: string;
  readonly externalId?: string;
  readonly group?: string;
}

const LARGEST = 5 * 1024 * 1024;
const LONGEST_NAME = 60;

/** What columns are called, in lower case and without signs. */
const COLUMNS = {
  name: ['name', 'full name', 'display name', 'student', 'learner'],
  first: ['first name', 'firstname', 'given name'],
  last: ['last name', 'lastname', 'surname', 'family name'],
  email: ['email', 'e mail', 'email address', 'mail'],
  externalId: ['sid', 'id', 'id number', 'student id', 'external id', 'sis user id', 'sis id'],
  group: ['group', 'groups', 'section', 'sections', 'team'],
} as const;
type Column = keyof typeof COLUMNS;
const COLUMN_NAMES: readonly Column[] = ['name', 'first', 'last', 'email', 'externalId', 'group'];

const record = z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) });

/**
 * Reads a roster. Needed is a column `name`, or `first name` and `last name`; `email`, `id` and `group` are taken where they are.
 * @throws InputError with the line of the first thing that is wrong
 */
export function parseRoster(bytes: Uint8Array): RosterEntry[] {
  const rows = parseCsv(textOf(bytes));
  const [header, ...rest] = rows;
  if (header === undefined)
    throw new InputError('the file is empty; expected a line with the names of the columns');
  const places = columnsOf(header.cells);
  const entries = rest
    // A row of Canvas's own export that is nobody.
    .filter(({ cells }) => cells[places.get('name') ?? -1] !== 'Points Possible')
    .map((row) => entryOf(row, places));
  if (entries.length === 0) throw new InputError('the file holds the names of the columns and nobody');
  refuseTwice(entries, 'name', ({ displayName }) => nameKey(displayName));
  refuseTwice(entries, 'e-mail', ({ email }) => email?.toLowerCase());
  refuseTwice(entries, 'id', ({ externalId }) => externalId);
  return entries;
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > LARGEST)
    throw new InputError(`the file has ${bytes.length} bytes; a roster has at most ${LARGEST}`);
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new InputError('line 1: the file is UTF-16; save it as “CSV UTF-8”');
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    const text = decoder.decode(bytes);
    if (text.includes('\0'))
      throw new InputError(
        `line ${lineOf(text, text.indexOf('\0'))}: holds a zero byte; this is no CSV file`,
      );
    return text;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`line ${firstBadLine(bytes)}: is not UTF-8; save the file as “CSV UTF-8”`);
  }
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** The lines are decoded one by one: a line feed is no part of any other character of UTF-8. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start <= bytes.length; line++) {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.length : found;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return line;
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

function parseCsv(text: string): Row[] {
  // Spreadsheets of some countries write semicolons: the header says which it is.
  const header = /^[^\r\n]*/.exec(text.replace(/^(?:\s*\r?\n)+/, ''))?.[0] ?? '';
  const counted = [',', ';', '\t'].map((sign) => ({ sign, count: header.split(sign).length }));
  const delimiter = counted.toSorted((a, b) => b.count - a.count)[0]?.sign ?? ',';
  try {
    const parsed: unknown = parse(text, {
      bom: true,
      delimiter,
      info: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
      max_record_size: 20_000,
    });
    return z
      .array(record)
      .parse(parsed)
      .map(({ record: cells, info }) => ({ line: info.lines, cells }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(csvSentence(error));
  }
}

/** csv-parse's own words, with the line first. */
function csvSentence(error: CsvError): string {
  const lines: unknown = Reflect.get(error, 'lines');
  const line = typeof lines === 'number' ? lines : '?';
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
    case 'CSV_RECORD_INCONSISTENT_COLUMNS': {
      const cells: unknown = Reflect.get(error, 'record');
      const count = Array.isArray(cells) ? `${cells.length}` : 'another number of';
      return `line ${line}: has ${count} cells, the lines before it have another number`;
    }
    case 'CSV_QUOTE_NOT_CLOSED':
      return `line ${line}: a quote that was opened before is not closed`;
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return `line ${line}: a quote stands in the middle of a cell; write it twice, in a quoted cell`;
    case 'CSV_MAX_RECORD_SIZE':
      return `line ${line}: is too long; is a quote not closed?`;
    default:
      return `line ${line}: ${error.message}`;
  }
}

function columnsOf(header: readonly string[]): ReadonlyMap<Column, number> {
  const plain = header.map((cell) =>
    cell
      .toLowerCase()
      .replace(/[^\p{L}]+/gu, ' ')
      .trim(),
  );
  const places = new Map<Column, number>();
  for (const column of COLUMN_NAMES) {
    // In the order of preference: a file of Canvas has both its own ids and the school's.
    const known: readonly string[] = COLUMNS[column];
    const found = plain.flatMap((cell, place) =>
      known.includes(cell) ? [{ rank: known.indexOf(cell), place }] : [],
    );
    if (new Set(found.map(({ rank }) => rank)).size < found.length) {
      throw new InputError(`line 1: two columns are called “${header[found[0]?.place ?? 0]}”`);
    }
    const best = (column === 'externalId' ? found.toSorted((a, b) => b.rank - a.rank) : found)[0];
    if (best !== undefined) places.set(column, best.place);
  }
  if (!places.has('name') && !(places.has('first') && places.has('last'))) {
    throw new InputError(
      `line 1: there is no column “name”, nor “first name” and “last name”; found: ${header.join(', ') || 'nothing'}`,
    );
  }
  return places;
}

const emailShape = z.email();

function entryOf({ line, cells }: Row, places: ReadonlyMap<Column, number>): RosterEntry {
  const at = (column: Column): string | undefined => {
    const place = places.get(column);
    const cell = cleanName(place === undefined ? '' : (cells[place] ?? ''));
    if (/^[=+\-@]/.test(cell)) {
      throw new InputError(
        `line ${line}: “${shorten(cell)}” begins like a formula of a spreadsheet, which would run it; remove the first sign`,
      );
    }
    if (/\p{Cc}|\p{Bidi_Control}/u.test(cell))
      throw new InputError(`line ${line}: holds a control character`);
    return cell === '' ? undefined : cell;
  };
  const both = [at('first'), at('last')].filter((part) => part !== undefined).join(' ');
  const displayName = at('name') ?? both;
  if (displayName === '') throw new InputError(`line ${line}: has no name`);
  if (displayName.length > LONGEST_NAME)
    throw new InputError(
      `line ${line}: the name “${shorten(displayName)}” has more than ${LONGEST_NAME} characters`,
    );
  const [email, externalId, group] = [at('email'), at('externalId'), at('group')];
  if (email !== undefined && !emailShape.safeParse(email).success)
    throw new InputError(`line ${line}: “${shorten(email)}” is no e-mail address`);
  return {
    line,
    displayName,
    ...(email === undefined ? {} : { email }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(group === undefined ? {} : { group }),
  };
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function refuseTwice(
  entries: readonly RosterEntry[],
  what: string,
  key: (entry: RosterEntry) => string | undefined,
): void {
  const seen = new Map<string, RosterEntry>();
  for (const entry of entries) {
    const value = key(entry);
    if (value === undefined) continue;
    const earlier = seen.get(value);
    if (earlier !== undefined) {
      const way = what === 'name' ? '; write them so that they differ, with a middle name for example' : '';
      throw new InputError(
        `line ${entry.line}: ${entry.displayName} has the same ${what} as ${earlier.displayName} in line ${earlier.line}${way}`,
      );
    }
    seen.set(value, entry);
  }
}
