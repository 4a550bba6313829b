/** The engines that the store runs on, for tests: PostgreSQL in this process, and a server of Debian's where it is installed. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openStore, type Store } from '../../src/workshop/store/open.ts';
import * as schema from '../../src/workshop/store/schema.ts';
import { freePort } from '../free-port.ts';

export const NO_SERVER = 'PostgreSQL is not installed (Debian: apt-get install postgresql)';

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
export function serverPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return versions
    .map((version) => path.join(debian, version, 'bin'))
    .find((folder) => existsSync(path.join(folder, 'initdb')));
}

/** PostgreSQL refuses to run as root. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

/** A server of our own in a temporary folder. */
export class Postgres {
  readonly port: number;
  readonly #folder: string;
  readonly #programs: string;
  readonly #owner = owner();
  #databases = 0;
  #running: ReturnType<typeof spawn> | undefined;

  private constructor(programs: string, port: number) {
    this.#programs = programs;
    this.port = port;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'llm-lab-postgres-'));
    if (this.#owner !== undefined) chownSync(this.#folder, this.#owner.uid, this.#owner.gid);
  }

  /** @throws Error where PostgreSQL is not installed: ask `serverPrograms` first */
  static async start(): Promise<Postgres> {
    const programs = serverPrograms();
    if (programs === undefined) throw new Error(NO_SERVER);
    const server = new Postgres(programs, await freePort());
    const made = spawnSync(
      path.join(programs, 'initdb'),
      ['-D', server.#folder, '-U', 'lab', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
      { ...server.#owner, cwd: '/', encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    await server.run();
    return server;
  }

  /** Starts the server and waits until it answers. */
  async run(): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'fsync=off',
      'max_connections=60',
    ];
    this.#running = spawn(
      path.join(this.#programs, 'postgres'),
      ['-D', this.#folder, '-p', `${this.port}`, ...settings.flatMap((one) => ['-c', one])],
      { ...this.#owner, cwd: '/', stdio: 'ignore' },
    );
    for (let tries = 0; ; tries++) {
      const client = new pg.Client({ connectionString: this.url('postgres') });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (tries > 300) throw error;
        await sleep(100);
      }
    }
  }

  /** `SIGQUIT` is a crash: nothing is written, connections break. `SIGINT` ends in order. */
  async halt(signal: 'SIGQUIT' | 'SIGINT'): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await ended;
  }

  url(database: string): string {
    return `postgres://lab@127.0.0.1:${this.port}/${database}`;
  }

  /** A new empty database. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`;
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    await client.query(`create database ${name}`);
    await client.end();
    return this.url(name);
  }

  async stop(): Promise<void> {
    await this.halt('SIGINT');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A store that all tests of a file share. */
export interface Engine {
  readonly store: Store;
  /** Empties the store: starting another one costs seconds. */
  empty(): Promise<void>;
}

/** One store for tests to which the engine makes no difference: the server where there is one, for it starts sooner. */
export async function anyStore(): Promise<{ store: Store; close(): Promise<void> }> {
  return serverPrograms() === undefined ? embedded() : server();
}

/** Declares the same tests on both engines. */
export function onBothEngines(title: string, tests: (engine: () => Engine) => void): void {
  describe(`${title} (embedded)`, () => declare(embedded, tests));
  if (serverPrograms() === undefined) {
    describe(`${title} (server)`, () => it('runs on PostgreSQL', ({ skip }) => skip(NO_SERVER)));
  } else describe(`${title} (server)`, () => declare(server, tests));
}

interface Opened extends Engine {
  close(): Promise<void>;
}

function declare(open: () => Promise<Opened>, tests: (engine: () => Engine) => void): void {
  let engine: Opened | undefined;
  beforeAll(async () => {
    engine = await open();
    // On a busy machine an engine takes its time to start.
  }, 600_000);
  afterAll(() => engine?.close());
  tests(() => {
    if (engine === undefined) throw new Error('the engine has not started');
    return engine;
  });
}

async function embedded(): Promise<Opened> {
  const store = await openStore();
  return { store, empty: () => emptied(store), close: () => store.close() };
}

async function server(): Promise<Opened> {
  const postgres = await Postgres.start();
  const store = await openStore({ url: await postgres.database() });
  const close = async () => {
    await store.close();
    await postgres.stop();
  };
  return { store, empty: () => emptied(store), close };
}

async function emptied({ db }: Store): Promise<void> {
  const tables = Object.values(schema).filter((one) => is(one, PgTable));
  await db.transaction(async (tx) => {
    // The audit log refuses being emptied, in this mode it is not asked.
    await tx.execute(sql`set local session_replication_role = replica`);
    await tx.execute(sql`truncate ${sql.join(tables, sql`, `)} restart identity cascade`);
  });
}
