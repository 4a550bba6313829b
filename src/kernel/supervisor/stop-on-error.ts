import type { Message } from '../protocol/wire.ts';

/**
 * Which cells do not run because one before them failed: those that the same client asked for before the failure.
 * Only the sending time tells: a message may still be on its way when a cell fails at once. The failed request
 * tells how the client's clock differs from ours.
 */
export class StopOnError {
  #failure: { session: string; time: number; clockOffset: number } | undefined;

  /** @param readTime the milliseconds at which the request of the failed cell was read */
  note({ header: { session, date } }: Message, readTime: number): void {
    const clockOffset = readTime - Date.parse(date);
    if (Number.isFinite(clockOffset)) this.#failure = { session, time: Date.now(), clockOffset };
  }

  isStopped({ header }: Message): boolean {
    const failure = this.#failure;
    if (!failure || header.msg_type !== 'execute_request' || header.session !== failure.session) return false;
    return Date.parse(header.date) + failure.clockOffset < failure.time;
  }
}
