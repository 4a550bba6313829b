/** The gradebook as CSV, in the layouts of others. */
import { stringify } from 'csv-stringify/sync';
import type { Book, BookRow } from '../store/gradebook.ts';
import type { Mark } from './policy.ts';

export const EXPORT_FORMATS = ['canvas', 'moodle', 'gradescope', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

type Cell = string | number | null;

/** The book in a format. Marks that are missing or pending are empty cells, which importers leave alone. */
export function exportBook(book: Book, format: ExportFormat): string {
  const rows = { canvas, moodle, gradescope, csv: plain }[format](book);
  // Names come from learners: what a spreadsheet would run gets an apostrophe, numbers are left alone.
  return stringify(rows, { escape_formulas: true, record_delimiter: '\r\n' });
}

/** Two assignments with one title would become one column. */
function titles({ assignments }: Book): string[] {
  return assignments.map(({ title, chapter }) => {
    const alone = assignments.filter((one) => one.title === title).length === 1;
    return alone ? title : `${title} (${chapter})`;
  });
}

const outOf = (book: Book, column: number): number | null =>
  book.rows.reduce<number | null>((most, { marks }) => {
    const points = marks[column]?.outOf ?? null;
    return points === null ? most : Math.max(points, most ?? 0);
  }, null);

/** `Ada Byron` as `Byron, Ada`: the last word is taken for the family name. */
function parts(name: string): { first: string; last: string } {
  const words = name.split(' ');
  return words.length === 1
    ? { first: name, last: '' }
    : { first: words.slice(0, -1).join(' '), last: words.at(-1) ?? '' };
}

/**
 * Canvas, “Import Grades” of the gradebook: the columns Student, ID, SIS User ID, SIS Login ID and Section, then one a title of an assignment; the
 * second row, Points Possible, makes new assignments complete. Students are found by SIS User ID (Canvas's own ID is left empty).
 * Source: Canvas Instructor Guide, “How do I import grades in the Gradebook?”.
 */
function canvas(book: Book): Cell[][] {
  const columns = titles(book);
  return [
    ['Student', 'ID', 'SIS User ID', 'SIS Login ID', 'Section', ...columns],
    ['    Points Possible', '', '', '', '', ...columns.map((_, column) => outOf(book, column))],
    ...book.rows.map(({ learner, group, marks }) => {
      const { first, last } = parts(learner.displayName);
      const name = last === '' ? first : `${last}, ${first}`;
      return [name, '', learner.externalId, learner.email, group, ...marks.map(({ points }) => points)];
    }),
  ];
}

/**
 * Moodle, “Import: CSV file” of the gradebook: users are mapped by Email address or ID number, each other column to a grade item or its feedback.
 * The names are those of Moodle's own export. Source: Moodle Docs, “Grade import” and “Grade export”.
 */
function moodle(book: Book): Cell[][] {
  const columns = titles(book);
  return [
    [
      'First name',
      'Last name',
      'ID number',
      'Email address',
      ...columns.flatMap((title) => [`${title} (Real)`, `${title} (Feedback)`]),
    ],
    ...book.rows.map(({ learner, marks }) => {
      const { first, last } = parts(learner.displayName);
      const cells = marks.flatMap((mark): Cell[] => [mark.points, feedback(mark)]);
      return [first, last, learner.externalId, learner.email, ...cells];
    }),
  ];
}

/**
 * Gradescope's table of grades, as its “Download Grades” writes it and programs that read it expect: First Name, Last Name, SID, Email, Sections,
 * then for each assignment its score, “Max Points” and “Lateness (H:M:S)”. Its first four columns are also what “Add Students” (CSV) takes.
 * Source: Gradescope Help, “Downloading grades” and “Adding students to a course”.
 */
function gradescope(book: Book): Cell[][] {
  const columns = titles(book);
  return [
    [
      'First Name',
      'Last Name',
      'SID',
      'Email',
      'Sections',
      ...columns.flatMap((title) => [title, `${title} - Max Points`, `${title} - Lateness (H:M:S)`]),
    ],
    ...book.rows.map(({ learner, group, marks }) => {
      const { first, last } = parts(learner.displayName);
      const cells = marks.flatMap((mark, column): Cell[] => [
        mark.points,
        outOf(book, column),
        mark.attempt === null ? null : `${mark.daysLate * 24}:00:00`,
      ]);
      return [first, last, learner.externalId, learner.email, group, ...cells];
    }),
  ];
}

/** Everything that is known, one line a learner and assignment. */
function plain(book: Book): Cell[][] {
  const header = [
    'learner',
    'email',
    'id',
    'group',
    'chapter',
    'status',
    'points',
    'out of',
    'automatic',
    'attempt',
    'days late',
    'factor',
    'manual',
    'comments',
  ];
  const line = ({ learner, group }: BookRow, chapter: string, mark: Mark): Cell[] => [
    learner.displayName,
    learner.email,
    learner.externalId,
    group,
    chapter,
    mark.status,
    mark.points,
    mark.outOf,
    mark.automatic,
    mark.attempt,
    mark.daysLate,
    mark.factor,
    mark.manual ? 'yes' : 'no',
    feedback(mark),
  ];
  return [
    header,
    ...book.rows.flatMap((row) =>
      row.marks.map((mark, column) => line(row, book.assignments[column]?.chapter ?? '', mark)),
    ),
  ];
}

function feedback({ comments }: Mark): string {
  return comments
    .map(({ exercise, comment }) => (exercise === null ? comment : `${exercise}: ${comment}`))
    .join('; ');
}
