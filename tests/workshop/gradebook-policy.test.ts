import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  type Deadline,
  lateness,
  latePolicy,
  type ManualMark,
  markOf,
} from '../../src/workshop/gradebook/policy.ts';
import type { StoredReport } from '../../src/workshop/gradebook/report.ts';

/** Sunday 29 March 2026, 23:59 in Berlin: the day on which summer time begins there at 01:00 UTC. */
const DUE = new Date('2026-03-29T21:59:00Z');
const deadline = (policy: Deadline['policy'], extendedTo: Date | null = null): Deadline => ({
  dueAt: DUE,
  extendedTo,
  policy,
});
const after = (hours: number, minutes = 0): Date => new Date(DUE.getTime() + (hours * 60 + minutes) * 60_000);

const report = (...scores: (number | 'error')[]): StoredReport => {
  const exercises = scores.map((score, i) => ({
    id: `bert/e${i + 1}`,
    title: `E${i + 1}`,
    points: 10,
    score: score === 'error' ? 0 : score,
    verdict: score === 'error' ? ('error' as const) : score === 10 ? ('pass' as const) : ('fail' as const),
  }));
  const broken = scores.includes('error');
  const score = broken ? null : exercises.reduce((sum, one) => sum + one.score, 0);
  const points = 10 * scores.length;
  return {
    learner: 'ada',
    file: 'ada.ipynb',
    chapter: '03-bert',
    seed: 's',
    verdict: 'fail',
    score,
    points,
    exercises,
  };
};
const attempt = (number: number, at: Date, ...scores: (number | 'error')[]): Attempt => ({
  attempt: number,
  handedInAt: at,
  report: report(...scores),
});
const points = (
  exercise: string | null,
  given: number | null,
  comment: string | null = null,
): ManualMark => ({
  exercise,
  points: given,
  comment,
});

