import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateStories } from '../../datasets/generators/stories.ts';
import {
  DATASETS_FOLDER,
  loadArithmetic,
  loadReviews,
  loadSentencePairs,
  loadStories,
  loadTextToText,
  readDocuments,
  readRecords,
  tasksOf,
} from '../../src/datasets/index.ts';
import { reviewSchema } from '../../src/datasets/records.ts';
import { InputError } from '../../src/errors.ts';

describe('the bundled data sets', () => {
  it('are what their generators make', async () => {
    await promisify(execFile)(process.execPath, [`${DATASETS_FOLDER}generate.ts`, '--check']);
  });

  it('have the checksums on their cards', async () => {
    for (const [set, file] of [
      ['stories', 'stories.txt'],
      ['reviews', 'train.jsonl'],
      ['pairs', 'test.jsonl'],
      ['arithmetic', 'train.jsonl'],
      ['text-to-text', 'test.jsonl'],
    ]) {
      const sum = createHash('sha256')
        .update(await readFile(`${DATASETS_FOLDER}${set}/${file}`))
        .digest('hex');
      expect(await readFile(`${DATASETS_FOLDER}${set}/CARD.md`, 'utf8')).toContain(sum);
    }
  });

  it('have stories of several sentences over a small vocabulary', async () => {
    const stories = await loadStories();
    expect(stories).toHaveLength(2400);
    expect(Math.min(...stories.map((story) => story.length))).toBeGreaterThanOrEqual(5);
    const words = new Set(
      stories
        .flat()
        .join(' ')
        .toLowerCase()
        .match(/[a-z]+/g),
    );
    expect(words.size).toBeGreaterThan(300);
    expect(words.size).toBeLessThan(500);
  });

  it('have reviews with both labels alike and no text in both parts', async () => {
    const { train, test } = await loadReviews();
    expect([train.length, test.length]).toEqual([1200, 300]);
    const positive = [...train, ...test].filter(({ label }) => label === 1).length;
    expect(positive).toBe(750);
    const seen = new Set(train.map(({ text }) => text));
    expect(test.filter(({ text }) => seen.has(text))).toEqual([]);
  });

  it('have pairs that share words under both labels', async () => {
    const { train } = await loadSentencePairs();
    const overlap = (label: number): number => {
      const of = train.filter((pair) => pair.label === label);
      const shared = of.map(({ first, second }) => {
        const a = new Set(first.toLowerCase().match(/[a-z]+/g));
        const b = second.toLowerCase().match(/[a-z]+/g) ?? [];
        return b.filter((word) => a.has(word)).length / b.length;
      });
      return shared.reduce((sum, value) => sum + value, 0) / shared.length;
    };
    expect(overlap(0)).toBeGreaterThan(0.5);
    expect(overlap(1) - overlap(0)).toBeLessThan(0.25);
  });

  it('have sums whose answers are right and whose test facts training never states', async () => {
    const { train, test } = await loadArithmetic();
    // 2,000 sums, 2,000 differences and all 91 products of numbers up to 12, a sixth of each for the test.
    const formulas = [train, test].map((part) => part.filter(({ form }) => form === 'formula').length);
    expect(formulas).toEqual([1667 + 1667 + 76, 333 + 333 + 15]);
    const factOf = ({ operation, question }: { operation: string; question: string }): string => {
      const numbers = (question.match(/\d+/g) ?? []).map(Number);
      return `${operation} ${numbers.toSorted((a, b) => a - b).join(' ')}`;
    };
    for (const { operation, question, answer } of [...train, ...test]) {
      const [a = Number.NaN, b = Number.NaN] = (question.match(/\d+/g) ?? []).map(Number);
      const right = { add: a + b, subtract: a - b, multiply: a * b }[operation];
      expect(Number(answer), question).toBe(right);
    }
    const stated = new Set(train.map(factOf));
    expect(test.filter((problem) => stated.has(factOf(problem)))).toEqual([]);
    expect(new Set([...train, ...test].map(({ form }) => form))).toEqual(new Set(['formula', 'story']));
  });

  it('have six tasks alike in number, each answer by the rule of its task, no test input in training', async () => {
    const { train, test } = await loadTextToText();
    const tasks = tasksOf(train);
    expect(tasks.map(({ name, examples }) => [name, examples.length])).toEqual(
      ['add', 'past', 'plural', 'reverse', 'sentiment', 'title'].map((name) => [name, 1200]),
    );
    expect(tasks.map(({ prefix }) => prefix)).toContain('reverse: ');
    expect(tasksOf(test).map(({ examples }) => examples.length)).toEqual([150, 150, 150, 150, 150, 150]);
    const key = ({ task, input }: { task: string; input: string }): string =>
      `${task} ${task === 'add' ? input.split(' + ').toSorted().join(' ') : input}`;
    const seen = new Set(train.map(key));
    expect(test.filter((record) => seen.has(key(record)))).toEqual([]);

    for (const { task, input, target } of [...train, ...test]) {
      const words = input.split(' ');
      if (task === 'reverse') expect(target).toBe(words.toReversed().join(' '));
      if (task === 'add') expect(Number(target)).toBe(Number(words[0]) + Number(words[2]));
      if (task === 'sentiment') expect(['positive', 'negative']).toContain(target);
      // The verb and the noun change, nothing else; of the title every word is in the story but "and the".
      if (task === 'past') expect(target.split(' ').filter((word, i) => word !== words[i])).toHaveLength(1);
      if (task === 'plural') expect(target.split(' ').slice(0, -1)).toEqual(words.slice(0, -1));
      if (task === 'title') {
        const missing = target.split(' ').filter((word) => !input.includes(word));
        expect(['', 'and', 'the', 'and the']).toContain(missing.join(' '));
      }
    }
    const plurals = new Map(
      [...train].flatMap(({ task, input, target }) =>
        task === 'plural' ? [[input.split(' ').at(-1), target.split(' ').at(-1)]] : [],
      ),
    );
    expect([plurals.get('mouse'), plurals.get('box'), plurals.get('city'), plurals.get('sheep')]).toEqual([
      'mice',
      'boxes',
      'cities',
      'sheep',
    ]);
  });

  it('give other stories for another seed and the same for the same', () => {
    expect(generateStories(5, 1)).toEqual(generateStories(5, 1));
    expect(generateStories(5, 1)).not.toEqual(generateStories(5, 2));
  });
});

