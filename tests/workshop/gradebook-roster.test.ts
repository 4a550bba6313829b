import { describe, expect, it } from 'vitest';
import { exportBook } from '../../src/workshop/gradebook/exports.ts';
import type { Mark } from '../../src/workshop/gradebook/policy.ts';
import { parseRoster } from '../../src/workshop/gradebook/roster.ts';
import type { Book } from '../../src/workshop/store/gradebook.ts';
import { joinRoom, learnersOf } from '../../src/workshop/store/learners.ts';
import { createRoom } from '../../src/workshop/store/rooms.ts';
import { importRoster } from '../../src/workshop/store/roster.ts';
import { onBothEngines } from './store-engines.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const roster = (text: string) => parseRoster(bytes(text));

describe('a roster', () => {
  it('is read with a byte order mark, quotes, semicolons and Windows line ends', () => {
    expect(
      roster(
        '\u{feff}Name;E-Mail;ID;Group\r\n"Byron; Ada";ada@example.org;00123;A\r\n\r\n"Eve ""E"" X";;;\r\n',
      ),
    ).toEqual([
      { line: 2, displayName: 'Byron; Ada', email: 'ada@example.org', externalId: '00123', group: 'A' },
      { line: 4, displayName: 'Eve "E" X' },
    ]);
  });

  it('is read as Moodle, Gradescope and Canvas write it', () => {
    const ada = { displayName: 'Ada Byron', email: 'ada@example.org', externalId: '7' };
    expect(
      roster('First name,Last name,ID number,Email address\nAda,Byron,7,ada@example.org\n'),
    ).toMatchObject([ada]);
    expect(roster('First Name,Last Name,SID,Email,Sections\nAda,Byron,7,ada@example.org,B\n')).toMatchObject([
      { ...ada, group: 'B' },
    ]);
    const canvas =
      'Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"Byron, Ada",4711,7,ada,B\n';
    expect(roster(canvas)).toEqual([{ line: 3, displayName: 'Byron, Ada', externalId: '7', group: 'B' }]);
  });

  it.each([
    ['', 'the file is empty'],
    ['name,email\n', 'holds the names of the columns and nobody'],
    [
      'mail,id\na@b.org,1\n',
      'line 1: there is no column “name”, nor “first name” and “last name”; found: mail, id',
    ],
    ['name,name\nA,B\n', 'line 1: two columns are called “name”'],
    ['name,email\nAda,a@b.org\nBob\n', 'line 3: has 1 cells'],
    ['name,email\nAda,a@b.org\n"Bob,b@b.org\n', 'a quote that was opened before is not closed'],
    ['name,email\nAda,a@b.org\nB"o"b,b@b.org\n', 'line 3: a quote stands in the middle of a cell'],
    ['name,email\nAda,a@b.org\n,b@b.org\n', 'line 3: has no name'],
    ['name\nAda\nBob\naDA \n', 'line 4: aDA has the same name as Ada in line 2'],
    ['name,email\nAda,a@b.org\nBob,A@B.org\n', 'line 3: Bob has the same e-mail as Ada in line 2'],
    ['name,id\nAda,1\nBob,1\n', 'line 3: Bob has the same id as Ada in line 2'],
    ['name,email\nAda,nowhere\n', 'line 2: “nowhere” is no e-mail address'],
    ['name\n=HYPERLINK(A1)\n', 'line 2: “=HYPERLINK(A1)” begins like a formula'],
    ['name,group\nAda,@SUM(A1)\n', 'line 2: “@SUM(A1)” begins like a formula'],
    ['name,group\nAda,+1\n', 'begins like a formula'],
    ['name,group\nAda,-1\n', 'begins like a formula'],
    ['name\nA\u202eda\n', 'line 2: holds a control character'],
    [`name\n${'x'.repeat(61)}\n`, 'has more than 60 characters'],
    ['name\nA\0da\n', 'line 2: holds a zero byte'],
  ])('is refused: %j', (text, sentence) => {
    expect(() => roster(text)).toThrow(sentence);
  });

  it('is refused in another encoding, with the line', () => {
    const latin = Buffer.from('name\nAda\nJosé\n', 'latin1');
    expect(() => parseRoster(latin)).toThrow('line 3: is not UTF-8; save the file as “CSV UTF-8”');
    expect(() => parseRoster(Buffer.from('\u{feff}name\nAda\n', 'utf16le'))).toThrow(
      'line 1: the file is UTF-16',
    );
  });
});