describe('lateness', () => {
  const policy = { graceMinutes: 15, penaltyPerDay: 0.1, cutOffAt: '2026-04-02T21:59:00Z' };
  it.each([
    ['an hour early', after(-1), true, 0, 1],
    ['at the minute', after(0), true, 0, 1],
    ['at the end of grace', after(0, 15), true, 0, 1],
    // Grace is not added to the due date: who exceeds it is late from the due date on.
    ['a minute past grace', after(0, 16), true, 1, 0.9],
    ['24 hours', after(24), true, 1, 0.9],
    ['24 hours and a minute', after(24, 1), true, 2, 0.8],
    ['three days', after(72), true, 3, 0.7],
    ['at the cut-off', after(96), true, 4, 0.6],
    ['a minute past the cut-off', after(96, 1), false, 5, 0],
  ])('%s', (_, at, accepted, daysLate, factor) => {
    const found = lateness(at, deadline(policy));
    expect(found).toMatchObject({ accepted, daysLate });
    expect(found.factor).toBeCloseTo(factor, 12);
  });

  it('takes away no more than everything', () => {
    expect(lateness(after(24 * 30), deadline({ penaltyPerDay: 0.25 })).factor).toBe(0);
  });

  it('counts days of 24 hours across the change to summer time', () => {
    // Due 23:00 in Berlin before the change; 24 hours later their clocks show 00:00, not 23:00.
    const due = new Date('2026-03-28T22:00:00Z');
    const given = { dueAt: due, extendedTo: null, policy: { penaltyPerDay: 0.5 } };
    expect(lateness(new Date('2026-03-29T22:00:00Z'), given).daysLate).toBe(1);
    expect(lateness(new Date('2026-03-29T22:00:00.001Z'), given).daysLate).toBe(2);
  });

  it('does not depend on the zone of the machine', () => {
    const before = process.env.TZ;
    const in_ = (zone: string) => {
      process.env.TZ = zone;
      return lateness(new Date('2026-03-30T08:59:00+11:00'), deadline(policy));
    };
    try {
      const zones = [
        'UTC',
        'Europe/Berlin',
        'America/Los_Angeles',
        'Australia/Lord_Howe',
        'Pacific/Apia',
      ].map(in_);
      // 08:59 at +11:00 is 21:59 UTC of the day before: in time.
      expect(zones).toEqual(zones.map(() => ({ accepted: true, daysLate: 0, factor: 1 })));
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  it('counts from an extension, which moves the cut-off and never shortens', () => {
    const extended = (to: Date, at: Date) => lateness(at, deadline(policy, to));
    expect(extended(after(48), after(47))).toEqual({ accepted: true, daysLate: 0, factor: 1 });
    expect(extended(after(48), after(49))).toEqual({ accepted: true, daysLate: 1, factor: 0.9 });
    expect(extended(after(200), after(200, 15)).accepted).toBe(true);
    expect(extended(after(200), after(200, 16)).accepted).toBe(false);
    expect(extended(after(-48), after(0))).toEqual({ accepted: true, daysLate: 0, factor: 1 });
  });

  it('knows no lateness without a due date, but a cut-off', () => {
    const given = { dueAt: null, extendedTo: null, policy };
    expect(lateness(after(95), given)).toEqual({ accepted: true, daysLate: 0, factor: 1 });
    expect(lateness(after(97), given)).toEqual({ accepted: false, daysLate: 0, factor: 0 });
  });

  it('never gives more for handing in later, whatever the rules', () => {
    // A fixed stream of numbers: what fails once fails again.
    let state = 7;
    const next = (most: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % most;
    };
    for (let i = 0; i < 2000; i++) {
      const rules = {
        graceMinutes: next(300),
        penaltyPerDay: next(101) / 100,
        ...(next(2) ? { cutOffAt: after(next(200)).toISOString() } : {}),
      };
      const given = deadline(rules, next(3) === 0 ? after(next(150)) : null);
      const early = next(12_000) - 1000;
      const [first, second] = [after(0, early), after(0, early + next(3000))].map((at) =>
        lateness(at, given),
      );
      expect(second?.factor).toBeLessThanOrEqual(first?.factor ?? -1);
      expect(first?.factor).toBeGreaterThanOrEqual(0);
      expect(first?.factor).toBeLessThanOrEqual(1);
    }
  });
});

describe('marks', () => {
  const policy = { penaltyPerDay: 0.1 };

  it('counts the best attempt after its penalty', () => {
    // 18 in time; 20 × 0.8 = 16 two days late.
    const attempts = [attempt(1, after(-1), 10, 8), attempt(2, after(30), 10, 10)];
    expect(markOf(attempts, [], deadline(policy), null)).toMatchObject({
      status: 'graded',
      points: 18,
      automatic: 18,
      outOf: 20,
      attempt: 1,
      daysLate: 0,
    });
    expect(markOf(attempts, [], deadline({ ...policy, counts: 'latest' }), null)).toMatchObject({
      points: 16,
      automatic: 20,
      attempt: 2,
      daysLate: 2,
      factor: 0.8,
    });
  });

  it('rounds to hundredths', () => {
    // 7 × 0.85 = 5.95, which floating point makes 5.949999….
    expect(markOf([attempt(1, after(1), 7)], [], deadline({ penaltyPerDay: 0.15 }), null).points).toBe(5.95);
    // 3.35 × 0.9 = 3.015: half a hundredth goes up.
    expect(markOf([attempt(1, after(1), 3.35)], [], deadline(policy), null).points).toBe(3.02);
  });

  it('takes nothing after the cut-off', () => {
    const late = { cutOffAt: DUE.toISOString() };
    expect(markOf([attempt(1, after(1), 10)], [], deadline(late), 10)).toMatchObject({
      status: 'missing',
      points: null,
      attempt: null,
    });
  });

  it('puts a manual mark in the place of the exercise’s, with the same penalty', () => {
    // (10 + 9) × 0.9 = 17.1
    const attempts = [attempt(1, after(1), 10, 2)];
    const marked = markOf(attempts, [points('bert/e2', 9, null)], deadline(policy), null);
    expect(marked).toMatchObject({ points: 17.1, automatic: 12, manual: true });
    const back = markOf(attempts, [points('bert/e2', 9), points('bert/e2', null)], deadline(policy), null);
    // (10 + 2) × 0.9 = 10.8
    expect(back).toMatchObject({ points: 10.8, manual: false });
  });

  it('takes a mark for the whole as it is, and comments as comments', () => {
    const given = [
      points(null, 13.5),
      points('bert/e1', null, 'neat'),
      points(null, null, 'late, but told us'),
    ];
    expect(markOf([attempt(1, after(100), 1, 1)], given, deadline(policy), null)).toMatchObject({
      status: 'graded',
      points: 13.5,
      automatic: 2,
      comments: [
        { exercise: 'bert/e1', comment: 'neat' },
        { exercise: null, comment: 'late, but told us' },
      ],
    });
  });

  it('waits where the machine failed, unless a person has decided', () => {
    const broken = [attempt(1, after(-1), 10, 'error')];
    expect(markOf(broken, [], deadline({}), null)).toMatchObject({ status: 'pending', points: null });
    expect(markOf(broken, [points('bert/e2', 4)], deadline({}), null)).toMatchObject({
      status: 'graded',
      points: 14,
    });
  });

  it('passes over an ungraded attempt for the best, and waits for it as the latest', () => {
    const attempts: Attempt[] = [attempt(1, after(-2), 6), { attempt: 2, handedInAt: after(-1) }];
    expect(markOf(attempts, [], deadline({}), null)).toMatchObject({ status: 'graded', points: 6 });
    expect(markOf(attempts, [], deadline({ counts: 'latest' }), null)).toMatchObject({ status: 'pending' });
  });

  it('says missing where nothing was handed in, unless it was marked by hand', () => {
    expect(markOf([], [], deadline({}), 20)).toMatchObject({ status: 'missing', points: null, outOf: 20 });
    expect(markOf([], [points('bert/e1', 3), points('bert/e2', 4)], deadline({}), 20)).toMatchObject({
      status: 'graded',
      points: 7,
    });
  });
});

describe('the policy of an assignment', () => {
  it.each([
    [{ penaltyPerDay: 1.5 }],
    [{ graceMinutes: -1 }],
    [{ cutOffAt: '2026-03-29 21:59' }],
    [{ maxAttempts: 0 }],
    [{ penalty: 0.1 }],
  ])('is refused: %o', (given) => {
    expect(latePolicy.safeParse(given).success).toBe(false);
  });
});
