import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chapterOf } from '../../grader/chapter.ts';
import { findSubmissions } from '../../grader/intake.ts';
import { fileNameOf } from '../../grader/report/names.ts';
import { gradesCsv } from '../../grader/report/tables.ts';
import { findAnswer, parseSubmission } from '../../grader/submission.ts';
import { readZip, writeZip } from '../../grader/zip.ts';
import { InputError } from '../../src/errors.ts';
import { loadMasters } from '../../src/notebook/course.ts';
import { serializeNotebook } from '../../src/notebook/ipynb.ts';
import { COURSE, tinyNotebook } from './notebooks.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lab-intake-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('what is handed in', () => {
  it('is a notebook, a folder or a zip a learner; hidden files and checkpoints are none', async () => {
    writeFileSync(path.join(folder, 'ada.ipynb'), '{}');
    mkdirSync(path.join(folder, 'bob', '.ipynb_checkpoints'), { recursive: true });
    writeFileSync(path.join(folder, 'bob', 'work.ipynb'), '{}');
    writeFileSync(path.join(folder, 'bob', '.ipynb_checkpoints', 'old.ipynb'), '{}');
    writeFileSync(
      path.join(folder, 'cyd.zip'),
      writeZip([{ name: 'deep/er/work.ipynb', bytes: bytes('{}') }]),
    );
    writeFileSync(path.join(folder, '.DS_Store'), 'x');
    mkdirSync(path.join(folder, 'dan'));
    mkdirSync(path.join(folder, 'eve'));
    for (const name of ['1.ipynb', '2.ipynb']) writeFileSync(path.join(folder, 'eve', name), '{}');
    const found = await findSubmissions(folder);
    expect(found.map(({ learner }) => learner)).toEqual(['ada', 'bob', 'cyd', 'dan', 'eve/1', 'eve/2']);
    await expect(found[3]?.read()).rejects.toThrow('holds no notebook');
  });

  it('follows no link out of the folder', async () => {
    writeFileSync(path.join(folder, 'secret'), 'secret');
    const inside = path.join(folder, 'in');
    mkdirSync(inside);
    symlinkSync(path.join(folder, 'secret'), path.join(inside, 'mallory.ipynb'));
    symlinkSync(folder, path.join(inside, 'trent'));
    symlinkSync('/dev/zero', path.join(inside, 'zero.ipynb'));
    for (const { read } of await findSubmissions(inside))
      await expect(read()).rejects.toThrow('a link or cannot be opened');
  });

  it('gives two learners of one name two reports', async () => {
    writeFileSync(path.join(folder, 'ada.ipynb'), '{}');
    mkdirSync(path.join(folder, 'ada'));
    writeFileSync(path.join(folder, 'ada', 'x.ipynb'), '{}');
    const names = (await findSubmissions(folder)).map(({ learner }) => learner);
    expect(new Set(names).size).toBe(2);
  });

  it('is nothing: that is the instructor’s mistake, said in a sentence', async () => {
    await expect(findSubmissions(path.join(folder, 'none'))).rejects.toThrow(InputError);
    await expect(findSubmissions(folder)).rejects.toThrow('holds no submission');
  });
});

describe('an archive', () => {
  it('that climbs out, holds a link, is cut short or no archive at all is refused', async () => {
    for (const name of ['../../evil.ipynb', '/etc/evil.ipynb', 'a/../../evil.ipynb', 'C:\\evil.ipynb']) {
      await expect(readZip(writeZip([{ name, bytes: bytes('{}') }]))).rejects.toThrow('leads out of it');
    }
    const link = writeZip([{ name: 'x.ipynb', bytes: bytes('/etc/passwd') }]);
    const directory = link.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    link.writeUInt32LE((0o120777 << 16) >>> 0, directory + 38);
    await expect(readZip(link)).rejects.toThrow('symbolic link');
    const whole = writeZip([{ name: 'x.ipynb', bytes: bytes('{}') }]);
    await expect(readZip(whole.subarray(10))).rejects.toThrow('damaged');
    await expect(readZip(Buffer.from('hello'))).rejects.toThrow('not a zip');
  });

  it('that is a bomb costs no more memory than it says it holds', async () => {
    const bomb = writeZip([{ name: 'bomb.ipynb', bytes: bytes('{}') }]);
    const packed = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
    // A local entry whose data inflate to 64 MiB behind a directory that says 2 bytes.
    const forged = Buffer.concat([
      bomb.subarray(0, 30 + 'bomb.ipynb'.length),
      packed,
      bomb.subarray(30 + 'bomb.ipynb'.length + 4),
    ]);
    const directory = forged.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    forged.writeUInt32LE(packed.length, directory + 20);
    forged.writeUInt32LE(directory, forged.length - 6);
    const [entry] = await readZip(forged);
    await expect(entry?.read()).rejects.toThrow('damaged or larger than it says');
  });

  it('reads back what was packed', async () => {
    const [entry] = await readZip(writeZip([{ name: 'ü/x.ipynb', bytes: bytes('{"ä":1}') }]));
    expect(entry?.name).toBe('ü/x.ipynb');
    expect(Buffer.from((await entry?.read()) ?? []).toString()).toBe('{"ä":1}');
  });
});

