/**
 * The journal of a run: one JSON line a graded submission, on disk before anything is said about it. A run that is killed
 * goes on from it, and reports are made from it alone, so that they do not depend on order or on interruptions.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { InputError } from '../src/errors.js';

const header = z.object({
  format: z.literal(1),
  seed: z.string(),
  settings: z.record(z.string(), z.unknown()),
});
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
export const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');
export class Journal {
  header;
  #file;
  #entries = new Map();
  constructor(path, contents) {
    this.header = contents.header;
    for (const one of contents.entries) this.#entries.set(one.report.learner, one);
    this.#file = openSync(path, 'a');
  }
  /** A new journal. The header is on disk when this returns. */
  static create(path, first) {
    const journal = new Journal(path, { header: first, entries: [] });
    journal.#append(first);
    return journal;
  }
  /** The journal of an earlier run. What its end was cut off while writing is dropped. @throws InputError if it is none */
  static open(path) {
    if (!existsSync(path)) throw new InputError(`${path}: there is no journal to resume from`);
    const text = readFileSync(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...rest] = whole.split('\n').filter(Boolean);
    try {
      const contents = {
        header: header.parse(JSON.parse(first ?? '')),
        entries: rest.map((line) => entry.parse(JSON.parse(line))),
      };
      if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
      return new Journal(path, contents);
    } catch {
      throw new InputError(`${path}: is not a journal of lab grade, or is damaged`);
    }
  }
  /** The report on a submission, if exactly these bytes were graded and a verdict was reached. */
  done(learner, digest) {
    const found = this.#entries.get(learner);
    return found !== undefined && found.digest === digest && found.report.verdict !== 'error'
      ? found.report
      : undefined;
  }
  /** Keeps a report; it is on disk when this returns. */
  add(digest, graded) {
    this.#entries.set(graded.learner, { digest, report: graded });
    this.#append({ digest, report: graded });
  }
  /** The last report on every learner, by name. */
  reports() {
    return [...this.#entries.values()]
      .map((one) => one.report)
      .sort((a, b) => (a.learner < b.learner ? -1 : 1));
  }
  close() {
    closeSync(this.#file);
  }
  #append(line) {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#file);
  }
}
