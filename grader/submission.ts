/** Reading a submission: a notebook written by a stranger. Only answer cells are taken from it. */
import { z } from 'zod';
import type { AnswerCell, Chapter } from './chapter.ts';

/** A notebook with its outputs stays far below; what is larger was made to cost time. */
export const MAX_NOTEBOOK_BYTES = 32 * 1024 * 1024;
const MAX_CELLS = 20_000;
const MAX_ANSWER_CHARACTERS = 256 * 1024;

const source = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(''))]);
const notebook = z.object({
  nbformat: z.number(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  cells: z.array(z.unknown()),
});
const cellSchema = z.object({
  cell_type: z.string(),
  id: z.string().optional().catch(undefined),
  source,
  metadata: z
    .object({
      lab: z
        .object({
          exercise: z.string().optional().catch(undefined),
          kind: z.string().optional().catch(undefined),
        })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});

interface SubmittedCell {
  readonly type: string;
  readonly id: string | undefined;
  readonly source: string;
  readonly exercise: string | undefined;
}

export interface Submission {
  readonly cells: readonly SubmittedCell[];
  /** The chapter its metadata name, if any. */
  readonly chapter: string | undefined;
}

/** A file that cannot be graded; the message is for the learner. */
export class UnreadableSubmission extends Error {
  override readonly name = 'UnreadableSubmission';
}

/** @throws UnreadableSubmission with the reason */
export function parseSubmission(bytes: Uint8Array): Submission {
  if (bytes.length > MAX_NOTEBOOK_BYTES) {
    throw new UnreadableSubmission(
      `it is larger than ${MAX_NOTEBOOK_BYTES / 1024 / 1024} MiB; clear its outputs and hand it in again`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new UnreadableSubmission('it is not a notebook: a notebook (.ipynb) is a JSON file');
  }
  const parsed = notebook.safeParse(json);
  if (!parsed.success)
    throw new UnreadableSubmission('it is JSON but not a notebook: “nbformat” or “cells” is missing');
  const { data } = parsed;
  if (data.nbformat !== 4)
    throw new UnreadableSubmission(`it has notebook format ${data.nbformat}; expected 4`);
  if (data.cells.length > MAX_CELLS)
    throw new UnreadableSubmission(`it has ${data.cells.length} cells; at most ${MAX_CELLS} are read`);
  const lab = z.object({ chapter: z.string() }).safeParse(data.metadata?.lab);
  return {
    chapter: lab.success ? lab.data.chapter : undefined,
    cells: data.cells.flatMap((item) => {
      const cell = cellSchema.safeParse(item);
      if (!cell.success) return [];
      const { cell_type, id, metadata } = cell.data;
      const own = metadata?.lab?.kind === undefined || metadata.lab.kind === 'answer';
      return [
        {
          type: cell_type,
          id,
          source: cell.data.source,
          exercise: own ? metadata?.lab?.exercise : undefined,
        },
      ];
    }),
  };
}

/** Which chapter a submission answers: the one whose exercises most of its answer cells name, else the one it says it is. */
export function chapterOfSubmission(
  submission: Submission,
  chapters: ReadonlyMap<string, Chapter>,
): Chapter | undefined {
  const named = new Set(submission.cells.map(({ exercise }) => exercise));
  const ids = new Set(submission.cells.map(({ id }) => id));
  const score = (chapter: Chapter): number =>
    chapter.answers.filter(({ exercise, id }) => named.has(exercise) || ids.has(id)).length +
    (chapter.name === submission.chapter ? 0.5 : 0);
  const [best] = [...chapters.values()].sort((a, b) => score(b) - score(a));
  return best !== undefined && score(best) > 0 ? best : undefined;
}

/** The learner's text for an exercise and what was odd about where it stood. */
export interface FoundAnswer {
  readonly source: string | undefined;
  readonly notices: readonly string[];
}

/** Finds the answer to an exercise in spite of deleted, duplicated, renamed and retyped cells, and says what it met. */
export function findAnswer(submission: Submission, answer: AnswerCell, entry: string): FoundAnswer {
  const notices: string[] = [];
  const { cells } = submission;
  let found = cells.filter(({ exercise }) => exercise === answer.exercise);
  if (found.length === 0) {
    found = cells.filter(({ id, exercise }) => id === answer.id && exercise === undefined);
    if (found.length > 0)
      notices.push(`${answer.exercise}: the answer cell had lost its label and was found by its id.`);
  }
  if (found.length === 0) {
    const declaration = new RegExp(`(?:function\\*?|const|let|var)\\s+${entry}\\b`);
    found = cells.filter(
      ({ type, exercise, source: text }) =>
        type === 'code' && exercise === undefined && declaration.test(text),
    );
    if (found.length > 0)
      notices.push(
        `${answer.exercise}: the answer cell was gone; another cell declares ${entry} and was graded.`,
      );
  }
  if (found.length > 1) {
    notices.push(
      `${answer.exercise}: ${found.length} cells carry this answer’s label; the first one that was changed was graded.`,
    );
  }
  const chosen = found.find((cell) => !sameText(cell.source, answer.stub)) ?? found[0];
  if (chosen === undefined)
    return { source: undefined, notices: [`${answer.exercise}: the answer cell is missing.`] };
  if (chosen.type !== 'code')
    notices.push(
      `${answer.exercise}: the answer cell was a ${chosen.type.slice(0, 20)} cell; it was graded as code.`,
    );
  if (chosen.source.length > MAX_ANSWER_CHARACTERS) {
    return {
      source: undefined,
      notices: [
        ...notices,
        `${answer.exercise}: the answer is longer than ${MAX_ANSWER_CHARACTERS} characters and was not read.`,
      ],
    };
  }
  return { source: chosen.source, notices };
}

/** Equal but for white space at the ends of lines. */
export function sameText(a: string, b: string): boolean {
  // Line by line: a regular expression for it takes the square of the length of a long run of spaces.
  const tidy = (text: string): string =>
    text
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trim();
  return tidy(a) === tidy(b);
}

/** Whether another code cell of the notebook declares the name: a helper that is not graded. */
export function declaredElsewhere(submission: Submission, name: string): boolean {
  const declaration = new RegExp(`(?:function\\*?|const|let|var|class)\\s+${name.replace(/\$/g, '\\$')}\\b`);
  return submission.cells.some(({ type, source: text }) => type === 'code' && declaration.test(text));
}
