/** Outliving a database that is restarted. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Of Node and of PostgreSQL: no connection, cut off, starting up, shutting down. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  '08000',
  '08001',
  '08003',
  '08006',
  '57P01',
  '57P02',
  '57P03',
]);

/** Whether an error says that the database cannot be reached now, not that a statement is wrong. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && AWAY.has(String(error.code))) return true;
  if (error instanceof AggregateError && error.errors.some(isAway)) return true;
  if (/connection terminated|connection.*(?:closed|timeout)|not queryable/i.test(error.message)) return true;
  return isAway(error.cause);
}

export interface Patience {
  /** How long in all, in milliseconds. */
  readonly forMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told once when waiting begins. */
  readonly onWait?: (() => void) | undefined;
}

/** Does the work again and again while the database is away. The work must be such that doing it twice does no harm. */
export async function patiently<T>(work: () => Promise<T>, patience: Patience = {}): Promise<T> {
  const { forMs = 600_000, signal, onWait } = patience;
  const until = Date.now() + forMs;
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || Date.now() > until || signal?.aborted === true) throw error;
      if (tries === 0) onWait?.();
      await sleep(Math.min(5000, 100 * 2 ** tries));
    }
  }
}
