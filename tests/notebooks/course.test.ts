import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { generateNotebooks, loadMasters, NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { notebookOf } from '../../src/notebook/ipynb.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-course-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('making the notebooks of a folder', () => {
  it('writes what is missing, leaves what is current, and says which', async () => {
    await writeFile(join(folder, '01-a.ts'), '// %% [markdown]\n// # A\n');
    await writeFile(join(folder, 'notes.ts'), 'not a master');
    const out = join(folder, 'out');
    const states = async (check: boolean): Promise<string[]> =>
      (await generateNotebooks({ source: folder, out, check })).map(({ state }) => state);
    expect(await states(true)).toEqual(['stale']);
    expect(await states(false)).toEqual(['written']);
    expect(await states(false)).toEqual(['current']);
    expect(await readdir(out)).toEqual(['01-a.ipynb']);
    await writeFile(join(folder, '01-a.ts'), '// %% [markdown]\n// # B\n');
    expect(await states(true)).toEqual(['stale']);
    expect(await readFile(join(out, '01-a.ipynb'), 'utf8')).toContain('# A');
  });

  it('refuses to write solutions over the released notebooks', async () => {
    const attempt = generateNotebooks({ variant: 'solved', out: NOTEBOOKS_FOLDER });
    await expect(attempt).rejects.toThrow('solved notebooks would overwrite the released ones');
  });

  it('writes the translation of each cell that has one, English elsewhere, and says which language it is', async () => {
    const text =
      '// %% [markdown]\n// # A\n\n// %% [markdown] lang=de\n// # Ein A\n\n// %% [markdown]\n// # B\n';
    await writeFile(join(folder, '01-a.ts'), text);
    const out = join(folder, 'out');
    await generateNotebooks({ source: folder, out, language: 'de' });
    const notebook: unknown = JSON.parse(await readFile(join(out, '01-a.ipynb'), 'utf8'));
    expect(notebook).toMatchObject({
      metadata: { lab: { chapter: '01-a', language: 'de' } },
      cells: [{ source: ['# Ein A'] }, { source: ['# B'] }],
    });
    await generateNotebooks({ source: folder, out });
    const english: unknown = JSON.parse(await readFile(join(out, '01-a.ipynb'), 'utf8'));
    expect(english).toMatchObject({ cells: [{ source: ['# A'] }, { source: ['# B'] }] });
  });

  it('gives a cell the same id in every language, so that a submission can be graded', async () => {
    const [master] = await loadMasters();
    if (master === undefined) throw new Error('there is a chapter');
    const translated = master.cells.map((cell) =>
      'text' in cell
        ? { ...cell, text: new Map([...cell.text, ['de', `# Anders\n${cell.text.get('en')}`]]) }
        : cell,
    );
    const ids = (language: string): string[] =>
      notebookOf({ ...master, cells: translated }, { language }).cells.map(({ id }) => id);
    expect(ids('de')).toEqual(ids('en'));
  });

  it('refuses to write a translation over the English notebooks', async () => {
    const attempt = generateNotebooks({ language: 'de', out: NOTEBOOKS_FOLDER });
    await expect(attempt).rejects.toThrow('translated notebooks would overwrite the English ones');
  });

  it('refuses a language it has no words for, a folder without masters, and a master that is not UTF-8', async () => {
    await expect(generateNotebooks({ language: 'xx', out: folder })).rejects.toThrow('unknown language "xx"');
    await expect(loadMasters(folder)).rejects.toThrow(InputError);
    await writeFile(join(folder, '01-a.ts'), Uint8Array.from([0x2f, 0x2f, 0xff]));
    await expect(loadMasters(folder)).rejects.toThrow('cannot read the master');
  });
});

describe('the course', () => {
  it('gives away no solution: what is between the markers is nowhere else in a released notebook', async () => {
    const given: string[] = [];
    for (const master of await loadMasters()) {
      const released = new Set(
        notebookOf(master).cells.flatMap(({ source }) => source.map((line) => line.trim())),
      );
      for (const cell of master.cells) {
        if (cell.kind !== 'answer') continue;
        const stub = new Set(cell.released.split('\n').map((line) => line.trim()));
        const secret = cell.solved.split('\n').map((line) => line.trim());
        const own = secret.filter((line) => line.length > 20 && !stub.has(line));
        if (own.length > 0 && own.every((line) => released.has(line))) given.push(cell.exercise);
      }
    }
    expect(given).toEqual([]);
  });

  it('has a check after each answer, a quiz, and further reading in every chapter', async () => {
    for (const master of await loadMasters()) {
      const text = master.cells.map((cell) =>
        'source' in cell ? cell.source : 'text' in cell ? cell.text.get('en') : '',
      );
      for (const cell of master.cells) {
        if (cell.kind === 'answer')
          expect(text.join('\n'), master.name).toContain(`check('${cell.exercise}'`);
      }
      expect(text.join('\n'), master.name).toContain('quiz([');
      expect(text.at(-1), master.name).toMatch(/## Further reading/);
    }
  });
});
