/** Columns that every table makes in the same way. */
import { bigint, customType, integer, pgSchema, timestamp } from 'drizzle-orm/pg-core';

/** Everything of ours stands in a schema of its own, so that a school's database can be shared with other programs. */
export const lab = pgSchema('llm_lab');

/** An instant; Postgres keeps UTC, so that no zone and no summer time enters a rule. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

/** A number that the database gives. */
export const identity = () => integer('id').primaryKey().generatedByDefaultAsIdentity();

/** The same for tables that grow without end; in order of insertion. */
export const sequence = () => bigint('id', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity();

/** Bytes as they are. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  // One driver gives a Buffer, the other a Uint8Array; a Buffer is written by both.
  toDriver: (value) => Buffer.from(value),
  fromDriver: (value) => new Uint8Array(value),
});
