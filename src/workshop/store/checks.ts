/** Checks as they come in, and what a dashboard shows of them. */
import { eq, getTableColumns, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Store } from './open.ts';
import { checks, learners, progress } from './schema.ts';
import { instantShape, verdictShape } from './shapes.ts';

/** A `check()` as a notebook tells it. */
export interface NewCheck {
  /** A UUID that the notebook made: what is sent twice counts once. */
  readonly clientId: string;
  readonly exercise: string;
  readonly verdict: 'pass' | 'fail' | 'error';
  /** The diagnosis, or the first thing that was wrong. */
  readonly mistake?: string;
  /** Only where the room asks for it. */
  readonly code?: string;
  /** By the learner's clock; a time that lies ahead counts as now. */
  readonly checkedAt: Date;
}

/** One exercise of one learner, as it stands. */
export type Progress = typeof progress.$inferSelect;

const addedShape = z.object({
  client_id: z.string(),
  exercise: z.string(),
  verdict: verdictShape,
  mistake: z.string().nullable(),
  checked_at: instantShape,
});

/**
 * Records checks of a learner and brings `progress` up to date: one statement, all or nothing. An older check that arrives late
 * counts as an attempt and changes neither the verdict nor the failures since.
 * @returns `accepted`: ids that are kept now, also those that were before; `added`: the checks that are new
 */
export async function recordChecks(
  store: Store,
  learnerId: number,
  given: readonly NewCheck[],
  receivedAt = new Date(),
): Promise<{ accepted: string[]; added: Omit<NewCheck, 'code'>[] }> {
  if (given.length === 0) return { accepted: [], added: [] };
  const list = JSON.stringify(
    given.map(({ clientId, exercise, verdict, mistake, code, checkedAt }) => ({
      id: clientId,
      exercise,
      verdict,
      mistake: mistake === undefined ? null : withoutNul(mistake),
      code: code === undefined ? null : withoutNul(code),
      at: checkedAt.toISOString(),
    })),
  );
  const now = receivedAt.toISOString();
  const rows = await store.rows(
    addedShape,
    sql`with given as (
      select distinct on (id) id, exercise, verdict, mistake, code, least(at, ${now}::timestamptz) as at
      from jsonb_to_recordset(${list}::jsonb)
        as g(id uuid, exercise text, verdict text, mistake text, code text, at timestamptz)
      order by id, at
    ), added as (
      insert into ${checks} (learner_id, client_id, exercise, verdict, mistake, code, checked_at, received_at)
      select ${learnerId}::int, id, exercise, verdict, mistake, code, at, ${now}::timestamptz
      from given order by at, id
      on conflict (learner_id, client_id) do nothing
      returning id, client_id, exercise, verdict, mistake, checked_at
    ), placed as (
      select *,
        max(checked_at) filter (where verdict = 'pass') over (partition by exercise) as passed_at,
        row_number() over (partition by exercise order by checked_at desc, id desc) as place
      from added
    ), summed as (
      select exercise,
        max(verdict) filter (where place = 1) as verdict,
        max(mistake) filter (where place = 1) as mistake,
        count(*)::int as attempts,
        (count(*) filter (where verdict = 'fail' and (passed_at is null or checked_at > passed_at)))::int as failures,
        min(checked_at) as first_at,
        min(checked_at) filter (where verdict = 'pass') as first_pass_at,
        max(checked_at) as last_at
      from placed group by exercise
    ), kept as (
      insert into ${progress} as p
        (learner_id, exercise, verdict, mistake, attempts, failures, first_at, first_pass_at, last_at)
      select ${learnerId}::int, exercise, verdict, mistake, attempts, failures, first_at, first_pass_at, last_at
      from summed order by exercise
      on conflict (learner_id, exercise) do update set
        verdict = case when excluded.last_at >= p.last_at then excluded.verdict else p.verdict end,
        mistake = case when excluded.last_at >= p.last_at then excluded.mistake else p.mistake end,
        attempts = p.attempts + excluded.attempts,
        failures = case
          when excluded.last_at < p.last_at then p.failures
          when excluded.first_pass_at is not null then excluded.failures
          else p.failures + excluded.failures end,
        first_at = least(p.first_at, excluded.first_at),
        first_pass_at = least(p.first_pass_at, excluded.first_pass_at),
        last_at = greatest(p.last_at, excluded.last_at)
    )
    select client_id, exercise, verdict, mistake, checked_at from added order by id`,
  );
  return {
    accepted: [...new Set(given.map(({ clientId }) => clientId))],
    added: rows.map(({ client_id, exercise, verdict, mistake, checked_at }) => ({
      clientId: client_id,
      exercise,
      verdict,
      ...(mistake === null ? {} : { mistake }),
      checkedAt: checked_at,
    })),
  };
}