describe('a notebook by a stranger', () => {
  const parse = (value: unknown): ReturnType<typeof parseSubmission> =>
    parseSubmission(bytes(JSON.stringify(value)));

  it('of a million cells, of no cells, of another format or of deep nesting is refused in a sentence', () => {
    const cells = `[${'1,'.repeat(999_999)}1]`;
    expect(() => parseSubmission(bytes(`{"nbformat":4,"cells":${cells}}`))).toThrow('1000000 cells');
    expect(() => parse({ nbformat: 4 })).toThrow('not a notebook');
    expect(() => parse({ nbformat: 3, cells: [] })).toThrow('format 3');
    expect(() => parseSubmission(new Uint8Array([0xff, 0xfe, 0x00]))).toThrow('not a notebook');
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(() => parseSubmission(bytes(`{"nbformat":4,"cells":[],"metadata":{"x":${deep}}}`))).not.toThrow(
      RangeError,
    );
    expect(() => parseSubmission(new Uint8Array(40 * 1024 * 1024))).toThrow('larger than 32 MiB');
  });

  it('whose cells are oddly typed does not throw', () => {
    const odd = [
      null,
      1,
      'x',
      [],
      { cell_type: 7 },
      { cell_type: 'code', source: 3 },
      { cell_type: 'code', source: 'x', metadata: { lab: { exercise: 5 } }, id: {} },
    ];
    expect(
      parse({ nbformat: 4, cells: odd, metadata: { lab: 3, __proto__: { chapter: 'x' } } }).cells,
    ).toHaveLength(1);
  });

  it('has its answers found when cells were renamed, retyped, doubled, stripped or reordered', async () => {
    const [master] = await loadMasters(COURSE);
    if (master === undefined) throw new Error('the tiny chapter is missing');
    const chapter = chapterOf(master);
    const pooler = chapter.answers.find(({ exercise }) => exercise === 'bert/pooler');
    if (pooler === undefined) throw new Error('the tiny chapter has no pooler');
    const find = async (change: (cell: Record<string, unknown>) => unknown[]) => {
      const notebook = await tinyNotebook('solved');
      const cells = notebook.cells
        .flatMap((cell) => (cell.id === pooler.id ? change({ ...cell }) : [cell]))
        .reverse();
      return findAnswer(parse({ ...notebook, cells }), pooler, 'bertPooler');
    };
    const { solution } = pooler;
    expect(await find((cell) => [{ ...cell, metadata: {} }])).toMatchObject({
      source: solution,
      notices: [/found by its id/].map((text) => expect.stringMatching(text)),
    });
    expect(await find((cell) => [{ ...cell, metadata: {}, id: 'x' }])).toMatchObject({
      source: solution,
      notices: [expect.stringContaining('another cell declares')],
    });
    expect(await find((cell) => [{ ...cell, cell_type: 'raw' }])).toMatchObject({
      source: solution,
      notices: [expect.stringContaining('was a raw cell')],
    });
    expect(await find((cell) => [cell, { ...cell, source: pooler.stub }])).toMatchObject({
      source: solution,
      notices: [expect.stringContaining('2 cells')],
    });
    expect(await find(() => [])).toMatchObject({
      source: undefined,
      notices: [expect.stringContaining('missing')],
    });
    expect(await find((cell) => [cell])).toEqual({ source: solution, notices: [] });
  });

  it('runs only what its answer needs, not the training between', async () => {
    const [master] = await loadMasters(COURSE);
    if (master === undefined) throw new Error('the tiny chapter is missing');
    const before = chapterOf(master).before('bert/pooler', 'const x = trained;');
    expect(before.map(({ source }) => source).join('\n')).not.toContain('3_600_000');
    expect(before.map(({ source }) => source).join('\n')).toContain('clsPosition = 0');
    expect(serializeNotebook(await tinyNotebook('released'))).toContain('is not written yet');
  });
});

describe('names of learners', () => {
  it('make file names that stay in their folder and do not collide', () => {
    const names = [
      'ada',
      'Ada',
      '../../etc/passwd',
      '..',
      'CON',
      'a/b',
      'a_b',
      '',
      '=cmd()',
      'ä',
      '.hidden',
      'x'.repeat(300),
    ].map(fileNameOf);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_@+][A-Za-z0-9._@+-]{0,120}$/);
  });

  it('are no formulas in the table', () => {
    const report = {
      file: 'x',
      chapter: null,
      seed: '',
      verdict: 'fail',
      score: 0,
      points: 0,
      notices: ['a,"b"'],
      exercises: [],
    } as const;
    const [, row] = gradesCsv([{ ...report, learner: '=HYPERLINK("evil")' }]).split('\r\n');
    expect(row).toBe(`"'=HYPERLINK(""evil"")",x,,fail,0,0,,"a,""b"""`);
  });
});