describe('a wrong corpus is refused in one sentence', () => {
  let folder: string;
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lab-corpus-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('not UTF-8, with the place of the first wrong byte', async () => {
    const path = await file('latin1.txt', Uint8Array.from([0x61, 0xc3, 0xa9, 0x62, 0xe9, 0x20, 0x63]));
    await expect(readDocuments(path)).rejects.toThrow(
      new InputError(`the corpus ${path} is not UTF-8: the bytes at offset 4 are not a character`),
    );
  });
  it('cut in the middle of a character', async () => {
    const path = await file('cut.txt', Uint8Array.from([0x61, 0xe2, 0x82]));
    await expect(readDocuments(path)).rejects.toThrow('is not UTF-8');
  });
  it('missing', async () => {
    await expect(readDocuments(join(folder, 'none.txt'))).rejects.toThrow(InputError);
  });
  it('empty', async () => {
    await expect(readDocuments(await file('empty.txt', '\n\n \n'))).rejects.toThrow('is empty');
  });
  it('a record that is not JSON, or not a review, by its line', async () => {
    const good = '{"text":"a","label":1}\n';
    await expect(readRecords(await file('a.jsonl', `${good}{"text"`), reviewSchema)).rejects.toThrow(
      'a.jsonl:2: not JSON',
    );
    await expect(readRecords(await file('b.jsonl', '{"text":"a","label":3}'), reviewSchema)).rejects.toThrow(
      'b.jsonl:1: label',
    );
  });
  it('and Windows line ends are read as line ends', async () => {
    expect(await readDocuments(await file('crlf.txt', 'a b.\r\nc.\r\n\r\nd.\r\n'))).toEqual([
      ['a b.', 'c.'],
      ['d.'],
    ]);
  });
});
