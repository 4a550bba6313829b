import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merges-'));
});
afterEach(() => rm(folder, { recursive: true }));

const Model = z.object({
  vocab: z.record(z.string(), z.number()),
  merges: z.array(z.tuple([z.string(), z.string()])),
});
const Expected = z.object({
  singles: z.array(z.object({ text: z.string(), ids: z.array(z.number()), decoded: z.string() })),
});
const fixture = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`./fixtures/${path}`, import.meta.url), 'utf8'));

async function write(
  vocab: Record<string, number>,
  merges: readonly (readonly [string, string])[],
): Promise<void> {
  await writeFile(join(folder, 'vocab.json'), JSON.stringify(vocab));
  const lines = merges.map((merge) => merge.join(' '));
  await writeFile(join(folder, 'merges.txt'), `#version: 0.2\n${lines.join('\n')}\n`);
}

it.each(['gpt2', 'roberta'])(
  'vocab.json and merges.txt of %s give what its tokenizer.json gives',
  async (kind) => {
    const { model } = z.object({ model: Model }).parse(await fixture(`${kind}/tokenizer.json`));
    await write(model.vocab, model.merges);
    const tokenizer = await loadTokenizer(folder);
    const { singles } = Expected.parse(await fixture(`${kind}/expected.json`));
    for (const { text, ids, decoded } of singles) {
      // The reference of gpt2 was given a padding token that these files lack.
      if (text.includes('<pad>')) continue;
      expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  },
);

it('a vocabulary with </w> is GPT-1’s', async () => {
  const { plain } = z
    .object({
      plain: z.object({
        vocabulary: z.array(z.string()),
        merges: Model.shape.merges,
        cases: Expected.shape.singles,
      }),
    })
    .parse(await fixture('subwords.json'));
  await write(Object.fromEntries(plain.vocabulary.map((token, id) => [token, id])), plain.merges);
  const tokenizer = await loadTokenizer(folder);
  for (const { text, ids } of plain.cases) {
    expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
  }
});

it('refuses merges that are none, and a vocabulary that is none', async () => {
  await write({ a: 0, b: 1, ab: 2 }, [['a', 'b']]);
  await writeFile(join(folder, 'merges.txt'), '#version: 0.2\na b\nabc\n');
  await expect(loadTokenizer(folder)).rejects.toThrow(/merges\.txt: line 3: expected two symbols/);
  await writeFile(join(folder, 'merges.txt'), new Uint8Array([0xff, 0xfe]));
  await expect(loadTokenizer(folder)).rejects.toThrow(InputError);
  await writeFile(join(folder, 'vocab.json'), '{"a": "b"}');
  await expect(loadTokenizer(folder)).rejects.toThrow(/vocab\.json/);
});