/** Postgres keeps every character in a text but this one. */
const withoutNul = (text: string): string => text.replaceAll('\0', '\u{fffd}');

/** What every learner of a room has checked: one entry a learner and exercise, with attempts, first pass and latest mistake. */
export async function latestByRoom({ db }: Store, roomId: number): Promise<Progress[]> {
  return db
    .select(getTableColumns(progress))
    .from(progress)
    .innerJoin(learners, eq(progress.learnerId, learners.id))
    .where(eq(learners.roomId, roomId))
    .orderBy(progress.learnerId, progress.exercise);
}

/** The same for one learner. */
export async function latestOfLearner({ db }: Store, learnerId: number): Promise<Progress[]> {
  return db.select().from(progress).where(eq(progress.learnerId, learnerId)).orderBy(progress.exercise);
}

const mistakeShape = z.object({
  exercise: z.string(),
  mistake: z.string(),
  /** Checks. */
  count: z.number(),
  /** Learners who ever made it. */
  learners: z.number(),
  /** Learners whose latest check of the exercise has it. */
  stuck: z.number(),
  /** The latest check with it, one with code if there is any. */
  sample: z.object({
    learnerId: z.number(),
    displayName: z.string(),
    code: z.string().nullable(),
  }),
});
export type MistakeCount = z.infer<typeof mistakeShape>;

/** The mistakes of a room, those that most learners made first; of one exercise if it is given. */
export async function mistakeCounts(
  store: Store,
  roomId: number,
  exercise?: string,
): Promise<MistakeCount[]> {
  return store.rows(
    mistakeShape,
    sql`with counted as (
      select c.exercise, c.mistake, count(*)::int as count,
        count(distinct c.learner_id)::int as learners,
        (count(distinct c.learner_id) filter (where p.verdict <> 'pass' and p.mistake = c.mistake))::int as stuck,
        coalesce(max(c.id) filter (where c.code is not null), max(c.id)) as sample
      from ${checks} c
      join ${learners} l on l.id = c.learner_id
      left join ${progress} p on p.learner_id = c.learner_id and p.exercise = c.exercise
      where l.room_id = ${roomId} and c.mistake is not null
        and (${exercise ?? null}::text is null or c.exercise = ${exercise ?? null}::text)
      group by c.exercise, c.mistake
    )
    select n.exercise, n.mistake, n.count, n.learners, n.stuck,
      json_build_object('learnerId', l.id, 'displayName', l.display_name, 'code', c.code) as sample
    from counted n
    join ${checks} c on c.id = n.sample
    join ${learners} l on l.id = c.learner_id
    order by n.learners desc, n.count desc, n.exercise, n.mistake`,
  );
}

const bucketShape = z.object({
  /** When the bucket begins. */
  at: instantShape,
  checks: z.number(),
  passes: z.number(),
  /** Exercises that a learner passed for the first time. */
  firstPasses: z.number(),
  /** Who checked anything. */
  learners: z.number(),
});
export type Bucket = z.infer<typeof bucketShape>;

/** Checks over time; buckets in which nothing happened are left out. */
export async function timeline(store: Store, roomId: number, bucketMinutes: number): Promise<Bucket[]> {
  const width = sql`make_interval(mins => ${bucketMinutes}::int)`;
  const bucket = (at: ReturnType<typeof sql>) =>
    sql`date_bin(${width}, ${at}, timestamptz '2000-01-01 00:00:00+00')`;
  return store.rows(
    bucketShape,
    sql`select at, sum(checked)::int as checks, sum(passed)::int as passes,
        sum(first)::int as "firstPasses", count(distinct learner)::int as learners
      from (
        select ${bucket(sql`c.checked_at`)} as at, 1 as checked, (c.verdict = 'pass')::int as passed, 0 as first,
          c.learner_id as learner
        from ${checks} c join ${learners} l on l.id = c.learner_id where l.room_id = ${roomId}
        union all
        select ${bucket(sql`p.first_pass_at`)}, 0, 0, 1, null
        from ${progress} p join ${learners} l on l.id = p.learner_id
        where l.room_id = ${roomId} and p.first_pass_at is not null
      ) events
      group by at order by at`,
  );
}
