/** Opening the store: a PostgreSQL server, or PostgreSQL inside this process, with the same tables and the same type. */
import { fileURLToPath } from 'node:url';
import type { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import { z } from 'zod';
import { InputError, messageOf } from '../../errors.ts';
import { lockFolder } from './folder-lock.ts';
import * as schema from './schema.ts';

/** What queries are written against, whichever engine answers. A transaction is one too. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface Store {
  readonly db: Database;
  /** `embedded` belongs to this process alone. */
  readonly kind: 'embedded' | 'server';
  /** Rows of a statement written as text, for what the query builder cannot say. */
  rows<T>(shape: z.ZodType<T>, statement: ReturnType<typeof sql>): Promise<T[]>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** `postgres://…`: a PostgreSQL server, which several processes can share. */
  readonly url?: string | undefined;
  /** A folder for an embedded PostgreSQL, made if it is not there. Without `url` and `folder` all is in memory and gone at the end. */
  readonly folder?: string | undefined;
}

const MIGRATIONS = {
  migrationsFolder: fileURLToPath(new URL('migrations', import.meta.url)),
  migrationsSchema: 'drizzle',
  migrationsTable: 'llm_lab_migrations',
};
/** Any number that is always the same: who brings the tables up to date holds this advisory lock. */
const MIGRATION_LOCK = 5_221_874;

/** What either engine gives for a statement written as text. */
export const resultRows = z.object({ rows: z.array(z.unknown()) });

/**
 * Opens the store and brings its tables up to date.
 * @throws InputError if it cannot be reached, was made by a newer lab, or (a folder) is in use by another process
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  return options.url === undefined ? openEmbedded(options.folder) : openServer(options.url);
}

function store(db: Database, kind: Store['kind'], close: () => Promise<void>): Store {
  let closing: Promise<void> | undefined;
  return {
    db,
    kind,
    rows: async (shape, statement) =>
      resultRows.parse(await db.execute(statement)).rows.map((row) => shape.parse(row)),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function openEmbedded(folder: string | undefined): Promise<Store> {
  const [{ PGlite }, { drizzle }, { migrate }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('drizzle-orm/pglite'),
    import('drizzle-orm/pglite/migrator'),
  ]);
  const lock = folder === undefined ? undefined : lockFolder(folder);
  let client: PGlite | undefined;
  try {
    client = await PGlite.create(lock === undefined ? {} : { dataDir: lock.data });
    const db = drizzle(client, { schema });
    await refuseNewer(db, folder ?? 'the store');
    await migrate(db, MIGRATIONS);
    const engine = client;
    return store(db, 'embedded', async () => {
      await engine.close();
      lock?.release();
    });
  } catch (error) {
    await client?.close().catch(() => undefined);
    lock?.release();
    if (error instanceof InputError || folder === undefined) throw error;
    throw new InputError(
      `the database in ${folder} cannot be opened (${messageOf(error)}); restore a backup into another folder`,
      { cause: error },
    );
  }
}

async function openServer(url: string): Promise<Store> {
  const [{ default: pg }, { drizzle }, { migrate }] = await Promise.all([
    import('pg'),
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ]);
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new InputError('DATABASE_URL must start with postgres:// or postgresql://');
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 15_000 });
  // A server that goes away while a connection is idle is told by the next query; without a listener it would end us.
  pool.on('error', () => undefined);
  // The same of one in use: the statement that it cut off says so itself.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const client = await connect(pool);
    try {
      const db = drizzle(client, { schema });
      await db.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
      try {
        await refuseNewer(db, 'the database');
        await migrate(db, MIGRATIONS);
      } finally {
        await db.execute(sql`select pg_advisory_unlock(${MIGRATION_LOCK})`);
      }
    } finally {
      client.release();
    }
    return store(drizzle(pool, { schema }), 'server', () => pool.end());
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    // The reason alone: the URL holds a password.
    throw new InputError(`the database of DATABASE_URL cannot be reached: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Several addresses that all refuse come as one error without a message. */
function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return messageOf(first) || 'no answer';
}

/** When the newest change of the tables that this lab knows was made, in milliseconds since 1970. */
export function newestMigration(): number {
  return readMigrationFiles(MIGRATIONS).at(-1)?.folderMillis ?? 0;
}

/** A lab that does not know all of a database's tables would write nonsense into them. */
async function refuseNewer(db: Database, name: string): Promise<void> {
  const known = newestMigration();
  const table = sql`${sql.identifier(MIGRATIONS.migrationsSchema)}.${sql.identifier(MIGRATIONS.migrationsTable)}`;
  const read = async (statement: ReturnType<typeof sql>): Promise<unknown> =>
    resultRows.parse(await db.execute(statement)).rows[0];
  const present = z
    .object({ there: z.boolean() })
    .parse(
      await read(
        sql`select to_regclass(${`${MIGRATIONS.migrationsSchema}.${MIGRATIONS.migrationsTable}`}) is not null as there`,
      ),
    );
  if (!present.there) return;
  const { newest } = z
    .object({ newest: z.coerce.number() })
    .parse(await read(sql`select coalesce(max(created_at), 0) as newest from ${table}`));
  if (newest > known) {
    throw new InputError(
      `${name} was made by a newer version of the lab (${new Date(newest).toISOString().slice(0, 10)}); update the lab to open it`,
    );
  }
}
