import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  latestByRoom,
  mistakeCounts,
  type NewCheck,
  recordChecks,
  timeline,
} from '../../src/workshop/store/checks.ts';
import { joinRoom, learnerByToken, learnersOf } from '../../src/workshop/store/learners.ts';
import { showCode } from '../../src/workshop/store/names.ts';
import {
  addMessage,
  changeRoom,
  createRoom,
  findRoomByCode,
  messagesSince,
  setAssignment,
} from '../../src/workshop/store/rooms.ts';
import { onBothEngines } from './store-engines.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 5, 9, minute));
const check = (
  exercise: string,
  verdict: NewCheck['verdict'],
  minute: number,
  mistake?: string,
): NewCheck => ({
  clientId: randomUUID(),
  exercise,
  verdict,
  checkedAt: at(minute),
  ...(mistake === undefined ? {} : { mistake, code: `// ${mistake}` }),
});

onBothEngines('rooms', (engine) => {
  const room = (title = 'Monday') => createRoom(engine().store, { title, by: 'test' });
  const learner = async (roomId: Awaited<ReturnType<typeof room>>, displayName = 'Ada') =>
    (await joinRoom(engine().store, { room: roomId, displayName })).learner;

  it('finds a room by its code however it is typed', async () => {
    const { id, code } = await room();
    const typed = ` ${showCode(code).toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')} `;
    expect((await findRoomByCode(engine().store, typed))?.id).toBe(id);
    expect(await findRoomByCode(engine().store, 'nope')).toBeUndefined();
  });

  it('lets one name in once, in any case, and suggests another', async () => {
    const monday = await room();
    await joinRoom(engine().store, { room: monday, displayName: 'Ädä  Byron' });
    await expect(joinRoom(engine().store, { room: monday, displayName: 'äDÄ Byron ' })).rejects.toThrow(
      'somebody called “äDÄ Byron” is in this room already; join as “äDÄ Byron 2”, for example',
    );
    const other = await room('Tuesday');
    await expect(joinRoom(engine().store, { room: other, displayName: 'Ädä Byron' })).resolves.toBeDefined();
  });

  it('brings a learner back by their own token and by no other room’s', async () => {
    const monday = await room();
    const first = await joinRoom(engine().store, { room: monday, displayName: 'Ada' });
    const again = await joinRoom(engine().store, { room: monday, displayName: 'Ada', token: first.token });
    expect(again.learner.id).toBe(first.learner.id);
    expect(again.token).toBe(first.token);
    expect((await learnerByToken(engine().store, first.token))?.room.id).toBe(monday.id);
    const tuesday = await room('Tuesday');
    const there = await joinRoom(engine().store, { room: tuesday, displayName: 'Ada', token: first.token });
    expect(there.learner.id).not.toBe(first.learner.id);
    expect(await learnerByToken(engine().store, 'guessed')).toBeUndefined();
  });

  it('refuses joining a closed or an expired room', async () => {
    const closed = await changeRoom(engine().store, (await room('Shut')).id, { closed: true, by: 'test' });
    await expect(joinRoom(engine().store, { room: closed, displayName: 'Ada' })).rejects.toThrow(
      '“Shut” is closed',
    );
    const old = await createRoom(engine().store, { title: 'Old', expiresAt: at(0), by: 'test' });
    await expect(joinRoom(engine().store, { room: old, displayName: 'Ada' })).rejects.toThrow(
      '“Old” has expired',
    );
  });

  it('takes two joins under one name at the same moment for one', async () => {
    const monday = await room();
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => joinRoom(engine().store, { room: monday, displayName: 'Ada' })),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await learnersOf(engine().store, monday.id)).toHaveLength(1);
  });

  it('counts a check that is sent twice once', async () => {
    const { store } = engine();
    const monday = await room();
    const ada = await learner(monday);
    const one = check('bert/pooler', 'fail', 1, 'no tanh');
    const two = check('bert/pooler', 'pass', 2);
    expect((await recordChecks(store, ada.id, [one, one])).added).toHaveLength(1);
    const again = await recordChecks(store, ada.id, [one, two]);
    expect(again.accepted.sort()).toEqual([one.clientId, two.clientId].sort());
    expect(again.added.map(({ clientId }) => clientId)).toEqual([two.clientId]);
    expect(await latestByRoom(store, monday.id)).toMatchObject([{ attempts: 2, verdict: 'pass' }]);
  });

  it('knows verdict, attempts, failures since the last pass, first pass and mistake', async () => {
    const { store } = engine();
    const monday = await room();
    const ada = await learner(monday);
    await recordChecks(store, ada.id, [
      check('bert/pooler', 'fail', 1, 'no tanh'),
      check('bert/pooler', 'pass', 2),
      check('bert/pooler', 'fail', 3, 'wrong axis'),
    ]);
    await recordChecks(store, ada.id, [check('bert/pooler', 'fail', 5, 'wrong token')]);
    // From a notebook that was offline: older than what is known.
    await recordChecks(store, ada.id, [check('bert/pooler', 'pass', 0)]);
    const [cell] = await latestByRoom(store, monday.id);
    expect(cell).toEqual({
      learnerId: ada.id,
      exercise: 'bert/pooler',
      verdict: 'fail',
      mistake: 'wrong token',
      attempts: 5,
      failures: 2,
      firstAt: at(0),
      firstPassAt: at(0),
      lastAt: at(5),
    });
  });

  it('keeps nothing of a batch of which a part is refused', async () => {
    const { store } = engine();
    const monday = await room();
    const ada = await learner(monday);
    const bad = { ...check('bert/pooler', 'fail', 2), clientId: 'no uuid' };
    await expect(recordChecks(store, ada.id, [check('bert/pooler', 'pass', 1), bad])).rejects.toThrow();
    expect(await latestByRoom(store, monday.id)).toEqual([]);
  });

  it('takes a clock that runs ahead for the time of arrival', async () => {
    const { store } = engine();
    const monday = await room();
    const ada = await learner(monday);
    await recordChecks(store, ada.id, [check('bert/pooler', 'pass', 59)], at(10));
    expect(await latestByRoom(store, monday.id)).toMatchObject([{ lastAt: at(10), firstPassAt: at(10) }]);
  });

  it('counts mistakes by learners, with a sample, and buckets over time', async () => {
    const { store } = engine();
    const monday = await room();
    const [ada, bob] = [await learner(monday), await learner(monday, 'Bob')];
    const elsewhere = await learner(await room('Tuesday'));
    await recordChecks(store, ada.id, [
      check('bert/pooler', 'fail', 1, 'no tanh'),
      check('bert/pooler', 'fail', 2, 'no tanh'),
    ]);
    await recordChecks(store, ada.id, [check('bert/pooler', 'pass', 11)]);
    await recordChecks(store, bob.id, [
      check('bert/pooler', 'fail', 3, 'no tanh'),
      check('bert/mask', 'fail', 4, 'sign'),
    ]);
    await recordChecks(store, elsewhere.id, [check('bert/mask', 'fail', 4, 'sign')]);
    expect(await mistakeCounts(store, monday.id)).toEqual([
      {
        exercise: 'bert/pooler',
        mistake: 'no tanh',
        count: 3,
        learners: 2,
        stuck: 1,
        sample: { learnerId: bob.id, displayName: 'Bob', code: '// no tanh' },
      },
      {
        exercise: 'bert/mask',
        mistake: 'sign',
        count: 1,
        learners: 1,
        stuck: 1,
        sample: { learnerId: bob.id, displayName: 'Bob', code: '// sign' },
      },
    ]);
    expect(await mistakeCounts(store, monday.id, 'bert/mask')).toHaveLength(1);
    expect(await timeline(store, monday.id, 10)).toEqual([
      { at: at(0), checks: 4, passes: 0, firstPasses: 0, learners: 2 },
      { at: at(10), checks: 1, passes: 1, firstPasses: 1, learners: 1 },
    ]);
  });

  it('shows a learner the messages for all and their own', async () => {
    const { store } = engine();
    const monday = await room();
    const [ada, bob] = [await learner(monday), await learner(monday, 'Bob')];
    const say = (text: string, learnerId?: number) =>
      addMessage(store, {
        roomId: monday.id,
        kind: 'hint',
        text,
        by: 'test',
        ...(learnerId ? { learnerId } : {}),
      });
    const first = await say('to all');
    await say('to Ada', ada.id);
    const texts = async (learnerId?: number, after = 0) =>
      (await messagesSince(store, monday.id, { after, ...(learnerId ? { learnerId } : {}) })).map(
        ({ text }) => text,
      );
    expect(await texts(ada.id)).toEqual(['to all', 'to Ada']);
    expect(await texts(bob.id)).toEqual(['to all']);
    expect(await texts(undefined, first.id)).toEqual(['to Ada']);
  });

  it('changes of an assignment only what is given', async () => {
    const { store } = engine();
    const monday = await room();
    const given = { roomId: monday.id, chapter: '03-bert', by: 'test' };
    await setAssignment(store, { ...given, title: 'BERT', dueAt: at(30) });
    const opened = await setAssignment(store, { ...given, open: true });
    expect(opened).toMatchObject({ title: 'BERT', dueAt: at(30), open: true });
    expect(await setAssignment(store, given)).toEqual(opened);
  });
});
