/** Marks into the gradebook of a platform and its list of members, over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PassedMarkView } from '../../src/workshop/book-protocol.ts';
import { addGrading, addMark } from '../../src/workshop/store/gradebook.ts';
import { learnersOf } from '../../src/workshop/store/learners.ts';
import { createRoom, setAssignment } from '../../src/workshop/store/rooms.ts';
import { handIn } from '../../src/workshop/store/submissions.ts';
import { INSTRUCTOR, LEARNER } from './lti-platform.ts';
import { CLAIM, DUE, LtiSetting } from './lti-setting.ts';
import { jsonOf, Visitor } from './lti-visitor.ts';

let lti: LtiSetting;
beforeAll(async () => {
  lti = await LtiSetting.open(true);
  lti.platform.people.set('carla', { sub: 'student-3', name: 'Carla Cruz' });
  lti.platform.people.set('dan', { sub: 'student-4', name: 'Dan' });
  for (const hint of ['ada', 'bob', 'carla', 'dan']) await new Visitor().launch(lti.at(hint));
}, 600_000);
afterAll(() => lti.close(), 120_000);

describe('the platform’s gradebook', () => {
  const idOf = async (name: string): Promise<number> => {
    const found = (await learnersOf(lti.store, lti.room.id)).find(({ displayName }) => displayName === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found.id;
  };
  const report = (score: number) => ({
    learner: 'x',
    file: 'x',
    chapter: '03-bert',
    seed: 's',
    verdict: 'fail' as const,
    score,
    points: 10,
    exercises: [{ id: 'bert/one', title: 'One', points: 10, score, verdict: 'fail' as const }],
  });

  it('gets each mark with its penalty and what was decided by hand, once, through the page', async () => {
    const { id: assignmentId } = await setAssignment(lti.store, {
      roomId: lti.room.id,
      chapter: '03-bert',
      by: 'test',
    });
    const hand = async (name: string, hours: number, score: number): Promise<void> => {
      const learnerId = await idOf(name);
      const handedInAt = new Date(DUE.getTime() + hours * 3_600_000);
      const notebook = Buffer.from(name);
      const { id } = await handIn(lti.store, { assignmentId, learnerId, notebook, at: handedInAt });
      await addGrading(lti.store, {
        submissionId: id,
        report: report(score),
        graderVersion: '1',
        by: 'test',
      });
    };
    // In time: 6. Two hours late: one day has begun, 8 × 0.5 = 4. By hand 9 instead of 2, in time.
    await hand('Ada Byron', -1, 6);
    await hand('Bob', 2, 8);
    await hand('Carla Cruz', -1, 2);
    await addMark(lti.store, {
      assignmentId,
      learnerId: await idOf('Carla Cruz'),
      exercise: 'bert/one',
      points: 9,
      comment: 'a typing error',
      by: 'Grace',
    });
    const { ask } = await lti.grace();
    const send = async (): Promise<PassedMarkView[]> =>
      jsonOf(ask('POST', `/api/rooms/${lti.room.id}/chapters/03-bert/passback`));
    const told = (results: PassedMarkView[]) =>
      Object.fromEntries(results.map(({ name, outcome, points }) => [name, `${outcome} ${points}`]));
    lti.platform.failures = [503];
    const first = told(await send());
    expect(first).toMatchObject({
      'Ada Byron': 'sent 6',
      Bob: 'sent 4',
      'Carla Cruz': 'sent 9',
      Dan: 'unmarked null',
    });
    const sent = lti.platform.scores.map(({ body }) => [
      body.userId,
      body.scoreGiven,
      body.scoreMaximum,
      body.comment,
    ]);
    // Several are under way at once.
    expect(sent.sort()).toEqual([
      ['student-1', 6, 10, undefined],
      ['student-2', 4, 10, undefined],
      ['student-3', 9, 10, 'a typing error'],
    ]);
    const second = told(await send());
    expect(second).toMatchObject({
      'Ada Byron': 'unchanged 6',
      Bob: 'unchanged 4',
      'Carla Cruz': 'unchanged 9',
    });
    expect(lti.platform.scores).toHaveLength(3);
    // Two at once make one column and send nothing twice.
    await addMark(lti.store, { assignmentId, learnerId: await idOf('Bob'), points: 10, by: 'Grace' });
    await Promise.all([send(), send()]);
    expect(lti.platform.scores.slice(3).map(({ body }) => [body.userId, body.scoreGiven])).toEqual([
      ['student-2', 10],
    ]);
    expect(lti.platform.lineItems).toEqual([
      { label: '03-BERT', scoreMaximum: 10, resourceLinkId: 'link-1' },
    ]);
  });

  it('of a course gets the marks of its own people alone', async () => {
    const elsewhere = { [`${CLAIM}context`]: { id: 'course-5' } };
    lti.platform.people.set('grace of course 5', {
      ...elsewhere,
      sub: 'teacher-1',
      [`${CLAIM}roles`]: [INSTRUCTOR],
      [`${CLAIM}custom`]: { chapter: '03-bert', room: lti.room.code },
    });
    lti.platform.people.set('bob of course 5', { ...elsewhere, sub: 'student-2', name: 'Bob' });
    await new Visitor().launch(lti.at('grace of course 5', 'link-5'));
    await new Visitor().launch(lti.at('bob of course 5', 'link-5'));
    const before = lti.platform.scores.length;
    const { ask } = await lti.grace();
    await ask('POST', `/api/rooms/${lti.room.id}/chapters/03-bert/passback`);
    expect(lti.platform.scores.slice(before).map(({ url, body }) => [url, body.userId])).toEqual([
      ['/lineitems/2/scores?course=1', 'student-2'],
    ]);
  });

  it('gets no mark from whoever may not mark, and none of a chapter without a link', async () => {
    const path = `/api/rooms/${lti.room.id}/chapters/03-bert/passback`;
    expect((await new Visitor().post(`${lti.tool}${path}`, {})).status).toBe(401);
    const bare = await createRoom(lti.store, { title: 'Bare', by: 'test' });
    await setAssignment(lti.store, { roomId: bare.id, chapter: '03-bert', by: 'test' });
    const { ask } = await lti.grace();
    const refused = await ask('POST', `/api/rooms/${bare.id}/chapters/03-bert/passback`);
    expect([refused.status, (await jsonOf(refused)).message]).toEqual([
      409,
      'no link of a platform leads to this chapter; open one there first, as its instructor',
    ]);
  });

  it('tells who is in the course: learners who are there, and nobody twice', async () => {
    const member = (user_id: string, name: string, more: object = {}) => ({
      user_id,
      name,
      email: `${user_id}@example.org`,
      roles: ['Learner'],
      ...more,
    });
    lti.platform.members = [
      [member('student-1', 'Ada Byron'), member('student-6', 'Finn')],
      [
        member('student-7', 'Gia', { roles: [LEARNER] }),
        member('student-8', 'Gone', { status: 'Inactive' }),
        member('teacher-1', 'Grace Hopper', { roles: [INSTRUCTOR] }),
      ],
    ];
    const { ask } = await lti.grace();
    const pull = async () => jsonOf(ask('POST', `/api/rooms/${lti.room.id}/pull-roster`));
    expect(await pull()).toEqual({ added: 2, matched: 0, unchanged: 1, passedOver: 2 });
    expect(await pull()).toEqual({ added: 0, matched: 0, unchanged: 3, passedOver: 2 });
    const names = (await learnersOf(lti.store, lti.room.id)).map(({ displayName }) => displayName);
    expect(names).toEqual(expect.arrayContaining(['Finn', 'Gia']));
    expect(names).not.toContain('Gone');
  });
});
