import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';

const textSchema = z.union([z.string(), z.array(z.string())]);
const objectSchema = z.record(z.string(), z.unknown());

const cellSchema = z.looseObject({
  cell_type: z.enum(['code', 'markdown', 'raw']),
  id: z.string().optional(),
  metadata: objectSchema,
  source: textSchema,
  outputs: z.array(objectSchema).optional(),
  execution_count: z.number().int().nullish(),
});

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number().int().min(0),
  metadata: z.looseObject({
    kernelspec: z.looseObject({ name: z.string(), language: z.string().optional() }).optional(),
  }),
  cells: z.array(cellSchema),
});

/** A cell of a notebook file. */
export type NotebookCell = z.infer<typeof cellSchema>;
/** A notebook file, format 4. */
export type Notebook = z.infer<typeof notebookSchema>;

/** The text of a cell. */
export function sourceOf(cell: NotebookCell): string {
  return typeof cell.source === 'string' ? cell.source : cell.source.join('');
}

/**
 * Reads a notebook.
 *
 * @param text the file's content
 * @param name how messages call it
 * @throws {InputError} if it is no notebook of format 4
 */
export function parseNotebook(text: string, name: string): Notebook {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${name} is not a notebook: it is not JSON (${messageOf(error)})`);
  }
  const version = objectSchema.safeParse(json).data?.nbformat;
  if (typeof version === 'number' && version !== 4) {
    throw new InputError(`${name} has the notebook format ${version}; expected format 4`);
  }
  const parsed = notebookSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.length ? issue.path.join('.') : 'the file';
  throw new InputError(`${name} is not a notebook: ${place}: ${issue?.message ?? 'unknown reason'}`);
}

/** Reads a notebook file. @throws {InputError} as `parseNotebook`, or if it cannot be read */
export function readNotebook(path: string): Notebook {
  let text: string;
  try {
    text = new TextDecoder('utf8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw new InputError(`${path} cannot be read as a notebook: ${messageOf(error)}`);
  }
  return parseNotebook(text, path);
}

const ID = /^[a-zA-Z0-9-_]{1,64}$/;

/** Raises a notebook of format 4 to 4.5, in which every cell has an id of its own. */
export function upgradeNotebook(notebook: Notebook): void {
  const seen = new Set<string>();
  for (const cell of notebook.cells) {
    if (cell.id === undefined || !ID.test(cell.id) || seen.has(cell.id)) cell.id = randomUUID().slice(0, 8);
    seen.add(cell.id);
    if (cell.cell_type === 'code') {
      cell.outputs ??= [];
      cell.execution_count ??= null;
    } else {
      delete cell.outputs;
      delete cell.execution_count;
    }
  }
  notebook.nbformat_minor = Math.max(5, notebook.nbformat_minor);
}

/** Writes a notebook, as Jupyter formats it; a file already there is replaced at once or not at all. */
export function writeNotebook(path: string, notebook: Notebook): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}`);
  try {
    writeFileSync(temporary, `${JSON.stringify(notebook, null, 1)}\n`);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new InputError(`${path} cannot be written: ${messageOf(error)}`);
  }
}
