/**
 * The journal of a run: one JSON line a graded submission, on disk before anything is said about it. A run that is killed
 * goes on from it, and reports are made from it alone, so that they do not depend on order or on interruptions.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { InputError } from '../src/errors.ts';
import type { SubmissionReport } from './grade.ts';

/** The journal's name in the folder of reports. */
export const JOURNAL = 'journal.jsonl';

const header = z.object({
  format: z.literal(1),
  seed: z.string(),
  settings: z.record(z.string(), z.unknown()),
});
export type JournalHeader = z.infer<typeof header>;

const status = z.enum(['passed', 'wrong', 'threw', 'timeout', 'died', 'skipped']);
const mistake = z.object({ id: z.string(), diagnosis: z.string() });
const check = z.object({
  name: z.string(),
  kind: z.enum(['case', 'property']),
  visibility: z.enum(['public', 'hidden']),
  weight: z.number(),
  status,
  message: z.string().exactOptional(),
  findings: z.array(z.string()).exactOptional(),
  details: z
    .object({
      inputs: z.array(z.string()),
      expected: z.string(),
      got: z.string(),
      first: z.string().exactOptional(),
      worst: z.string().exactOptional(),
      tolerance: z.string(),
      picture: z
        .object({
          path: z.string(),
          shape: z.array(z.number()),
          rows: z.array(z.string()),
          cropped: z.boolean(),
        })
        .exactOptional(),
    })
    .exactOptional(),
  mistake: mistake.exactOptional(),
});
const verdict = z.enum(['pass', 'fail', 'error']);
const report = z.object({
  learner: z.string(),
  file: z.string(),
  chapter: z.string().nullable(),
  seed: z.string(),
  verdict,
  score: z.number().nullable(),
  points: z.number(),
  notices: z.array(z.string()),
  exercises: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      points: z.number(),
      score: z.number(),
      verdict,
      seed: z.string(),
      checks: z.array(check),
      mistake: mistake.exactOptional(),
      hiddenRemaining: z.number(),
      problem: z.string().exactOptional(),
    }),
  ),
});
const entry = z.object({ digest: z.string(), report });

/** What was handed in, so that a changed submission is graded anew. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Where the last report on a learner stands in the file. */
interface Place {
  readonly digest: string;
  readonly verdict: SubmissionReport['verdict'];
  readonly at: number;
  readonly length: number;
}

const NEWLINE = 10;

/** Reports are kept on disk alone: a run of thousands takes no more memory than one of ten. */
export class Journal {
  readonly header: JournalHeader;
  readonly #file: number;
  readonly #places = new Map<string, Place>();
  #end = 0;

  private constructor(path: string, first: JournalHeader) {
    this.header = first;
    this.#file = openSync(path, 'a+');
  }

  /** A new journal. The header is on disk when this returns. */
  static create(path: string, first: JournalHeader): Journal {
    const journal = new Journal(path, first);
    journal.#append(first);
    return journal;
  }

  /** The journal of an earlier run. What its end was cut off while writing is dropped. @throws InputError if it is none */
  static open(path: string): Journal {
    if (!existsSync(path)) throw new InputError(`${path}: there is no journal to resume from`);
    const bytes = readFileSync(path);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    let start = bytes.indexOf(NEWLINE) + 1;
    try {
      const journal = new Journal(path, header.parse(JSON.parse(bytes.toString('utf8', 0, start))));
      while (start < end) {
        const next = bytes.indexOf(NEWLINE, start) + 1;
        const { digest, report: graded } = entry.parse(JSON.parse(bytes.toString('utf8', start, next)));
        journal.#place(digest, graded, start, next - start);
        start = next;
      }
      if (end < bytes.length) truncateSync(path, end);
      journal.#end = end;
      return journal;
    } catch {
      throw new InputError(`${path}: is not a journal of lab grade, or is damaged`);
    }
  }

  /** The report on a submission, if exactly these bytes were graded and a verdict was reached. */
  done(learner: string, digest: string): SubmissionReport | undefined {
    const found = this.#places.get(learner);
    return found !== undefined && found.digest === digest && found.verdict !== 'error'
      ? this.#read(found)
      : undefined;
  }

  /** Keeps a report; it is on disk when this returns. */
  add(digest: string, graded: SubmissionReport): void {
    const at = this.#end;
    this.#place(digest, graded, at, this.#append({ digest, report: graded }));
  }

  /** The last report on every learner, by name. */
  reports(): SubmissionReport[] {
    return [...this.#places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => this.#read(place));
  }

  close(): void {
    closeSync(this.#file);
  }

  #place(digest: string, { learner, verdict: reached }: SubmissionReport, at: number, length: number): void {
    this.#places.set(learner, { digest, verdict: reached, at, length });
  }

  #read({ at, length }: Place): SubmissionReport {
    const bytes = Buffer.alloc(length);
    readSync(this.#file, bytes, 0, length, at);
    return entry.parse(JSON.parse(bytes.toString())).report;
  }

  /** Returns how many bytes were written. */
  #append(line: unknown): number {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    writeSync(this.#file, bytes);
    fsyncSync(this.#file);
    this.#end += bytes.length;
    return bytes.length;
  }
}
