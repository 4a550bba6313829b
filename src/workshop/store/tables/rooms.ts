/** Who is in a room, what they checked and what they were told. */
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { LatePolicy } from '../../gradebook/policy.ts';
import { identity, instant, lab, sequence } from './columns.ts';

/** A class or a workshop. */
export const rooms = lab.table('rooms', {
  id: identity(),
  /** Normalised: see `normaliseCode`. */
  code: text('code').notNull().unique(),
  title: text('title').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  /** After it nobody can join; null for never. */
  expiresAt: instant('expires_at'),
  /** Set once the room is over: nobody joins and nothing is recorded. */
  closedAt: instant('closed_at'),
  /** Whether checks bring the learner's code with them. */
  asksForCode: boolean('asks_for_code').notNull().default(false),
});

/** A chapter in a room, with the rules for handing it in. */
export const assignments = lab.table(
  'assignments',
  {
    id: identity(),
    roomId: integer('room_id')
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    /** As the grader calls it, for example `03-bert`. */
    chapter: text('chapter').notNull(),
    title: text('title').notNull(),
    open: boolean('open').notNull().default(false),
    dueAt: instant('due_at'),
    policy: jsonb('policy').$type<LatePolicy>().notNull().default({}),
    /** Since when learners see their marks; null while they do not. */
    releasedAt: instant('released_at'),
  },
  (table) => [uniqueIndex('assignments_room_chapter').on(table.roomId, table.chapter)],
);

export const instructors = lab.table(
  'instructors',
  {
    id: identity(),
    name: text('name').notNull(),
    /** A slow salted hash, never the secret. */
    secretHash: text('secret_hash').notNull(),
    role: text('role', { enum: ['owner', 'instructor', 'assistant'] }).notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('instructors_name').on(sql`lower(${table.name})`),
    check('instructors_role', sql`${table.role} in ('owner', 'instructor', 'assistant')`),
  ],
);

/** An instructor's login in one browser. */
export const sessions = lab.table('sessions', {
  /** SHA-256 of the token, in hexadecimal. */
  tokenHash: text('token_hash').primaryKey(),
  instructorId: integer('instructor_id')
    .notNull()
    .references(() => instructors.id, { onDelete: 'cascade' }),
  csrf: text('csrf').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  expiresAt: instant('expires_at').notNull(),
});

/** Learners that work together or share an extension. */
export const groups = lab.table(
  'groups',
  {
    id: identity(),
    roomId: integer('room_id')
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** See `nameKey`. */
    nameKey: text('name_key').notNull(),
  },
  (table) => [uniqueIndex('groups_room_name').on(table.roomId, table.nameKey)],
);

export const learners = lab.table(
  'learners',
  {
    id: identity(),
    roomId: integer('room_id')
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    displayName: text('display_name').notNull(),
    /** What makes the name the same as another one: see `nameKey`. */
    nameKey: text('name_key').notNull(),
    pseudonym: boolean('pseudonym').notNull().default(false),
    email: text('email'),
    /** The name of this learner in the school's own system. */
    externalId: text('external_id'),
    groupId: integer('group_id').references(() => groups.id, { onDelete: 'set null' }),
    /** SHA-256 of the token, in hexadecimal; null for who is on the roster and has not joined yet. */
    tokenHash: text('token_hash').unique(),
    joinedAt: instant('joined_at'),
    lastSeenAt: instant('last_seen_at'),
  },
  (table) => [
    uniqueIndex('learners_room_name').on(table.roomId, table.nameKey),
    uniqueIndex('learners_room_external').on(table.roomId, table.externalId),
  ],
);

/** Every `check()` of every learner. */
export const checks = lab.table(
  'checks',
  {
    id: sequence(),
    learnerId: integer('learner_id')
      .notNull()
      .references(() => learners.id, { onDelete: 'cascade' }),
    /** Given by the learner's notebook: what is sent twice counts once. */
    clientId: uuid('client_id').notNull(),
    exercise: text('exercise').notNull(),
    verdict: text('verdict', { enum: ['pass', 'fail', 'error'] }).notNull(),
    /** The diagnosis of a named mistake, else the first thing that was wrong. */
    mistake: text('mistake'),
    /** Only where the room asks for it. */
    code: text('code'),
    /** By the learner's clock, but never later than it arrived. */
    checkedAt: instant('checked_at').notNull(),
    receivedAt: instant('received_at').notNull(),
  },
  (table) => [
    uniqueIndex('checks_learner_client').on(table.learnerId, table.clientId),
    index('checks_learner_exercise').on(table.learnerId, table.exercise, table.checkedAt),
    check('checks_verdict', sql`${table.verdict} in ('pass', 'fail', 'error')`),
  ],
);

/** What `checks` comes to for each learner and exercise; kept by the statement that adds checks, so that a grid costs no history. */
export const progress = lab.table(
  'progress',
  {
    learnerId: integer('learner_id')
      .notNull()
      .references(() => learners.id, { onDelete: 'cascade' }),
    exercise: text('exercise').notNull(),
    /** Of the latest check. */
    verdict: text('verdict', { enum: ['pass', 'fail', 'error'] }).notNull(),
    /** Of the latest check. */
    mistake: text('mistake'),
    attempts: integer('attempts').notNull(),
    /** Checks that failed since the last one that passed. */
    failures: integer('failures').notNull(),
    firstAt: instant('first_at').notNull(),
    firstPassAt: instant('first_pass_at'),
    lastAt: instant('last_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.learnerId, table.exercise] })],
);

/** What instructors sent to notebooks. */
export const messages = lab.table(
  'messages',
  {
    id: sequence(),
    roomId: integer('room_id')
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['announcement', 'hint', 'spotlight', 'chapter'] }).notNull(),
    text: text('text').notNull(),
    exercise: text('exercise'),
    /** For this learner alone; null for all. */
    learnerId: integer('learner_id').references(() => learners.id, { onDelete: 'cascade' }),
    by: text('by').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (table) => [
    index('messages_room').on(table.roomId, table.id),
    check('messages_kind', sql`${table.kind} in ('announcement', 'hint', 'spotlight', 'chapter')`),
  ],
);

/** Who did what. Rows are only ever added: a trigger refuses anything else. */
export const audit = lab.table('audit', {
  id: sequence(),
  at: instant('at').notNull().defaultNow(),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  subject: jsonb('subject').$type<Readonly<Record<string, unknown>>>().notNull(),
});
