/** Between the gradebook and the grader: what was handed in goes out as files, what `lab grade` reports comes in. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { and, eq } from 'drizzle-orm';
import { fileNameOf } from '../../../grader/report/names.ts';
import { InputError } from '../../errors.ts';
import { addGrading } from '../store/gradebook.ts';
import { type Learner, learnersOf } from '../store/learners.ts';
import { nameKey } from '../store/names.ts';
import type { Store } from '../store/open.ts';
import { type Assignment, setAssignment } from '../store/rooms.ts';
import { submissions } from '../store/schema.ts';
import { gradingsOf, notebookOf, submissionsOf } from '../store/submissions.ts';
import { type StoredReport, storedReport } from './report.ts';

/** `ada.ipynb` for the first attempt, `ada@2.ipynb` for the second. */
const fileOf = (learner: Learner, attempt: number): string =>
  `${fileNameOf(learner.displayName)}${attempt === 1 ? '' : `@${attempt}`}`;

/**
 * Writes what was handed in for an assignment into an empty folder, to be graded: attempts that were not graded yet, or all of them.
 * @returns the names of the files
 */
export async function collect(
  store: Store,
  assignment: Assignment,
  out: string,
  all: boolean,
): Promise<string[]> {
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new InputError(`${out} is not empty; give another folder`);
  const people = new Map((await learnersOf(store, assignment.roomId)).map((one) => [one.id, one]));
  mkdirSync(out, { recursive: true });
  const files: string[] = [];
  for (const { id, learnerId, attempt } of await submissionsOf(store, assignment.id)) {
    const learner = people.get(learnerId);
    if (learner === undefined || (!all && (await gradingsOf(store, id)).length > 0)) continue;
    const notebook = await notebookOf(store, id);
    if (notebook === undefined) continue;
    const file = `${fileOf(learner, attempt)}.ipynb`;
    writeFileSync(path.join(out, file), notebook);
    files.push(file);
  }
  return files;
}

export interface TakenReports {
  readonly graded: number;
  readonly regraded: number;
  /** The same report was here already. */
  readonly known: number;
  /** Names in the reports that nobody in the room has. */
  readonly strangers: readonly string[];
}

/**
 * Takes the reports of a `lab grade` run into the book. A learner is known by name, e-mail or id. A report on something that was never handed
 * in here becomes an attempt of `handedInAt`, or if that is not given of the due date.
 * @throws InputError if the folder holds no reports or a damaged one; then nothing is taken
 */
export async function takeReports(
  store: Store,
  given: {
    readonly roomId: number;
    readonly folder: string;
    readonly graderVersion: string;
    readonly handedInAt?: Date;
    readonly by: string;
  },
): Promise<TakenReports> {
  const { roomId, folder, graderVersion, handedInAt, by } = given;
  const reports = readReports(folder);
  const find = learnerFinder(await learnersOf(store, roomId));
  return store.db.transaction(async (tx) => {
    const inside: Store = { ...store, db: tx };
    const counts = { graded: 0, regraded: 0, known: 0 };
    const strangers: string[] = [];
    for (const report of reports) {
      if (report.chapter === null) {
        strangers.push(`${report.learner} (of no chapter)`);
        continue;
      }
      const [, name = '', number] = /^(.*?)(?:@(\d+))?$/s.exec(report.learner) ?? [];
      const learner = find(name) ?? find(report.learner);
      if (learner === undefined) {
        strangers.push(report.learner);
        continue;
      }
      const assignment = await setAssignment(inside, { roomId, chapter: report.chapter, by });
      const attempt = Number(number ?? 1);
      const submissionId =
        (await attemptOf(inside, assignment.id, learner.id, attempt)) ??
        (await addAttempt(inside, assignment, learner.id, attempt, handedInAt));
      const grading = await addGrading(inside, { submissionId, report, graderVersion, by });
      counts[grading === undefined ? 'known' : grading.cause === 'first' ? 'graded' : 'regraded']++;
    }
    return { ...counts, strangers };
  });
}

async function attemptOf(
  { db }: Store,
  assignmentId: number,
  learnerId: number,
  attempt: number,
): Promise<number | undefined> {
  const [found] = await db
    .select({ id: submissions.id })
    .from(submissions)
    .where(
      and(
        eq(submissions.assignmentId, assignmentId),
        eq(submissions.learnerId, learnerId),
        eq(submissions.attempt, attempt),
      ),
    );
  return found?.id;
}

async function addAttempt(
  { db }: Store,
  { id: assignmentId, dueAt }: Assignment,
  learnerId: number,
  attempt: number,
  at: Date | undefined,
): Promise<number> {
  const handedInAt = at ?? dueAt ?? new Date();
  const [added] = await db
    .insert(submissions)
    .values({ assignmentId, learnerId, attempt, handedInAt, sha256: '', notebook: null })
    .returning({ id: submissions.id });
  if (added === undefined) throw new Error('an attempt was not kept');
  return added.id;
}

function readReports(folder: string): StoredReport[] {
  const learners = path.join(folder, 'learners');
  const files = existsSync(learners)
    ? readdirSync(learners).filter((name) => name.endsWith('.json') && !name.endsWith('.results.json'))
    : [];
  if (files.length === 0) throw new InputError(`${folder}: holds no reports of lab grade (learners/*.json)`);
  return files.sort().map((name) => {
    try {
      return storedReport.parse(JSON.parse(readFileSync(path.join(learners, name), 'utf8')));
    } catch {
      throw new InputError(`${path.join(learners, name)}: is no report of lab grade, or is damaged`);
    }
  });
}

/** Finds a learner by what a file or a person calls them. */
export function learnerFinder(people: readonly Learner[]): (text: string) => Learner | undefined {
  const byKey = new Map<string, Learner>();
  const add = (key: string | null | undefined, learner: Learner): void => {
    if (key != null && key !== '' && !byKey.has(key)) byKey.set(key, learner);
  };
  // A name goes before another one's file name.
  for (const one of people) add(nameKey(one.displayName), one);
  for (const one of people) {
    add(one.externalId?.toLowerCase(), one);
    add(one.email?.toLowerCase(), one);
    add(nameKey(fileNameOf(one.displayName)), one);
  }
  return (text) => byKey.get(nameKey(text));
}