onBothEngines('importing a roster', (engine) => {
  const monday = () => createRoom(engine().store, { title: 'Monday', by: 'test' });
  const give = (roomId: number, text: string) => importRoster(engine().store, roomId, roster(text), 'Eve');

  it('adds, changes and leaves alone; again it changes nothing', async () => {
    const room = await monday();
    const { learner } = await joinRoom(engine().store, { room, displayName: 'Ada' });
    const text = 'name,email,id,group\nada,a@b.org,1,A\nBob,b@b.org,2,a\n';
    expect(await give(room.id, text)).toEqual({ added: 1, changed: 1, unchanged: 0 });
    expect(await give(room.id, text)).toEqual({ added: 0, changed: 0, unchanged: 2 });
    const people = await learnersOf(engine().store, room.id);
    expect(people).toMatchObject([
      { id: learner.id, displayName: 'ada', externalId: '1' },
      { displayName: 'Bob', joinedAt: null },
    ]);
    expect(people[0]?.groupId).toBe(people[1]?.groupId);
    // Married since: found by the number.
    expect(await give(room.id, 'name,id\nBob Byron,2\n')).toEqual({ added: 0, changed: 1, unchanged: 0 });
  });

  it('imports nothing if a line is refused', async () => {
    const room = await monday();
    await give(room.id, 'name,id\nAda,1\nBob,2\n');
    await expect(give(room.id, 'name,id\nNew,9\nAda,2\n')).rejects.toThrow(
      'line 3: somebody else in the room is called “Ada” already',
    );
    await expect(give(room.id, 'name,id\nNew,9\nAda,3\n')).rejects.toThrow(
      'line 3: Ada has the id 3 here and 1',
    );
    expect((await learnersOf(engine().store, room.id)).map(({ displayName }) => displayName)).toEqual([
      'Ada',
      'Bob',
    ]);
  });

  it('keeps a name on the roster for who knows the e-mail or number', async () => {
    const room = await monday();
    await give(room.id, 'name,email,id\nAda,a@b.org,1\n');
    const join = (identity?: string) =>
      joinRoom(engine().store, { room, displayName: 'Ada', ...(identity === undefined ? {} : { identity }) });
    await expect(join()).rejects.toThrow('“Ada” is on the roster of this room');
    await expect(join('2')).rejects.toThrow('join as “Ada 2”');
    await expect(join('')).rejects.toThrow('on the roster');
    expect((await join(' A@b.org')).learner).toMatchObject({ displayName: 'Ada', externalId: '1' });
    await expect(join('1')).rejects.toThrow('in this room already');
  });
});

describe('exports', () => {
  const learner = (id: number, displayName: string, email: string | null, externalId: string | null) => ({
    ...{ id, roomId: 1, displayName, pseudonym: false, email, externalId },
    ...{ groupId: null, joinedAt: null, lastSeenAt: null },
  });
  const mark = (points: number | null, more: Partial<Mark> = {}): Mark => ({
    ...{ status: points === null ? 'missing' : 'graded', points, automatic: points, outOf: 20, attempt: 1 },
    ...{ daysLate: 0, factor: 1, manual: false, comments: [], ...more },
  });
  const assignment = {
    id: 1,
    roomId: 1,
    chapter: '03-bert',
    title: 'BERT',
    open: true,
    dueAt: null,
    policy: {},
    releasedAt: null,
  };
  const book: Book = {
    assignments: [assignment, { ...assignment, id: 2, chapter: '04-roberta', title: 'RoBERTa, "robust"' }],
    rows: [
      {
        learner: learner(1, 'Ada King Byron', 'ada@example.org', '007'),
        group: 'A',
        marks: [mark(17.5, { daysLate: 2 }), mark(null, { attempt: null })],
      },
      {
        learner: learner(2, '=cmd|calc', null, null),
        group: null,
        marks: [mark(0, { comments: [{ exercise: 'bert/pooler', comment: '-1 for style' }] }), mark(20)],
      },
    ],
  };
  const lines = (format: Parameters<typeof exportBook>[1]) => exportBook(book, format).split('\r\n');

  it('are in Canvas’s layout', () => {
    expect(lines('canvas')).toEqual([
      'Student,ID,SIS User ID,SIS Login ID,Section,BERT,"RoBERTa, ""robust"""',
      '    Points Possible,,,,,20,20',
      '"Byron, Ada King",,007,ada@example.org,A,17.5,',
      `'=cmd|calc,,,,,0,20`,
      '',
    ]);
  });

  it('are in Moodle’s layout', () => {
    expect(lines('moodle')).toEqual([
      'First name,Last name,ID number,Email address,BERT (Real),BERT (Feedback),"RoBERTa, ""robust"" (Real)","RoBERTa, ""robust"" (Feedback)"',
      'Ada King,Byron,007,ada@example.org,17.5,,,',
      `'=cmd|calc,,,,0,bert/pooler: -1 for style,20,`,
      '',
    ]);
  });

  it('are in Gradescope’s layout', () => {
    expect(lines('gradescope').slice(1)).toEqual([
      'Ada King,Byron,007,ada@example.org,A,17.5,20,48:00:00,,20,',
      `'=cmd|calc,,,,,0,20,0:00:00,20,20,0:00:00`,
      '',
    ]);
  });

  it('say everything in our own', () => {
    expect(lines('csv')[1]).toBe(
      'Ada King Byron,ada@example.org,007,A,03-bert,graded,17.5,20,17.5,1,2,1,no,',
    );
    expect(lines('csv')).toHaveLength(6);
  });
});
