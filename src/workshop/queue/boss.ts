/** The queue itself: pg-boss, on the same PostgreSQL server as the store. */
import { createHash } from 'node:crypto';
import { PgBoss } from 'pg-boss';
import { InputError } from '../../errors.ts';
import { patiently } from './patience.ts';

/** How often a job is tried before it is a dead letter, and how long between. */
export interface Retries {
  readonly limit: number;
  /** Doubled each time. */
  readonly delaySeconds: number;
}
export const RETRIES: Retries = { limit: 3, delaySeconds: 5 };

/** A worker that says nothing for so long is dead, and its job is given to another. */
const HEARTBEAT_SECONDS = 15;
/** No submission takes longer: its exercises have limits of their own. */
const LONGEST_JOB_SECONDS = 3 * 3600;

export interface Job {
  readonly id: string;
  readonly retryCount: number;
  readonly task: number;
}

/** The jobs of one set of exercises. Workers with other exercises do not see them. */
export class GradingQueue {
  readonly #boss: PgBoss;
  readonly name: string;
  readonly #dead: string;

  private constructor(boss: PgBoss, exercises: string) {
    this.#boss = boss;
    this.name = `grade-${exercises}`;
    this.#dead = `dead-${exercises}`;
  }

  /** @throws InputError without a URL: an embedded database belongs to one process */
  static async open(
    url: string | undefined,
    exercises: string,
    retries: Retries = RETRIES,
  ): Promise<GradingQueue> {
    const boss = new PgBoss({
      connectionString: databaseUrl(url),
      schema: 'llm_lab_queue',
      max: 4,
      application_name: 'llm-lab',
      superviseIntervalSeconds: 5,
      monitorIntervalSeconds: 5,
      schedule: false,
    });
    // Its own attempts while the database is away; ours tell of theirs.
    boss.on('error', () => undefined);
    await boss.start();
    const queue = new GradingQueue(boss, exercises);
    await boss.createQueue(queue.#dead);
    await boss.createQueue(queue.name, {
      deadLetter: queue.#dead,
      retryLimit: retries.limit,
      retryDelay: retries.delaySeconds,
      retryBackoff: retries.delaySeconds > 0,
      expireInSeconds: LONGEST_JOB_SECONDS,
      heartbeatSeconds: HEARTBEAT_SECONDS,
      // A class hands in on Friday and its grader comes back on Monday a month later.
      retentionSeconds: 60 * 24 * 3600,
    });
    return queue;
  }

  /** Puts tasks in line. What is in line already stays as it is. */
  async send(tasks: readonly { readonly id: number; readonly priority: number }[]): Promise<void> {
    for (let start = 0; start < tasks.length; start += 500) {
      const batch = tasks.slice(start, start + 500);
      const jobs = batch.map(({ id, priority }) => ({
        id: jobId(this.name, id),
        data: { task: id },
        priority,
      }));
      await patiently(() => this.#boss.insert(this.name, jobs));
    }
  }

  /** The next job, of the highest priority first; undefined if there is none. */
  async take(): Promise<Job | undefined> {
    const [job] = await this.#boss.fetch<{ task: number }>(this.name);
    return job === undefined ? undefined : { id: job.id, retryCount: job.retryCount, task: job.data.task };
  }

  /** Says that a job is still worked on. */
  async touch({ id, retryCount }: Job): Promise<void> {
    await this.#boss.touch(this.name, { id, retryCount });
  }

  async complete({ id, retryCount }: Job): Promise<void> {
    await this.#boss.complete(this.name, { id, retryCount });
  }

  /** Another try, or a dead letter if there were enough. */
  async fail({ id, retryCount }: Job, why: string): Promise<void> {
    await this.#boss.fail(this.name, { id, retryCount }, { message: why });
  }

  /** Hands the tasks that have failed for good to `bury`, each until it has been buried. */
  async buryDead(bury: (task: number, why: string) => Promise<void>): Promise<void> {
    for (;;) {
      const [job] = await this.#boss.fetch<{ task: number }>(this.#dead, { includeMetadata: true });
      if (job === undefined) return;
      await bury(job.data.task, whyOf(job.sourceOutput));
      await this.#boss.complete(this.#dead, job.id);
    }
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false });
  }
}

function whyOf(output: object | null): string {
  const message: unknown = output === null ? undefined : Reflect.get(output, 'message');
  return typeof message === 'string' && message !== '' ? message : 'the workers that tried it were killed';
}

/** The same task has the same job, so that sending twice sends once. A UUID of version 8, as RFC 9562 calls one's own. */
function jobId(queue: string, task: number): string {
  const hex = createHash('sha256').update(`${queue} ${task}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** @throws InputError if there is none */
export function databaseUrl(url: string | undefined): string {
  if (url !== undefined && url !== '') return url;
  throw new InputError(
    'a queue needs a PostgreSQL server that all machines reach: set DATABASE_URL=postgres://…; the embedded database belongs to one process',
  );
}
