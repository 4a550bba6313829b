/** What the lab of a learner and the server of a room say to each other, and what the server tells a dashboard. */

import { z } from 'zod';
import type { MarkView } from './book-protocol.ts';

/** The longest code of an answer that a room takes, in characters. */
export const LONGEST_CODE = 20_000;
/** How many checks one request may carry; a learner who was offline sends several. */
export const MOST_CHECKS = 200;
/** The largest notebook that can be handed in, in bytes. */
export const LARGEST_NOTEBOOK = 8 * 1024 * 1024;

/** No control characters: names are shown in tables, logs and CSV files. */
const shortText = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u, 'must not hold control characters');

const exerciseId = z.string().regex(/^[a-z0-9-]{1,60}\/[a-z0-9-]{1,80}$/, 'must look like bert/embeddings');
export const chapterName = z.string().regex(/^[0-9]{2}-[a-z0-9-]{1,60}$/, 'must look like 03-bert');

export const joinRequest = z.strictObject({
  code: z.string().min(4).max(40),
  name: shortText(60),
  /** Whether the name is one that the learner made up for the room. */
  pseudonym: z.boolean().default(false),
  /** E-mail or number by which somebody on the roster proves to be who they say. */
  identity: shortText(200).optional(),
});

export const joinReply = z.object({
  room: z.object({ id: z.number(), title: z.string(), asksForCode: z.boolean() }),
  learner: z.object({ id: z.number(), name: z.string() }),
  /** The learner's key from now on; the server keeps only its hash. */
  token: z.string(),
});

/** One run of `check` in a notebook. */
export const checkReport = z.strictObject({
  /** Made by the learner's lab, so that a check sent twice counts once. */
  id: z.uuid(),
  exercise: exerciseId,
  verdict: z.enum(['pass', 'fail', 'error']),
  /** The diagnosis, where the mistake is a known one; else the first thing that was wrong. */
  mistake: z.string().max(600).optional(),
  /** By the learner's clock. */
  checkedAt: z.iso.datetime(),
  /** Only in rooms that ask for it. */
  code: z.string().max(LONGEST_CODE).optional(),
});
export type CheckReport = z.infer<typeof checkReport>;

export const checksRequest = z.strictObject({
  /** By the learner's clock, as the request leaves: tells how far that clock is off. */
  sentAt: z.iso.datetime(),
  checks: z.array(checkReport).min(1).max(MOST_CHECKS),
});

/** Something that the instructor tells a room, or one learner in it. */
export const roomMessage = z.object({
  id: z.number(),
  kind: z.enum(['announcement', 'hint', 'spotlight', 'chapter']),
  text: z.string(),
  exercise: z.string().optional(),
  at: z.string(),
});
export type RoomMessage = z.infer<typeof roomMessage>;

export const checksReply = z.object({
  accepted: z.array(z.string()),
  asksForCode: z.boolean(),
});

/** One exercise of one learner, as it stands. */
export interface Cell {
  readonly exercise: string;
  readonly verdict: 'pass' | 'fail' | 'error';
  /** How often it was checked. */
  readonly attempts: number;
  /** Failed checks since the last one that passed. */
  readonly failures: number;
  readonly mistake?: string;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface LearnerRow {
  readonly id: number;
  readonly name: string;
  readonly pseudonym: boolean;
  readonly group: string | null;
  /** Null for who is on the roster and has not joined. */
  readonly joinedAt: string | null;
  /** Whether the learner's lab is connected now. */
  readonly online: boolean;
  readonly cells: readonly Cell[];
}

/** What a dashboard receives: the whole room first, from then on what changed. */
export type LiveEvent =
  | { readonly type: 'room'; readonly room: RoomView }
  | { readonly type: 'rows'; readonly rows: readonly LearnerRow[] }
  | { readonly type: 'message'; readonly message: RoomMessage };

export interface AssignmentView {
  readonly id: number;
  readonly chapter: string;
  readonly title: string;
  readonly open: boolean;
  readonly dueAt: string | null;
  readonly exercises: readonly { readonly id: string; readonly title: string; readonly minutes: number }[];
}

export interface RoomView {
  readonly id: number;
  readonly title: string;
  readonly code: string;
  /** Where learners reach the server. */
  readonly address: string;
  readonly expiresAt: string | null;
  readonly closed: boolean;
  readonly asksForCode: boolean;
  readonly assignments: readonly AssignmentView[];
  readonly rows: readonly LearnerRow[];
  readonly messages: readonly RoomMessage[];
}

/** One check, as an instructor sees it afterwards. */
export interface CheckEntry {
  readonly id: number;
  readonly exercise: string;
  readonly verdict: 'pass' | 'fail' | 'error';
  readonly mistake: string | null;
  readonly code: string | null;
  readonly checkedAt: string;
}

/** One mistake and how many have made it. */
export interface MistakeCount {
  readonly exercise: string;
  readonly mistake: string;
  readonly learners: number;
  readonly times: number;
  /** Code that made it, where the room asks for code. */
  readonly sample: string | null;
}

/** What was handed in, the latest attempt first. */
export interface HandInView {
  readonly id: number;
  readonly learner: string;
  readonly chapter: string;
  readonly attempt: number;
  readonly at: string;
  readonly late: boolean;
  readonly points: number | null;
  readonly outOf: number | null;
}

/** A room in the list of rooms. */
export interface RoomSummary {
  readonly id: number;
  readonly title: string;
  readonly code: string;
  readonly createdAt: string;
  readonly closed: boolean;
  readonly learners: number;
}

/** A learner's own page. */
export interface ProgressView {
  readonly room: string;
  readonly name: string;
  /** How a lab joins as this learner; only on a page that a learning platform opened. */
  readonly lab?: { readonly address: string; readonly code: string; readonly joined: boolean };
  readonly assignments: readonly (AssignmentView & {
    readonly cells: readonly Cell[];
    readonly handIns: readonly Pick<HandInView, 'attempt' | 'at' | 'late'>[];
    /** Only once the instructor has released the marks of the chapter. */
    readonly mark?: MarkView;
  })[];
  readonly messages: readonly RoomMessage[];
}
