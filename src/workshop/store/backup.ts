/**
 * Backup and restore: everything in one file that either engine reads. Gzip of JSON lines: a head, the rows of each table, an end with their
 * number and the SHA-256 of all lines before it.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import type { Database, Store } from './open.ts';
import { newestMigration, resultRows } from './open.ts';
import * as schema from './schema.ts';

/** Whatever points at another table comes after it. Logins that are under way are not kept. */
export const BACKUP_TABLES: readonly PgTable[] = [
  schema.rooms,
  schema.assignments,
  schema.instructors,
  schema.groups,
  schema.learners,
  schema.checks,
  schema.progress,
  schema.messages,
  schema.audit,
  schema.submissions,
  schema.gradings,
  schema.marks,
  schema.extensions,
  schema.ltiPlatforms,
  schema.ltiDeployments,
  schema.ltiLinks,
  schema.ltiUsers,
  schema.ltiKeys,
  schema.ltiScores,
  schema.gradingRuns,
  schema.gradingTasks,
  schema.gradingResults,
];

const FORMAT = 'llm-lab backup';
/** Rows that are fetched or written in one statement. */
const BATCH_ROWS = 200;
const BATCH_BYTES = 8 * 1024 * 1024;

const head = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  /** The newest migration of the store that was saved. */
  migration: z.number(),
  at: z.string(),
  /** Columns by table. */
  tables: z.record(z.string(), z.array(z.string())),
});
const tail = z.object({ end: z.literal(true), rows: z.number(), sha256: z.string() });
const row = z.tuple([z.string(), z.record(z.string(), z.unknown())]);
const line = z.union([row, head, tail]);

const columnsOf = (table: PgTable): string[] => Object.values(getTableColumns(table)).map(({ name }) => name);

/**
 * Writes everything into a file that nobody else may read: it holds learners' work and the keys of this tool. The file is whole or is not there.
 * @returns the number of rows
 */
