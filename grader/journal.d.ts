import { z } from 'zod';
import type { SubmissionReport } from './grade.ts';

declare const header: z.ZodObject<
  {
    format: z.ZodLiteral<1>;
    seed: z.ZodString;
    settings: z.ZodRecord<z.ZodString, z.ZodUnknown>;
  },
  z.core.$strip
>;
export type JournalHeader = z.infer<typeof header>;
/** What was handed in, so that a changed submission is graded anew. */
export declare const digestOf: (bytes: Uint8Array) => string;
export declare class Journal {
  #private;
  readonly header: JournalHeader;
  private constructor();
  /** A new journal. The header is on disk when this returns. */
  static create(path: string, first: JournalHeader): Journal;
  /** The journal of an earlier run. What its end was cut off while writing is dropped. @throws InputError if it is none */
  static open(path: string): Journal;
  /** The report on a submission, if exactly these bytes were graded and a verdict was reached. */
  done(learner: string, digest: string): SubmissionReport | undefined;
  /** Keeps a report; it is on disk when this returns. */
  add(digest: string, graded: SubmissionReport): void;
  /** The last report on every learner, by name. */
  reports(): SubmissionReport[];
  close(): void;
}
