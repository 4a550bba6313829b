/** Submissions for tests, made from a chapter's master: solved, released, or with other text in an answer. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadMasters } from '../../src/notebook/course.ts';
import { type Notebook, notebookOf, type Variant } from '../../src/notebook/ipynb.ts';

/** The tiny chapter that most tests grade. */
export const COURSE = path.join(import.meta.dirname, 'course');
export const HOSTILE = path.join(import.meta.dirname, 'hostile');

/** A notebook of the tiny chapter, with the answers of the given exercises replaced. */
export async function tinyNotebook(
  variant: Variant,
  answers: Readonly<Record<string, string>> = {},
): Promise<Notebook> {
  const [master] = await loadMasters(COURSE);
  if (master === undefined) throw new Error('the tiny chapter is missing');
  const notebook = notebookOf(master, { variant });
  for (const cell of notebook.cells) {
    const { lab } = cell.metadata;
    if (
      typeof lab !== 'object' ||
      lab === null ||
      !('kind' in lab) ||
      lab.kind !== 'answer' ||
      !('exercise' in lab)
    )
      continue;
    const text = answers[String(lab.exercise)];
    if (text !== undefined) cell.source = [text];
  }
  return notebook;
}

/** A hostile answer to bert/pooler, with what its head says of it. */
export interface HostileAnswer {
  readonly name: string;
  readonly source: string;
  /** The most points it may earn. */
  readonly most: number;
  /** What its feedback must say. */
  readonly says: RegExp | undefined;
}

/** What hostile answers forge messages with, where they say FORGE: the number of the grader's question is overheard, and answered. */
const FORGE = `
let asked;
const parse = JSON.parse;
JSON.parse = (...args) => {
  const value = parse(...args);
  if (value?.op !== undefined) asked = value.id;
  return value;
};
const forge = (more, skeleton, bytes = Buffer.alloc(0)) => {
  const header = Buffer.from(JSON.stringify({ kind: 'returned', id: asked, ...more }));
  const text = Buffer.from(skeleton);
  const lengths = Buffer.alloc(8);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  lengths.writeUInt32LE(header.length, 0);
  lengths.writeUInt32LE(4 + text.length + bytes.length, 4);
  const frame = Buffer.concat([lengths, header, size, text, bytes]);
  for (let sent = 0; sent < frame.length; ) sent += fs.writeSync(3, frame, sent);
};`;

export function hostileAnswers(): HostileAnswer[] {
  return readdirSync(HOSTILE)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((file) => {
      const source = readFileSync(path.join(HOSTILE, file), 'utf8').replace(/^FORGE$/m, () => FORGE);
      const says = /^\/\/ says: (.+)$/m.exec(source)?.[1];
      return {
        name: path.basename(file, '.ts'),
        source,
        most: Number(/^\/\/ at most: ([\d.]+)$/m.exec(source)?.[1]),
        says: says === undefined ? undefined : new RegExp(says),
      };
    });
}
