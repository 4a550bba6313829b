import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { parseMaster } from '../../src/notebook/master.ts';

const MASTER = `// A comment before the first cell belongs to nobody.

// %% [markdown]
// # Chapter
//
// Some *prose*.

// %% [markdown] lang=de
// # Kapitel

// %%
import { readFile } from 'node:fs';

// %% [exercise] bert/pooler difficulty=2 minutes=15
// ## The pooler
// Write it.
// <!-- hint -->
// Look at the first token.
// <!-- hint -->
// [B, T, D] to [B, D]
// <!-- hint -->
// tanh(W h + b)

// %% [answer] bert/pooler
function pooler(x: number): number {
  const first = x;
  // BEGIN SOLUTION
  return Math.tanh(first);
  // END SOLUTION
  //| // your code
  //| throw new Error('pooler is not written yet');
}

// %%
pooler(1);

// %%
pooler(1);
`;

const sources = (variant: 'released' | 'solved', language = 'en'): string[] =>
  notebookOf(parseMaster(MASTER, '03-bert.ts'), { variant, language }).cells.map((cell) =>
    cell.source.join(''),
  );

describe('a master', () => {
  it('becomes a released notebook with the stub in place of the solution', () => {
    expect(sources('released')[3]).toBe(`function pooler(x: number): number {
  const first = x;
  // your code
  throw new Error('pooler is not written yet');
}`);
  });

  it('becomes a solved notebook with the solution and no trace of the stub or the markers', () => {
    expect(sources('solved')[3]).toBe(`function pooler(x: number): number {
  const first = x;
  return Math.tanh(first);
}`);
  });

  it('folds three hints under the task, whose label says id, difficulty and minutes', () => {
    const task = sources('released')[2] ?? '';
    expect(task.split('\n').slice(0, 3)).toEqual([
      '## The pooler',
      '',
      '`bert/pooler` · difficulty ●●○○○ · about 15 minutes',
    ]);
    expect(task.match(/<details>/g)).toHaveLength(3);
    expect(task).toContain('<summary>Hint 3: the formula and its source</summary>\n\ntanh(W h + b)');
  });

  it('takes the translation where there is one and English elsewhere', () => {
    expect(sources('released', 'de')[0]).toBe('# Kapitel');
    expect(sources('released', 'de')[2]).toContain('Hint 1');
    expect(sources('released')[0]).toBe('# Chapter\n\nSome *prose*.');
  });

  it('gives every cell a legal id of its own, the same each time', () => {
    const ids = (): string[] => notebookOf(parseMaster(MASTER, '03-bert.ts')).cells.map((cell) => cell.id);
    expect(new Set(ids()).size).toBe(6);
    for (const id of ids()) expect(id).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
    expect(ids()).toEqual(ids());
    expect(ids().slice(-2)).toEqual(['pooler-1', 'pooler-1-2']);
  });

  it('marks answer cells for the grader and leaves no outputs', () => {
    const notebook = notebookOf(parseMaster(MASTER, '03-bert.ts'));
    const answers = notebook.cells.filter((cell) => 'lab' in cell.metadata && cell.cell_type === 'code');
    expect(answers.map((cell) => cell.metadata.lab)).toEqual([{ exercise: 'bert/pooler', kind: 'answer' }]);
    expect(notebook.cells.every((cell) => cell.cell_type === 'markdown' || cell.outputs?.length === 0)).toBe(
      true,
    );
    expect(JSON.parse(serializeNotebook(notebook))).toEqual(notebook);
  });

  it('reads the same with Windows line ends', () => {
    expect(parseMaster(MASTER.replaceAll('\n', '\r\n'), '03-bert.ts')).toEqual(
      parseMaster(MASTER, '03-bert.ts'),
    );
  });
});

describe('a malformed master is refused with its file, line and reason', () => {
  const cases: [string, (text: string) => string, string][] = [
    ['no cell at all', () => 'const a = 1;\n', '03-bert.ts:1: a master needs at least one cell'],
    [
      'code before the first cell',
      (t) => `const a = 1;\n${t}`,
      '03-bert.ts:1: code stands before the first cell',
    ],
    [
      'an unknown kind',
      (t) => t.replace('[answer]', '[anwser]'),
      '03-bert.ts:24: unknown kind of cell [anwser]',
    ],
    [
      'an unknown attribute',
      (t) => t.replace('minutes=', 'hours='),
      '03-bert.ts:14: unknown attribute "hours=15"',
    ],
    ['a difficulty out of range', (t) => t.replace('difficulty=2', 'difficulty=9'), 'from 1 to 5, got "9"'],
    ['minutes missing', (t) => t.replace(' minutes=15', ''), 'minutes= must be a whole number'],
    ['an id that is none', (t) => t.replace('] bert/pooler d', '] pooler d'), 'expected one exercise id'],
    ['two hints', (t) => t.replace('// <!-- hint -->\n', ''), 'needs 3 hints, this one has 2 in "en"'],
    ['a solution left open', (t) => t.replace('  // END SOLUTION\n', ''), 'must follow END SOLUTION'],
    [
      'a solution never begun',
      (t) => t.replace('  // BEGIN SOLUTION\n', ''),
      'END SOLUTION without BEGIN SOLUTION',
    ],
    ['no stub', (t) => t.replace(/ *\/\/\|.*\n/g, ''), 'END SOLUTION must be followed by stub lines'],
    ['no answer cell', (t) => t.replace('// %% [answer] bert/pooler', '// %%'), 'outside an [answer] cell'],
    [
      'an answer without a task',
      (t) => t.replace('[answer] bert/pooler', '[answer] bert/other'),
      'needs exactly one',
    ],
    ['code within prose', (t) => t.replace('// # Chapter', '# Chapter'), '03-bert.ts:4: every line of prose'],
    [
      'a translation of nothing',
      (t) => t.replace('// %% [markdown]\n', '// %%\n'),
      'must follow the [markdown] cell',
    ],
    [
      'a second translation',
      (t) => t.replace('// %%\nimport', '// %% [markdown] lang=de\n// x\n// %%\nimport'),
      'already',
    ],
  ];
  it.each(cases)('%s', (_name, edit, message) => {
    const parse = () => parseMaster(edit(MASTER), '03-bert.ts');
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
  });
});
