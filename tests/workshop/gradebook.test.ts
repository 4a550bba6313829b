import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import type { StoredReport } from '../../src/workshop/gradebook/report.ts';
import { auditLog } from '../../src/workshop/store/audit.ts';
import { extend } from '../../src/workshop/store/extensions.ts';
import { addGrading, addMark, markBook } from '../../src/workshop/store/gradebook.ts';
import { joinRoom } from '../../src/workshop/store/learners.ts';
import { markHistory } from '../../src/workshop/store/mark-detail.ts';
import { createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import { gradings, groups, learners } from '../../src/workshop/store/schema.ts';
import { gradingsOf, handIn, notebookOf, submissionsOf } from '../../src/workshop/store/submissions.ts';
import { onBothEngines } from './store-engines.ts';

const DUE = new Date('2026-02-01T12:00:00Z');
const after = (hours: number): Date => new Date(DUE.getTime() + hours * 3_600_000);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const report = (score: number, seed = 's'): StoredReport => ({
  learner: 'Ada',
  file: 'Ada.ipynb',
  chapter: '03-bert',
  seed,
  verdict: score === 10 ? 'pass' : 'fail',
  score,
  points: 10,
  exercises: [
    { id: 'bert/pooler', title: 'Pooler', points: 10, score, verdict: score === 10 ? 'pass' : 'fail' },
  ],
});

onBothEngines('gradebook', (engine) => {
  const setting = async (policy: Parameters<typeof setAssignment>[1]['policy'] = {}) => {
    const { store } = engine();
    const room = await createRoom(store, { title: 'Monday', by: 'test' });
    const given = { roomId: room.id, chapter: '03-bert', open: true, dueAt: DUE, policy, by: 'test' };
    const assignment = await setAssignment(store, given);
    const { learner } = await joinRoom(store, { room, displayName: 'Ada' });
    const hand = (text: string, at = after(-1)) =>
      handIn(store, { assignmentId: assignment.id, learnerId: learner.id, notebook: bytes(text), at });
    const mark = async () => (await markBook(store, room.id)).rows[0]?.marks[0];
    const grade = async (submissionId: number, score: number, graderVersion = '1') =>
      addGrading(store, { submissionId, report: report(score), graderVersion, by: 'test' });
    return { store, room, assignment, learner, hand, mark, grade };
  };

  it('numbers attempts, keeps their bytes, and takes the same notebook again for the same attempt', async () => {
    const { store, assignment, hand } = await setting();
    const first = await hand('one');
    expect(await hand('one')).toEqual(first);
    const second = await hand('two \u{1f600}');
    expect((await submissionsOf(store, assignment.id)).map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await notebookOf(store, second.id)).toEqual(bytes('two \u{1f600}'));
  });

  it('gives two requests at once two attempts', async () => {
    const { hand } = await setting();
    const both = await Promise.all([hand('one'), hand('two')]);
    expect(both.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  });

  it('refuses what is closed, too late or too often', async () => {
    const { store, room, hand } = await setting({ maxAttempts: 1, cutOffAt: after(1).toISOString() });
    await expect(hand('late', after(2))).rejects.toThrow('its last date has passed');
    await hand('one');
    await expect(hand('two')).rejects.toThrow('can be handed in once, and was');
    await setAssignment(store, { roomId: room.id, chapter: '03-bert', open: false, by: 'test' });
    await expect(hand('two')).rejects.toThrow('is not open for handing in');
  });

  it('keeps every grading; the latest counts and manual marks stay', async () => {
    const { store, assignment, learner, hand, mark, grade } = await setting();
    const { id } = await hand('one');
    expect(await mark()).toMatchObject({ status: 'pending' });
    await grade(id, 4);
    expect(await mark()).toMatchObject({ status: 'graded', points: 4 });
    const whose = { assignmentId: assignment.id, learnerId: learner.id, by: 'Eve' };
    await addMark(store, { ...whose, exercise: 'bert/pooler', points: 7, comment: 'a slip of the pen' });
    expect(await grade(id, 4)).toBeUndefined();
    await grade(id, 5, '2');
    expect((await gradingsOf(store, id)).map(({ cause, points }) => [cause, points])).toEqual([
      ['first', 4],
      ['regrade', 5],
    ]);
    expect(await mark()).toMatchObject({
      points: 7,
      automatic: 5,
      manual: true,
      comments: [{ exercise: 'bert/pooler', comment: 'a slip of the pen' }],
    });
    await addMark(store, { ...whose, exercise: 'bert/pooler', points: null });
    expect(await mark()).toMatchObject({ points: 5, manual: false });
  });

  it('reads gradings that an earlier lab kept without their exercises beside the report', async () => {
    const { store, assignment, learner, hand, mark, grade } = await setting();
    await grade((await hand('one')).id, 4);
    const before = [await mark(), (await markHistory(store, assignment, learner)).exercises];
    expect(before).toMatchObject([{ points: 4 }, [{ id: 'bert/pooler', score: 4, points: 10 }]]);
    await store.db.update(gradings).set({ exercises: null });
    expect([await mark(), (await markHistory(store, assignment, learner)).exercises]).toEqual(before);
  });

  it('counts an extension of a learner and of their group', async () => {
    const { store, room, assignment, learner, hand, mark, grade } = await setting({ penaltyPerDay: 0.5 });
    const { id } = await hand('one', after(20));
    await grade(id, 10);
    expect(await mark()).toMatchObject({ points: 5, daysLate: 1 });
    const [group] = await store.db
      .insert(groups)
      .values({ roomId: room.id, name: 'A', nameKey: 'a' })
      .returning();
    if (group === undefined) throw new Error('no group');
    await extend(store, {
      assignmentId: assignment.id,
      whose: { groupId: group.id },
      dueAt: after(24),
      by: 'Eve',
    });
    expect(await mark()).toMatchObject({ points: 5 });
    await store.db.update(learners).set({ groupId: group.id });
    expect(await mark()).toMatchObject({ points: 10, daysLate: 0 });
    await extend(store, {
      assignmentId: assignment.id,
      whose: { learnerId: learner.id },
      dueAt: after(2),
      by: 'Eve',
    });
    expect(await mark()).toMatchObject({ points: 10 });
  });

  it('refuses marks and extensions across rooms', async () => {
    const [monday, tuesday] = [await setting(), await setting()];
    const wrong = { assignmentId: monday.assignment.id, learnerId: tuesday.learner.id, by: 'Eve' };
    await expect(addMark(monday.store, { ...wrong, points: 1 })).rejects.toThrow('of one room');
    await expect(
      extend(monday.store, { ...wrong, whose: { learnerId: tuesday.learner.id }, dueAt: DUE }),
    ).rejects.toThrow('of one room');
    await expect(handIn(monday.store, { ...wrong, notebook: bytes('x'), at: DUE })).rejects.toThrow(
      'no such assignment in this room',
    );
  });

  it('logs what happened to a mark, and the log cannot be changed', async () => {
    const { store, assignment, learner, hand, grade } = await setting();
    const { id } = await hand('one');
    await grade(id, 4);
    await addMark(store, { assignmentId: assignment.id, learnerId: learner.id, points: 9, by: 'Eve' });
    const [latest, graded, handed] = await auditLog(store.db, 3);
    expect(latest).toMatchObject({
      actor: 'Eve',
      action: 'mark.set',
      subject: { learner: learner.id, points: 9 },
    });
    expect(graded).toMatchObject({ action: 'submission.grade', subject: { submission: id, points: 4 } });
    expect(handed).toMatchObject({ actor: `learner ${learner.id}`, action: 'submission.hand-in' });
    for (const change of [sql`update llm_lab.audit set actor = 'Mallory'`, sql`delete from llm_lab.audit`]) {
      await expect(store.db.execute(change)).rejects.toMatchObject({
        cause: { message: expect.stringContaining('the audit log only grows') },
      });
    }
  });
});
