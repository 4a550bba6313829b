/** Tells the room about a check. The learner never waits for the network, and sees what is told. */

import { randomUUID } from 'node:crypto';
import type { Judgement } from '../../../grader/judgement.ts';
import { type CheckReport, LONGEST_CODE } from '../protocol.ts';
import { currentRoom, type Membership, rememberRoom } from './membership.ts';
import { keep, sendAll, waiting } from './outbox.ts';

/** What the learner is shown under the result of a check. */
export interface ReportNote {
  readonly text: string;
}

const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;

let sending: Promise<void> | undefined;
let again = false;
let retry: NodeJS.Timeout | undefined;
let pause = FIRST_RETRY;

/**
 * Puts the check among what is sent to the room this lab is in.
 * @returns a line that says what the room is told; undefined if the lab is in no room.
 */
export async function reportCheck(judgement: Judgement, answer: unknown): Promise<ReportNote | undefined> {
  const room = currentRoom();
  if (room === undefined) return undefined;
  const report = reportOf(judgement, room, answer);
  try {
    await keep(room, report);
  } catch {
    return { text: `The room '${room.room.title}' is not told: this lab cannot write to its folder.` };
  }
  sendSoon();
  const what = report.code === undefined ? '' : ' and your code';
  return {
    text: `Told to the room '${room.room.title}' as ${room.learner.name}: ${judgement.id}, ${saidOf(report)}${what}.`,
  };
}

function reportOf(judgement: Judgement, room: Membership, answer: unknown): CheckReport {
  const wrong = judgement.checks.find(({ status }) => status !== 'passed' && status !== 'skipped');
  const mistake = judgement.mistake?.diagnosis ?? wrong?.message;
  const code = room.room.asksForCode && typeof answer === 'function' ? answer.toString() : undefined;
  return {
    id: randomUUID(),
    exercise: judgement.id,
    verdict: judgement.verdict,
    checkedAt: new Date().toISOString(),
    ...(judgement.verdict === 'pass' || mistake === undefined ? {} : { mistake: mistake.slice(0, 600) }),
    ...(code === undefined ? {} : { code: code.slice(0, LONGEST_CODE) }),
  };
}

function saidOf({ verdict, mistake }: CheckReport): string {
  if (verdict === 'pass') return 'passed';
  return mistake === undefined ? 'not passed' : 'not passed, with the diagnosis above';
}

/** Sends what waits, now and, while the server cannot be reached, again and again with growing pauses. */
export function sendSoon(): void {
  if (sending !== undefined) {
    again = true;
    return;
  }
  clearTimeout(retry);
  sending = attempt().finally(() => {
    sending = undefined;
    if (again) {
      again = false;
      sendSoon();
    }
  });
}

async function attempt(): Promise<void> {
  const room = currentRoom();
  if (room === undefined) return;
  try {
    const reply = await sendAll(room);
    pause = FIRST_RETRY;
    const still = currentRoom()?.token === room.token;
    if (still && reply !== undefined && reply.asksForCode !== room.room.asksForCode) {
      await rememberRoom({ ...room, room: { ...room.room, asksForCode: reply.asksForCode } });
    }
  } catch {
    if ((await waiting(room)) === 0) return;
    retry = setTimeout(sendSoon, pause);
    // A kernel that has nothing else to do may end; the next one sends the rest.
    retry.unref();
    pause = Math.min(pause * 2, LAST_RETRY);
  }
}

/** Resolves once nothing is on its way any more. For programs that end, and for tests. */
export async function settled(): Promise<void> {
  while (sending !== undefined) await sending;
}