export async function backup({ db }: Store, file: string): Promise<number> {
  if (existsSync(file)) throw new InputError(`${file} exists; give another name`);
  const draft = `${file}.part`;
  try {
    const rows = await db.transaction(
      async (tx) => {
        let count = 0;
        const lines = async function* (): AsyncGenerator<string> {
          for await (const one of backupLines(tx)) {
            count++;
            yield one;
          }
        };
        await pipeline(
          Readable.from(lines()),
          createGzip(),
          createWriteStream(draft, { mode: 0o600, flush: true }),
        );
        return count - 2;
      },
      // One moment for all tables.
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
    await rename(draft, file);
    return rows;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function* backupLines(db: Database): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  yield hashed({
    format: FORMAT,
    version: 1,
    migration: newestMigration(),
    at: new Date().toISOString(),
    tables: Object.fromEntries(BACKUP_TABLES.map((table) => [getTableName(table), columnsOf(table)])),
  } satisfies z.infer<typeof head>);
  let rows = 0;
  for (const table of BACKUP_TABLES) {
    await db.execute(sql`declare backup_rows no scroll cursor for select to_jsonb(t) as row from ${table} t`);
    for (;;) {
      // A notebook can have megabytes; few of them are fetched at a time.
      const few = table === schema.submissions || table === schema.gradingTasks;
      const batch = few
        ? sql`fetch 5 from backup_rows`
        : sql`fetch ${sql.raw(`${BATCH_ROWS}`)} from backup_rows`;
      const found = z
        .array(z.object({ row: z.record(z.string(), z.unknown()) }))
        .parse(resultRows.parse(await db.execute(batch)).rows);
      if (found.length === 0) break;
      for (const one of found) yield hashed([getTableName(table), one.row]);
      rows += found.length;
    }
    await db.execute(sql`close backup_rows`);
  }
  yield `${JSON.stringify({ end: true, rows, sha256: hash.digest('hex') })}\n`;
}

/**
 * Fills an empty store from a backup; all of it or nothing. @returns the number of rows
 * @throws InputError if the store is not empty, or the file is damaged, cut off, no backup or of a newer lab
 */
export async function restore({ db }: Store, file: string): Promise<number> {
  // Read to its end before anything is written: what is damaged is refused, not half restored.
  const { tables } = await verify(file);
  return db.transaction(async (tx) => {
    for (const table of BACKUP_TABLES) {
      const [any] = await tx.select({ one: sql`1` }).from(table).limit(1);
      if (any !== undefined) {
        throw new InputError(`the store is not empty (${getTableName(table)}); restore into a new one`);
      }
    }
    const byName = new Map(BACKUP_TABLES.map((table) => [getTableName(table), table]));
    let rows = 0;
    for await (const { name, values } of batches(file)) {
      const table = byName.get(name);
      const columns = tables[name];
      if (table === undefined || columns === undefined)
        throw new InputError(`${file}: holds an unknown table ${name}`);
      const list = sql.join(
        columns.map((column) => sql.identifier(column)),
        sql`, `,
      );
      await tx.execute(
        sql`insert into ${table} (${list}) select ${list} from jsonb_populate_recordset(null::${table}, ${JSON.stringify(values)}::jsonb)`,
      );
      rows += values.length;
    }
    // New rows get numbers after the restored ones.
    for (const table of BACKUP_TABLES) {
      if (!columnsOf(table).includes('id')) continue;
      const name = `${schema.lab.schemaName}.${getTableName(table)}`;
      await tx.execute(
        sql`select setval(pg_get_serial_sequence(${name}, 'id'), coalesce((select max(id) from ${table}), 0) + 1, false)`,
      );
    }
    return rows;
  });
}

async function verify(file: string): Promise<z.infer<typeof head>> {
  const hash = createHash('sha256');
  let first: z.infer<typeof head> | undefined;
  let last: z.infer<typeof tail> | undefined;
  let rows = 0;
  for await (const { text, value } of linesOf(file)) {
    if (last !== undefined) throw damaged(file);
    if ('end' in value) last = value;
    else {
      hash.update(`${text}\n`);
      if (Array.isArray(value)) rows++;
      else if (first === undefined && rows === 0) first = value;
      else throw damaged(file);
    }
  }
  if (first === undefined || last === undefined || last.rows !== rows || last.sha256 !== hash.digest('hex')) {
    throw damaged(file);
  }
  if (first.migration > newestMigration()) {
    throw new InputError(`${file}: was made by a newer version of the lab; update the lab to restore it`);
  }
  return first;
}

const damaged = (file: string): InputError =>
  new InputError(`${file}: is no backup of the lab, or is damaged`);

async function* linesOf(file: string): AsyncGenerator<{ text: string; value: z.infer<typeof line> }> {
  const source = createReadStream(file);
  const unzipped = createGunzip();
  source.on('error', (error) => unzipped.destroy(error));
  source.pipe(unzipped);
  const read = (text: string) => ({ text, value: line.parse(JSON.parse(text)) });
  try {
    const decoder = new TextDecoder();
    let open: string[] = [];
    for await (const chunk of unzipped) {
      // Only a line feed ends a line: texts of learners may hold other line separators.
      const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
      open.push(first);
      for (const next of rest) {
        yield read(open.join(''));
        open = [next];
      }
    }
    if (open.join('') !== '') throw damaged(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new InputError(`${file}: there is no such file`);
    }
    throw damaged(file);
  } finally {
    source.destroy();
  }
}

/** Rows of one table together, as many as one statement takes. */
async function* batches(file: string): AsyncGenerator<{ name: string; values: unknown[] }> {
  let name = '';
  let values: unknown[] = [];
  let size = 0;
  for await (const { text, value } of linesOf(file)) {
    if (!Array.isArray(value)) continue;
    const [table, fields] = value;
    if (
      values.length > 0 &&
      (table !== name || values.length >= BATCH_ROWS || size + text.length > BATCH_BYTES)
    ) {
      yield { name, values };
      [values, size] = [[], 0];
    }
    name = table;
    values.push(fields);
    size += text.length;
  }
  if (values.length > 0) yield { name, values };
}
